// Keeps a compiler busy for longer than any test waits.
constexpr unsigned long sum()
{
    unsigned long sum = 0;
    for (unsigned long i = 0; i < 1000000000000; i++)
        sum += i;
    return sum;
}
static_assert(sum() != 1);
