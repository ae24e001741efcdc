// C++ exceptions in flight: thrown through frames with destructors and rethrowing handlers.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

static volatile long sink;

struct Guard {
    std::string text;
    explicit Guard(int depth) : text(std::to_string(depth) + " is the depth of this frame") {}
    ~Guard() { sink = sink + (long)text.size(); }
};

__attribute__((noinline)) static void throw_below(int depth) {
    Guard guard(depth);
    if (depth == 0) {
        throw std::runtime_error("at the bottom");
    }
    if (depth % 7 == 0) {
        try {
            throw_below(depth - 1);
        } catch (const std::exception &) {
            sink = sink + 1;
            throw;
        }
    } else {
        throw_below(depth - 1);
    }
    sink = sink + depth;
}

int main(int count, char **arguments) {
    double seconds = count > 1 ? atof(arguments[1]) : 1;
    long caught = 0;
    clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    while (clock() < end) {
        for (int i = 0; i < 20; i++) {
            try {
                throw_below(5 + i);
            } catch (const std::runtime_error &error) {
                caught += (long)std::string(error.what()).size();
            }
        }
        std::vector<std::string> names;
        for (int i = 0; i < 200; i++) {
            names.push_back(std::to_string(i * 7919 % 1000));
        }
        std::sort(names.begin(), names.end(),
                  [](const std::string &a, const std::string &b) { return a > b; });
        sink = sink + (long)names[0].size();
    }
    return caught > 0 ? 0 : 1;
}
