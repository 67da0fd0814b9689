#include <stddef.h>
#include <stdio.h>

int count;

int main(void)
{
    size_t size = sizeof count;
    printf("%zu\n", size);
    return 0;
}
