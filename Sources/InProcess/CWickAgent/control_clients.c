// The control protocol, version 1. A client sends one line, "wick 1 VERB [KEY=VALUE …]\n", within two
// seconds, and gets one line, "ok [KEY=VALUE …]\n" or "error CODE [KEY=VALUE …]\n":
//
//   status    ok pid=P recording=0|1 to=socket|file client=P hz=H since_ms=T samples=S lost=L
//             threads=N alloc=B version=V engine=E, where E goes to the end of the line and B is the
//             mean number of bytes between two allocations that are followed (1: all are; 0: none).
//             The connection ends.
//   stop      stops what is recorded: ok, or error idle. The connection ends.
//   record    hz=H engine=N join=0|1 alloc=B arc=0|1 mmap=0|1: ok, and then the recording
//             (wick_format.h) until the client writes anything or goes away, or the recording ends by
//             itself: then the connection ends. Several recordings may follow each other on one
//             connection: with join=1 the one under way ends and both clients get the next one, which
//             has the rate and the engine of the first, and of allocations all that any of them wants.
//             error busy pid=P (whom it goes to; 0: a file), error start result=R errno=E.
//   alloc     interval=B: changes it for the recording under way: ok, error idle, error option, or
//             error resources errno=E. The connection ends.
//
// Whoever is of another user, sends another version, too long a line or none, is shut out.
#include "control_clients.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "own_descriptor.h"
#include "proc.h"
#include "recording.h"
#include "session.h"
#include "stream.h"
#include "wick_format.h"

enum {
    LINE_BYTES = 256,
    /// What a reader says is not listened to, but for so long.
    DRAIN_READS = 64,
};
enum : uint64_t { PATIENCE_MS = 2000 };
/// What the kernel shows instead of users whom a namespace does not know.
enum : uid_t { UNKNOWN_USER = 65534 };

typedef struct {
    /// None: the place is free.
    wick_own_descriptor socket;
    /// The other end of `wick_control_connect`, which the client takes.
    wick_own_descriptor other_end;
    pid_t pid;
    bool is_reader;
    /// Of a reader: what it wants of allocations, as in `wick_options`.
    uint64_t allocation_interval;
    bool counts_references, follows_mappings;
    uint64_t deadline_ms;
    size_t length;
    char line[LINE_BYTES];
} client;

static _Atomic bool recording_ended;
/// Whether users whom our namespace does not know may come in.
static bool strangers_are_welcome;
/// The control thread's alone, but for places that others fill.
static client clients[WICK_CLIENT_LIMIT];
static pthread_mutex_t seating = PTHREAD_MUTEX_INITIALIZER;

uint64_t wick_clients_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void wick_clients_reset(void) {
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        clients[i] = (client){.socket = wick_no_descriptor(), .other_end = wick_no_descriptor()};
    }
}

static void leave(client *one) {
    pthread_mutex_lock(&seating);
    wick_disown(&one->other_end);
    wick_disown(&one->socket);
    pthread_mutex_unlock(&seating);
}

bool wick_clients_seat(int socket, int other_end, pid_t pid, uint64_t patience_ms) {
    pthread_mutex_lock(&seating);
    client *free_place = NULL;
    for (size_t i = 0; i < WICK_CLIENT_LIMIT && !free_place; i++) {
        free_place = clients[i].socket.number < 0 ? &clients[i] : NULL;
    }
    if (free_place) {
        *free_place = (client){.socket = wick_own(socket),
                               .other_end = wick_own(other_end),
                               .pid = pid,
                               .deadline_ms = wick_clients_now_ms() + patience_ms};
    }
    pthread_mutex_unlock(&seating);
    return free_place;
}

/// Whether the namespace of users that we are in leaves the kernel's stand-in for the unknown to the
/// unknown. The folder lets only its user and root come up to the door.
static bool has_strangers(void) {
    char text[4096];
    wick_proc_read("/proc/self/uid_map", text, sizeof(text));
    for (char *line = text; *line;) {
        char *rest;
        uint64_t first = strtoull(line, &rest, 10);
        strtoull(rest, &rest, 10);
        uint64_t count = strtoull(rest, &rest, 10);
        if (UNKNOWN_USER >= first && UNKNOWN_USER < first + count) {
            return false;
        }
        line = strchrnul(rest, '\n');
        line += *line == '\n';
    }
    return text[0];
}

