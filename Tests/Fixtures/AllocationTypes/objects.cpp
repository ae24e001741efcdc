// As objects.swift, for C++: "TRUTH\tFOUND" a line.
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "probe.h"

#ifdef __cpp_rtti
#include <typeinfo>
#define NAME(object) ("c++ " + std::string(typeid(object).name()))
#else
#define NAME(object) std::string()
#endif

struct Case {
    std::string truth;
    uint32_t id;
};
static std::vector<Case> cases;

template <typename T> static void check(const T &object) {
    cases.push_back({NAME(object), probe_ask(dynamic_cast<const void *>(&object))});
}

static void check_none(const void *object) {
    cases.push_back({"", probe_ask(object)});
}

struct Root {
    virtual ~Root() = default;
    int value = 1;
};
namespace app {
struct Node : Root {};
namespace inner {
struct Leaf : Node {
    void run() const {}
};
}  // namespace inner
template <typename T> struct Box : Root {
    T content{};
};
template <typename T, int N> struct Sized {
    virtual ~Sized() = default;
    T content[N]{};
};
}  // namespace app
namespace {
struct Hidden : Root {};
}  // namespace
struct Other {
    virtual ~Other() = default;
    long other = 2;
};
struct Both : app::Node, Other {};
struct Virtual : virtual Root {};
struct OtherVirtual : virtual Root {};
struct Diamond : Virtual, OtherVirtual {};
/// Without a virtual function of its own: what follows its virtual table is another's.
struct Bare : virtual Other {};
struct Abstract {
    virtual void run() = 0;
    virtual ~Abstract() = default;
};
struct Concrete : Abstract {
    void run() override {}
};
struct Plain {
    const char *name = "no virtual functions";
};
struct Linked {
    Linked *next;
};
static void function() {}
struct Table {
    void (*const *functions)();
};
static void (*const functions[])() = {function, function, function};

int main() {
    probe_begin();
    std::vector<std::unique_ptr<Root>> roots;
    roots.emplace_back(new Root);
    roots.emplace_back(new app::Node);
    roots.emplace_back(new app::inner::Leaf);
    roots.emplace_back(new app::Box<int>);
    roots.emplace_back(new app::Box<std::map<std::string, std::vector<app::Node>>>);
    roots.emplace_back(new Hidden);
    roots.emplace_back(new app::Box<Hidden>);
    roots.emplace_back(new Both);
    roots.emplace_back(new Virtual);
    roots.emplace_back(new Diamond);
    for (const auto &root : roots) {
        check(*root);
    }
    struct Local : Root {};
    Local local;
    check(local);
    app::Sized<app::Box<char>, 7> sized;
    check(sized);
    Bare bare;
    check(bare);
    Concrete concrete;
    check<Abstract>(concrete);
#ifdef __cpp_rtti
    std::stringstream stream;
    check<std::ostream>(stream);
    check(std::runtime_error("x"));
    check(std::system_error(std::error_code()));
    check(*std::cout.rdbuf());
#endif
    auto shared = std::make_shared<app::Node>();
    check(*shared);
    // What std::make_shared allocates: a class of the library's begins it.
    const void *block = reinterpret_cast<const char *>(shared.get()) - 16;
    cases.push_back(
#ifdef __cpp_rtti
        {"c++ St23_Sp_counted_ptr_inplaceIN3app4NodeESaIvELN9__gnu_cxx12_Lock_policyE2EE",
#else
        {"",
#endif
         probe_ask(block)});

    Both both;
    // The second base of an object is not where an object begins.
    check_none(static_cast<Other *>(&both));
    Plain plain;
    Linked first{nullptr}, second{&first};
    Table table{functions};
    const void *code = reinterpret_cast<const void *>(&function);
    const Table *pointer = &table;
    check_none(&plain);
    check_none(&second);
    check_none(&table);
    check_none(&code);
    check_none(&pointer);
    const std::string text(100, 'x');
    check_none(&text);
#ifdef __cpp_rtti
    const std::type_info *info = &typeid(Both);
    check_none(&info);
#endif
    probe_resolve();
    for (const auto &one : cases) {
        printf("%s\t%s\n", one.truth.c_str(), probe_name(one.id));
    }
}
