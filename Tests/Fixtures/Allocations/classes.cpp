// Allocates objects of classes with virtual functions and prints the truth, one line a class:
//
//   CLASS OBJECTS BYTES LIVE-OBJECTS LIVE-BYTES
//
//   classes COUNT [wait|load]
//
// With "load" two threads make and drop objects, and look that they are right, until a byte comes on standard
// input, after "ready" was printed. Blocks of other kinds come between: of classes without virtual functions, text, pointers.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gate.h"

namespace shapes {

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};

struct Circle final : Shape {
    double radius = 1;
    double area() const override { return 3 * radius * radius; }
};

struct Rectangle : Shape {
    double width = 2, height = 3;
    double area() const override { return width * height; }
};

/// A polymorphic object whose first word is that of another base.
struct Named {
    virtual ~Named() = default;
    std::string name = "a name too long for the string itself";
};

struct Label final : Named, Rectangle {};

template <typename Value> struct Box final : Shape {
    Value value{};
    double area() const override { return static_cast<double>(value); }
};

/// No virtual function: nothing in it says what it is.
struct Point {
    double x = 0, y = 0, z = 0;
};

}  // namespace shapes

template <typename Object> static void use(const char *name, int count, double &sum) {
    auto *kept = new std::vector<std::unique_ptr<Object>>();
    for (int i = 0; i < count; i++) {
        auto object = std::make_unique<Object>();
        sum += object->area();
        if (i % 4 == 0) {
            kept->push_back(std::move(object));
        }
    }
    auto live = kept->size();
    std::printf("%s %d %zu %zu %zu\n", name, count, count * sizeof(Object), live,
                live * sizeof(Object));
}

static std::atomic<bool> is_over;
static std::atomic<long> wrong_count, round_count;

static void make_and_drop() {
    while (!is_over) {
        std::vector<std::unique_ptr<shapes::Shape>> kept;
        std::vector<std::string> texts;
        double sum = 0;
        for (int i = 0; i < 100; i++) {
            kept.push_back(std::make_unique<shapes::Circle>());
            kept.push_back(std::make_unique<shapes::Label>());
            kept.push_back(std::make_unique<shapes::Box<long>>());
            texts.push_back("text that does not fit in a string: " + std::to_string(i));
        }
        for (const auto &shape : kept) {
            sum += shape->area();
        }
        for (int i = 0; i < 100; i++) {
            wrong_count += texts[i] != "text that does not fit in a string: " + std::to_string(i);
        }
        wrong_count += sum != 100 * (3 + 6);
        round_count++;
    }
}

/// Until there is a byte on standard input.
static int load() {
    std::thread first(make_and_drop), second(make_and_drop);
    const char *words[] = {"wait"};
    wait_if_asked(1, const_cast<char **>(words), "ready\n");
    is_over = true;
    first.join();
    second.join();
    std::printf("rounds %ld, wrong %ld\n", round_count.load(), wrong_count.load());
    return wrong_count > 0 || round_count == 0;
}

int main(int count, char **words) {
    int objects = count > 1 ? std::atoi(words[1]) : 0;
    if (objects < 1) {
        std::fprintf(stderr, "usage: classes COUNT [wait|load]\n");
        return 2;
    }
    if (strcmp(words[count - 1], "load") == 0) {
        return load();
    }
    wait_if_asked(count, words, "ready\n");
    double sum = 0;
    use<shapes::Circle>("shapes::Circle", objects, sum);
    use<shapes::Rectangle>("shapes::Rectangle", objects, sum);
    use<shapes::Label>("shapes::Label", objects, sum);
    use<shapes::Box<long>>("shapes::Box<long>", objects, sum);
    std::vector<std::unique_ptr<shapes::Point>> points;
    std::vector<std::string> texts;
    for (int i = 0; i < objects; i++) {
        points.push_back(std::make_unique<shapes::Point>());
        texts.push_back("text that does not fit in a string: " + std::to_string(i));
        sum += points.back()->x;
    }
    std::printf("sum %g\n", sum + static_cast<double>(texts.size()));
    std::fflush(stdout);
    wait_if_asked(count, words, "done\n");
    return 0;
}