void wick_clients_look_at_users(void) {
    strangers_are_welcome = has_strangers();
}

static bool may_enter(uid_t user) {
    return user == geteuid() || user == 0 || (user == UNKNOWN_USER && strangers_are_welcome);
}

bool wick_clients_welcome(int door) {
    int low = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (low < 0) {
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    }
    int socket = wick_recording_move_up(low);
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || !may_enter(peer.uid) ||
        !wick_clients_seat(socket, -1, peer.pid, PATIENCE_MS)) {
        close(socket);
    }
    return true;
}

static void answer(client *one, const char *text) {
    if (wick_is_own(&one->socket) &&
        send(one->socket.number, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        return;  // It is gone, or takes nothing: it is let go anyway.
    }
}

// MARK: requests

/// What `number` says of words that are no number.
enum : uint64_t { NO_NUMBER = UINT64_MAX };

/// The number behind "KEY="; `otherwise` if it is not there.
static uint64_t number(const char *line, const char *key, uint64_t otherwise) {
    size_t length = strlen(key);
    for (const char *word = line; word; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (strncmp(word, key, length) == 0 && word[length] == '=') {
            const char *digits = word + length + 1;
            char *end;
            // It takes signs and spaces, and more digits than fit give the greatest number.
            uint64_t value = strtoull(digits, &end, 10);
            return *digits >= '0' && *digits <= '9' && (!*end || *end == ' ') ? value : NO_NUMBER;
        }
    }
    return otherwise;
}

/// The same up to `maximum`; NO_NUMBER of what is greater.
static uint64_t number_up_to(uint64_t maximum, const char *line, const char *key) {
    uint64_t value = number(line, key, 0);
    return value <= maximum ? value : NO_NUMBER;
}

static const client *reader_of_recording(void) {
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0 && clients[i].is_reader) {
            return &clients[i];
        }
    }
    return NULL;
}

static void tell_status(client *one) {
    wick_status status = wick_agent_status();
    char text[2 * LINE_BYTES];
    snprintf(text, sizeof(text),
             "ok pid=%d recording=%d to=%s client=%d hz=%u since_ms=%llu samples=%llu lost=%llu "
             "threads=%llu alloc=%llu version=%s engine=%s\n",
             (int)getpid(), status.is_recording, status.is_streamed ? "socket" : "file",
             reader_of_recording() ? (int)reader_of_recording()->pid : 0, status.rate_hz,
             (unsigned long long)status.elapsed_ms,
             (unsigned long long)status.samples, (unsigned long long)status.lost,
             (unsigned long long)status.threads,
             (unsigned long long)(status.is_recording ? status.allocation_interval : 0),
             WICK_VERSION, status.engine);
    answer(one, text);
}

/// Rate and engine are those that the first reader wanted; of allocations each has its own wishes.
static wick_options latest;

/// Has a recording follow all that one of its readers wants: the smaller interval is the finer.
static void add_wishes(const client *one, wick_options *options) {
    uint64_t interval = one->allocation_interval;
    if (interval && (!options->allocation_interval || interval < options->allocation_interval)) {
        options->allocation_interval = interval;
    }
    options->counts_references |= one->counts_references;
    options->follows_mappings |= one->follows_mappings;
}

static void refuse_start(client *one, wick_result result, int error) {
    char text[64];
    snprintf(text, sizeof(text), "error start result=%u errno=%d\n", (unsigned)result, error);
    answer(one, text);
}

