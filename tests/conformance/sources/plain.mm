struct Pair
{
    int one, other;
};

@interface Root
{
    Pair pair;
}
- (int)one;
@end

@implementation Root
- (int)one
{
    return pair.one;
}
@end
