// The table of words: many threads and signal handlers that ask while the writer finds out, words
// that are no types, modules that go, and what asking costs.
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <typeinfo>
#include <utility>
#include <vector>

#include "probe.h"

struct Root {
    virtual ~Root() = default;
};
template <size_t N> struct Numbered : Root {
    char content[N + 1]{};
};

/// Words of a module that are no types, enough to drive each other out.
static uintptr_t plain[1 << 20];

struct Known {
    uintptr_t word;
    std::string name;
};
static std::vector<Known> known;
static std::atomic<uint32_t> failures;

static void expect(bool is_true, const char *what) {
    if (!is_true) {
        failures++;
        fprintf(stderr, "not true: %s\n", what);
    }
}

template <size_t... N> static void make_known(std::index_sequence<N...>) {
    auto add = [](const Root &object) {
        uintptr_t word;
        memcpy(&word, static_cast<const void *>(&object), sizeof word);
        known.push_back({word, std::string("c++ ") + typeid(object).name()});
    };
    (add(*std::make_unique<Numbered<N>>()), ...);
}

static uint64_t next_random(uint64_t &state) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/// What one asker learned: id by known word, and all ids of words that are none.
struct Answers {
    std::vector<std::pair<size_t, uint32_t>> known_ids;
    std::vector<uint32_t> plain_ids;
};

/// Of one stack, on which all threads are.
static uint32_t shared_misses;

static void ask_many(uint64_t state, size_t count, Answers &answers) {
    for (size_t i = 0; i < count; i++) {
        uint64_t random = next_random(state);
        if (random % 4 == 0) {
            size_t which = random / 4 % known.size();
            uint32_t id = probe_ask_word(known[which].word);
            if (id != 0) {
                answers.known_ids.push_back({which, id});
            }
        } else {
            uintptr_t word = random % 4 == 1 ? (uintptr_t)&plain[random / 4 % (1 << 20)]
                                             : (random >> 20) << 3;
            uint32_t id = probe_ask_as(word, &shared_misses);
            if (id != 0) {
                answers.plain_ids.push_back(id);
            }
        }
    }
}

static std::atomic<int> handled;
static thread_local uint64_t handler_state = 99;
static thread_local uint32_t handler_misses;

static void ask_in_handler(int) {
    for (int i = 0; i < 16; i++) {
        uint64_t random = next_random(handler_state);
        probe_ask_word(known[random % known.size()].word);
        probe_ask_as((uintptr_t)&plain[random % (1 << 20)], &handler_misses);
    }
    handled++;
}

static void threads(size_t count) {
    struct sigaction action = {};
    action.sa_handler = ask_in_handler;
    action.sa_flags = SA_RESTART;
    sigaction(SIGPROF, &action, nullptr);
    itimerval interval = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_PROF, &interval, nullptr);
    std::vector<Answers> answers(4);
    std::vector<std::thread> askers;
    std::atomic<bool> is_done = false;
    std::thread writer([&] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        while (!is_done) {
            probe_resolve();
        }
    });
    for (size_t i = 0; i < answers.size(); i++) {
        askers.emplace_back(ask_many, i + 1, count, std::ref(answers[i]));
    }
    for (auto &one : askers) {
        one.join();
    }
    is_done = true;
    writer.join();
    itimerval none = {};
    setitimer(ITIMER_PROF, &none, nullptr);
    probe_resolve();
    size_t known_count = 0, plain_count = 0;
    for (const auto &one : answers) {
        for (auto [which, id] : one.known_ids) {
            expect(known[which].name == probe_name(id), known[which].name.c_str());
        }
        for (uint32_t id : one.plain_ids) {
            expect(*probe_name(id) == 0, probe_name(id));
        }
        known_count += one.known_ids.size();
        plain_count += one.plain_ids.size();
    }
    for (const auto &one : known) {
        uint32_t id = probe_ask_word(one.word);
        expect(id != 0 && one.name == probe_name(id), one.name.c_str());
    }
    printf("known %zu plain %zu handled %d\n", known_count, plain_count, handled.load());
}