/// Records for all readers; `newcomer` is greeted and told of a failure.
static bool record_for_readers(client *newcomer) {
    int sockets[WICK_STREAM_LIMIT];
    const char *greetings[WICK_STREAM_LIMIT];
    size_t count = 0;
    wick_options options = latest;
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0 && clients[i].is_reader && count < WICK_STREAM_LIMIT) {
            add_wishes(&clients[i], &options);
            sockets[count] = clients[i].socket.number;
            greetings[count++] = &clients[i] == newcomer ? "ok\n" : NULL;
        }
    }
    if (count == 0) {
        return false;
    }
    atomic_store(&recording_ended, false);
    wick_result result = wick_agent_record(&options, sockets, greetings, count);
    if (result != WICK_RESULT_OK && newcomer) {
        refuse_start(newcomer, result, errno);
    }
    return result == WICK_RESULT_OK;
}

static void let_readers_go(void) {
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0 && clients[i].is_reader) {
            leave(&clients[i]);
        }
    }
}

/// Reads what a client wants; false if that is out of range. What engines and rates there are, the
/// agent knows.
static bool read_wishes(client *one, const char *line, wick_options *options) {
    uint64_t rate = number_up_to(UINT32_MAX, line, "hz");
    uint64_t engine = number_up_to(UINT32_MAX, line, "engine");
    uint64_t interval = number_up_to(WICK_ALLOCATION_MAXIMUM_BYTES, line, "alloc");
    uint64_t references = number_up_to(1, line, "arc");
    uint64_t mappings = number_up_to(1, line, "mmap");
    uint64_t joins = number_up_to(1, line, "join");
    if (rate == NO_NUMBER || engine == NO_NUMBER || interval == NO_NUMBER ||
        references == NO_NUMBER || mappings == NO_NUMBER || joins == NO_NUMBER) {
        return false;
    }
    *options = (wick_options){.rate_hz = (uint32_t)rate, .engine = (wick_engine_choice)engine};
    one->allocation_interval = interval;
    one->counts_references = references;
    one->follows_mappings = mappings;
    return true;
}

static void record(client *one, const char *line) {
    bool joins = number(line, "join", 0) == 1;
    wick_status status = wick_agent_status();
    if (status.is_recording && (!status.is_streamed || !joins)) {
        char text[64];
        const client *other = reader_of_recording();
        snprintf(text, sizeof(text), "error busy pid=%d\n", other ? (int)other->pid : 0);
        answer(one, text);
        leave(one);
        return;
    }
    wick_options options;
    if (!read_wishes(one, line, &options)) {
        refuse_start(one, WICK_RESULT_BAD_OPTION, EINVAL);
        leave(one);
        return;
    }
    if (status.is_recording) {
        wick_agent_stop();
    } else {
        latest = options;
    }
    one->is_reader = true;
    if (!record_for_readers(one)) {
        leave(one);
        let_readers_go();
    }
}

/// A reader wants no more: the others go on with the next recording.
static void stop_reading(client *one) {
    // A connection that is closed with words unread loses what was sent before.
    for (int i = 0; i < DRAIN_READS && wick_is_own(&one->socket); i++) {
        if (recv(one->socket.number, one->line, LINE_BYTES, MSG_DONTWAIT) <= 0) {
            break;
        }
    }
    wick_agent_stop();
    leave(one);
    record_for_readers(NULL);
}

/// Changes the interval for all readers.
static void switch_allocations(client *one, const char *line) {
    uint64_t interval = number(line, "interval", NO_NUMBER);
    wick_result result = interval > WICK_ALLOCATION_MAXIMUM_BYTES
                             ? WICK_RESULT_BAD_OPTION
                             : wick_set_allocation_interval(interval);
    int error = errno;
    char text[64];
    switch (result) {
    case WICK_RESULT_OK:
        // What begins anew because one of them leaves goes on with it.
        for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
            if (clients[i].socket.number >= 0 && clients[i].is_reader) {
                clients[i].allocation_interval = interval;
            }
        }
        answer(one, "ok\n");
        break;
    case WICK_RESULT_NOT_RUNNING:
        answer(one, "error idle\n");
        break;
    case WICK_RESULT_BAD_OPTION:
        answer(one, "error option\n");
        break;
    default:
        snprintf(text, sizeof(text), "error resources errno=%d\n", error);
        answer(one, text);
    }
}

