@interface Root
{
    int count;
}
- (int)count;
@end

@implementation Root
- (int)count
{
    return count;
}
@end
