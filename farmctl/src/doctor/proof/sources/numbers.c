/* Integers of every width, floating point, a jump table and a loop that can be vectorised. */
#include <stddef.h>
#include <stdint.h>

uint32_t checksum(const uint8_t *bytes, size_t count)
{
    uint32_t low = 1, high = 0;
    for (size_t i = 0; i < count; i++) {
        low = (low + bytes[i]) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

double mean(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return count ? sum / (double)count : 0;
}

int64_t divide(int64_t a, int64_t b)
{
    return b ? a / b : INT64_MAX;
}

int days(int month, int leap)
{
    switch (month) {
    case 1: return 31;
    case 2: return 28 + !!leap;
    case 3: return 31;
    case 4: return 30;
    case 5: return 31;
    case 6: return 30;
    case 7: return 31;
    case 8: return 31;
    case 9: return 30;
    case 10: return 31;
    case 11: return 30;
    case 12: return 31;
    default: return 0;
    }
}