static bool is_verb(const char *line, const char *verb) {
    size_t length = strlen(verb);
    return strncmp(line, verb, length) == 0 && (line[length] == ' ' || line[length] == 0);
}

static void obey(client *one) {
    const char *line = one->line;
    static const char greeting[] = "wick 1 ";
    if (strncmp(line, greeting, sizeof(greeting) - 1) != 0) {
        answer(one, "error version=1\n");
        leave(one);
        return;
    }
    line += sizeof(greeting) - 1;
    if (one->other_end.number >= 0) {
        // The client has its own by now.
        wick_disown(&one->other_end);
        struct ucred peer;
        socklen_t size = sizeof(peer);
        one->pid = getsockopt(one->socket.number, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
    }
    uint64_t pid = number(line, "client", NO_NUMBER);
    one->pid = pid <= INT32_MAX ? (pid_t)pid : one->pid;
    if (is_verb(line, "record")) {
        record(one, line);
    } else if (is_verb(line, "stop")) {
        bool stopped = wick_agent_stop() == WICK_RESULT_OK;
        answer(one, stopped ? "ok\n" : "error idle\n");
        leave(one);
        let_readers_go();
    } else if (is_verb(line, "alloc")) {
        switch_allocations(one, line);
        leave(one);
    } else if (is_verb(line, "status")) {
        tell_status(one);
        leave(one);
    } else {
        answer(one, "error verb\n");
        leave(one);
    }
}

static void listen_to(client *one) {
    if (one->is_reader) {
        stop_reading(one);
        return;
    }
    ssize_t got = recv(one->socket.number, one->line + one->length, LINE_BYTES - 1 - one->length,
                       MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            leave(one);
        }
        return;
    }
    one->length += (size_t)got;
    char *end = memchr(one->line, '\n', one->length);
    if (end) {
        *end = 0;
        obey(one);
    } else if (one->length == LINE_BYTES - 1) {
        leave(one);
    }
}

// MARK: for the thread

size_t wick_clients_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        count += clients[i].socket.number >= 0;
    }
    return count;
}

bool wick_clients_have_reader(void) {
    return reader_of_recording();
}

size_t wick_clients_await(struct pollfd *entries, uint64_t *wake_ms) {
    size_t count = 0;
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        const client *one = &clients[i];
        if (one->socket.number < 0) {
            continue;
        }
        if (!one->is_reader && one->deadline_ms < *wake_ms) {
            *wake_ms = one->deadline_ms;
        }
        entries[count++] =
            (struct pollfd){.fd = one->socket.number, .events = POLLIN | POLLRDHUP};
    }
    return count;
}

static bool has_news(const client *one, const struct pollfd *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (entries[i].fd == one->socket.number && entries[i].revents) {
            return true;
        }
    }
    return false;
}

void wick_clients_serve(const struct pollfd *entries, size_t count) {
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        client *one = &clients[i];
        if (one->socket.number < 0 || !has_news(one, entries, count)) {
            continue;
        }
        if (wick_is_own(&one->socket)) {
            listen_to(one);
        } else {
            leave(one);
        }
    }
    uint64_t now = wick_clients_now_ms();
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        client *one = &clients[i];
        if (one->socket.number >= 0 && !one->is_reader && one->deadline_ms <= now) {
            leave(one);
        }
    }
    // It ended by itself: what a request ended has been seen to.
    if (atomic_load(&recording_ended) && !wick_agent_status().is_recording) {
        let_readers_go();
    }
}

void wick_clients_note_end(void) {
    atomic_store(&recording_ended, true);
}

void wick_clients_dismiss(void) {
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0) {
            leave(&clients[i]);
        }
    }
}

void wick_clients_forget(void) {
    for (size_t i = 0; i < WICK_CLIENT_LIMIT; i++) {
        wick_disown(&clients[i].other_end);
        wick_disown(&clients[i].socket);
    }
    seating = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}