/// Words that are no type: nothing of them is named, they leave room for types, and ids last.
static void crowd() {
    uint32_t latest = 0;
    for (size_t i = 0; i < 1 << 20; i++) {
        uint32_t id = probe_ask_word((uintptr_t)&plain[i]);
        uint32_t heap = probe_ask_word((uintptr_t)1 << 40 | i << 4);
        latest = id > latest ? id : latest;
        latest = heap > latest ? heap : latest;
        if (i % 1000 == 0) {
            probe_resolve();
        }
    }
    expect(latest > 30000, "words are asked about");
    expect(latest < 50000, "ids last");
    uint32_t named = 0;
    for (uint32_t id = 1; id <= latest; id++) {
        named += *probe_name(id) != 0;
    }
    expect(named == 0, "none is a type");
    // Types get their turn again; the writer lets more be asked about as time goes on.
    for (const auto &one : known) {
        uint32_t id;
        while ((id = probe_ask_word(one.word)) == 0) {
            usleep(10000);
            probe_resolve();
        }
        probe_resolve();
        expect(one.name == probe_name(id), one.name.c_str());
    }
    // A stack whose blocks begin with ever new words asks about few of them.
    uint32_t misses = 0, asked = 0;
    for (size_t i = 0; i < 1 << 20; i++) {
        asked += probe_ask_as((uintptr_t)1 << 41 | i << 4, &misses) != 0;
    }
    expect(misses == 1 << 20, "each is a miss");
    expect(asked <= 16 + (1 << 20) / 1024, "few are asked about");
    // What is no address is no miss.
    misses = 0;
    for (uintptr_t word : {(uintptr_t)0, (uintptr_t)8, (uintptr_t)0xfff8, known[0].word + 4,
                           (uintptr_t)1 << 48, ~(uintptr_t)7, (uintptr_t)-8}) {
        expect(probe_ask_as(word, &misses) == 0, "no address");
    }
    expect(misses == 0, "no miss");
    printf("ids %u\n", latest);
}

/// A library's types; another's at the same place, and ids given before keep their names.
static void unload(const char *const *paths) {
    uint32_t ids[3];
    uintptr_t words[3];
    for (int i = 0; i < 3; i++) {
        void *library = dlopen(paths[i % 2], RTLD_NOW);
        if (!library) {
            fprintf(stderr, "%s\n", dlerror());
            exit(2);
        }
        probe_forget();
        auto make = (const void *(*)())dlsym(library, "make_object");
        const void *object = make();
        memcpy(&words[i], object, sizeof words[i]);
        probe_resolve();
        ids[i] = probe_ask(object);
        probe_resolve();
        expect(ids[i] != 0, "asked");
        expect(probe_name(ids[i]) == std::string(i % 2 ? "c++ 6Second" : "c++ 5First"),
               probe_name(ids[i]));
        dlclose(library);
        probe_forget();
        probe_resolve();
        uint32_t misses = 0;
        uint32_t id = probe_ask_as(words[i], &misses);
        expect(misses == 1 && id != ids[i], "not known any more");
        probe_resolve();
        expect(*probe_name(id) == 0, "nothing there");
        for (const auto &one : known) {
            uint32_t other = probe_ask_word(one.word);
            probe_resolve();
            misses = 0;
            expect(probe_ask_as(one.word, &misses) == other && misses == 0, "others are known");
            expect(one.name == probe_name(other), one.name.c_str());
        }
    }
    printf("same place %d\n", words[0] == words[1]);
}

/// A new recording names all types again, by the same ids.
static void again() {
    std::vector<uint32_t> ids;
    for (const auto &one : known) {
        ids.push_back(probe_ask_word(one.word));
    }
    probe_resolve();
    probe_clear();
    probe_resolve();
    expect(*probe_name(ids[0]) == 0, "named once");
    probe_begin();
    probe_resolve();
    for (size_t i = 0; i < known.size(); i++) {
        expect(probe_ask_word(known[i].word) == ids[i], "same id");
        expect(known[i].name == probe_name(ids[i]), known[i].name.c_str());
    }
    printf("again\n");
}

/// A seccomp filter is in force that kills for process_vm_readv.
static void filtered() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter = {sizeof program / sizeof *program, program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
        exit(77);
    }
    int before = dup(0);
    close(before);
    crowd();
    int after = dup(0);
    expect(before == after, "no descriptor is left open");
}

static double nanoseconds(size_t count, bool is_known) {
    timespec start, end;
    uint32_t misses = 1;
    size_t answered = 0, which = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (size_t i = 0; i < count; i++) {
        uintptr_t word = is_known ? known[which].word : (uintptr_t)1 << 41 | i << 4;
        which = which + 1 < known.size() ? which + 1 : 0;
        answered += probe_ask_as(word, &misses) != 0;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    expect(is_known ? answered == count : answered <= 16 + count / 1024, "known");
    return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
           (double)count;
}

int main(int count, char **arguments) {
    std::string mode = count > 1 ? arguments[1] : "";
    make_known(std::make_index_sequence<200>());
    probe_begin();
    if (mode == "threads") {
        threads(count > 2 ? strtoul(arguments[2], nullptr, 10) : 1000000);
    } else if (mode == "crowd") {
        crowd();
    } else if (mode == "unload") {
        unload(arguments + 2);
    } else if (mode == "again") {
        again();
    } else if (mode == "filtered") {
        filtered();
    } else if (mode == "cost") {
        for (const auto &one : known) {
            probe_ask_word(one.word);
        }
        probe_resolve();
        printf("known %.1f ns\n", nanoseconds(50000000, true));
        printf("unknown %.1f ns\n", nanoseconds(50000000, false));
    } else {
        return 2;
    }
    return failures > 0;
}
