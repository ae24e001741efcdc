// Four kinds of work at once that other profilers hang or crash: exceptions, loading and unloading
// of libraries, threads that come and go, forks. `torture SECONDS LIBRARY` prints how much of each
// was done, in all and in each second, and the CPU time of each kind's threads and of the process.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

enum Kind { throws, loads, threads, forks, kind_count };
const char *const names[kind_count] = {"throws", "loads", "threads", "forks"};

std::atomic<bool> is_over{false};
std::atomic<long> done[kind_count];
std::atomic<long> cpu_ns[kind_count];
const char *library_path;

long thread_cpu_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000 + now.tv_nsec;
}

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "torture: %s\n", what);
  _exit(1);
}

struct Guard {
  std::string text = "a string that is long enough to be on the heap";
  ~Guard() { text.clear(); }
};

__attribute__((noinline)) int throw_from(int depth) {
  Guard guard;
  if (depth == 0) {
    throw std::runtime_error(guard.text);
  }
  return throw_from(depth - 1) + static_cast<int>(guard.text.size());
}

void throw_once() {
  try {
    throw_from(6);
  } catch (const std::runtime_error &error) {
    if (error.what()[0] != 'a') {
      fail("a wrong exception");
    }
    return;
  }
  fail("no exception");
}

void load_once() {
  void *library = dlopen(library_path, RTLD_NOW);
  if (!library) {
    fail("dlopen");
  }
  auto work = reinterpret_cast<unsigned long (*)(unsigned long)>(dlsym(library, "wick_library_work"));
  work(100);
  dlclose(library);
}

void *short_thread(void *unused) {
  volatile int sum = 0;
  for (int i = 0; i < 2000; i++) {
    sum = sum + i;
  }
  cpu_ns[threads] += thread_cpu_ns();
  return unused;
}

void threads_once() {
  pthread_t made[4];
  for (pthread_t &thread : made) {
    if (pthread_create(&thread, nullptr, short_thread, nullptr) != 0) {
      fail("pthread_create");
    }
  }
  for (pthread_t &thread : made) {
    pthread_join(thread, nullptr);
  }
}

void fork_once() {
  pid_t child = fork();
  if (child == 0) {
    throw_once();
    _exit(3);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 3) {
    fail("a child did not end as it should");
  }
}

void *go_on(void *context) {
  static void (*const work[kind_count])() = {throw_once, load_once, threads_once, fork_once};
  long kind = reinterpret_cast<long>(context);
  while (!is_over) {
    work[kind]();
    done[kind]++;
  }
  cpu_ns[kind] += thread_cpu_ns();
  return nullptr;
}

double seconds_of(const timeval &time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double cpu_seconds(int who) {
  rusage usage;
  getrusage(who, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    return 2;
  }
  int seconds = std::atoi(argv[1]);
  library_path = argv[2];
  // The four kinds, or the one that is named.
  std::string only = argc > 3 ? argv[3] : "";
  std::vector<pthread_t> made;
  for (long kind = 0; kind < kind_count; kind++) {
    pthread_t thread;
    if (!only.empty() && only != names[kind]) {
      continue;
    }
    if (pthread_create(&thread, nullptr, go_on, reinterpret_cast<void *>(kind)) != 0) {
      fail("pthread_create");
    }
    made.push_back(thread);
  }
  std::vector<std::vector<long>> each_second;
  long before[kind_count] = {};
  for (int second = 0; second < seconds; second++) {
    timespec pause = {1, 0};
    nanosleep(&pause, nullptr);
    std::vector<long> deltas;
    for (int kind = 0; kind < kind_count; kind++) {
      long now = done[kind];
      deltas.push_back(now - before[kind]);
      before[kind] = now;
    }
    each_second.push_back(deltas);
  }
  is_over = true;
  for (pthread_t thread : made) {
    pthread_join(thread, nullptr);
  }
  std::printf("{\"cpu\": %.6f, \"children_cpu\": %.6f", cpu_seconds(RUSAGE_SELF),
              cpu_seconds(RUSAGE_CHILDREN));
  for (int kind = 0; kind < kind_count; kind++) {
    std::printf(", \"%s\": {\"count\": %ld, \"cpu\": %.6f}", names[kind], done[kind].load(),
                static_cast<double>(cpu_ns[kind]) * 1e-9);
  }
  std::printf(", \"each_second\": [");
  for (size_t i = 0; i < each_second.size(); i++) {
    std::printf("%s[%ld, %ld, %ld, %ld]", i ? ", " : "", each_second[i][0], each_second[i][1],
                each_second[i][2], each_second[i][3]);
  }
  std::printf("]}\n");
  return 0;
}
