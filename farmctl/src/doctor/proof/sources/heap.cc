// Templates of the library and of our own, and exceptions.
#include <stdexcept>
#include <string>
#include <vector>

template <typename Key, typename Before>
class Heap {
public:
    explicit Heap(Before before) : before(before) {}

    void push(Key key)
    {
        keys.push_back(key);
        for (std::size_t at = keys.size() - 1; at && before(keys[at], keys[(at - 1) / 2]); at = (at - 1) / 2)
            std::swap(keys[at], keys[(at - 1) / 2]);
    }

    Key top() const
    {
        if (keys.empty())
            throw std::out_of_range("the heap is empty");
        return keys.front();
    }

private:
    std::vector<Key> keys;
    Before before;
};

std::string first(const std::vector<std::string> &words)
{
    auto shorter = [](const std::string &a, const std::string &b) { return a.size() < b.size(); };
    Heap<std::string, decltype(shorter)> heap(shorter);
    for (const std::string &word : words)
        heap.push(word);
    try {
        return heap.top();
    } catch (const std::out_of_range &nothing) {
        return nothing.what();
    }
}
