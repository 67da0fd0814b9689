#include <cstddef>
#include <vector>

std::vector<int> list(std::size_t length)
{
    return std::vector<int>(length);
}
