// The control protocol, version 1. A client sends one line, "wick 1 VERB [KEY=VALUE …]\n", within two
// seconds, and gets one line, "ok [KEY=VALUE …]\n" or "error CODE [KEY=VALUE …]\n":
//
//   status    ok pid=P recording=0|1 to=socket|file client=P hz=H since_ms=T samples=S lost=L
//             threads=N version=V engine=E, where E goes to the end of the line. The connection ends.
//   stop      stops what is recorded: ok, or error idle. The connection ends.
//   record    hz=H engine=N join=0|1: ok, and then the recording (wick_format.h) until the client
//             writes anything or goes away, or the recording ends by itself: then the connection
//             ends. Several recordings may follow each other on one connection: with join=1 the one
//             under way ends and both clients get the next one.
//             error busy pid=P (whom it goes to; 0: a file), error start result=R errno=E.
//
// Whoever is of another user, sends another version, too long a line or none, is shut out.
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "got_hooks.h"
#include "own_descriptor.h"
#include "proc.h"
#include "recording.h"
#include "session.h"
#include "stream.h"
#include "wick_format.h"

enum {
    CLIENT_LIMIT = 8,
    LINE_BYTES = 256,
    THREAD_STACK_BYTES = 256 << 10,
    /// What a reader says is not listened to, but for so long.
    DRAIN_READS = 64,
};
enum : uint64_t { PATIENCE_MS = 2000, GUEST_MS = 1500, END_WAIT_MS = 200, REST_MS = 1000 };
/// What the kernel shows instead of users whom a namespace does not know.
enum : uid_t { UNKNOWN_USER = 65534 };

typedef struct {
    /// None: the place is free.
    wick_own_descriptor socket;
    /// The other end of `wick_control_connect`, which the client takes.
    wick_own_descriptor other_end;
    pid_t pid;
    bool is_reader;
    uint64_t deadline_ms;
    size_t length;
    char line[LINE_BYTES];
} client;

/// Guards the start and end of the thread; never held while one serves.
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t stay;
static _Atomic pid_t thread_id;
/// 1 while the thread runs, a futex.
static _Atomic uint32_t is_serving;
static _Atomic bool recording_ended;
static wick_own_descriptor door = {.number = -1};
/// A pipe: who closes all descriptors rings it, too.
static wick_own_descriptor bell = {.number = -1}, bell_rope = {.number = -1};
/// Whether users whom our namespace does not know may come in.
static bool strangers_are_welcome;
/// Clients are the thread's alone, but for places that `wick_control_connect` fills.
static client clients[CLIENT_LIMIT];
static pthread_mutex_t seating = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void ring(void) {
    if (wick_is_own(&bell_rope) && write(bell_rope.number, "", 1) < 0) {
        return;  // It rings already.
    }
}

static void mute(void) {
    char rung[64];
    while (read(bell.number, rung, sizeof(rung)) == sizeof(rung)) {
    }
}

static int make_bell(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno;
    }
    bell = wick_own(wick_recording_move_up(ends[0]));
    bell_rope = wick_own(wick_recording_move_up(ends[1]));
    return 0;
}

void wick_control_remove_path(void) {
    wick_door_remove_path();
}

// MARK: clients

static void leave(client *one) {
    pthread_mutex_lock(&seating);
    wick_disown(&one->other_end);
    wick_disown(&one->socket);
    pthread_mutex_unlock(&seating);
}

static bool seat(int socket, int other_end, pid_t pid) {
    pthread_mutex_lock(&seating);
    client *free_place = NULL;
    for (size_t i = 0; i < CLIENT_LIMIT && !free_place; i++) {
        free_place = clients[i].socket.number < 0 ? &clients[i] : NULL;
    }
    if (free_place) {
        *free_place = (client){.socket = wick_own(socket),
                               .other_end = wick_own(other_end),
                               .pid = pid,
                               .deadline_ms = now_ms() + (other_end >= 0 ? GUEST_MS : PATIENCE_MS)};
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

static bool may_enter(uid_t user) {
    return user == geteuid() || user == 0 || (user == UNKNOWN_USER && strangers_are_welcome);
}

/// False if there are no descriptors to be had: who waits outside would wake the thread for ever.
static bool welcome(void) {
    int low = accept4(door.number, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (low < 0) {
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    }
    int socket = wick_recording_move_up(low);
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || !may_enter(peer.uid) ||
        !seat(socket, -1, peer.pid)) {
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

/// The number behind "KEY="; `otherwise` if it is not there.
static uint64_t number(const char *line, const char *key, uint64_t otherwise) {
    size_t length = strlen(key);
    for (const char *word = line; word; word = strchr(word, ' ')) {
        word += *word == ' ';
        if (strncmp(word, key, length) == 0 && word[length] == '=') {
            return strtoull(word + length + 1, NULL, 10);
        }
    }
    return otherwise;
}

static const client *reader_of_recording(void) {
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0 && clients[i].is_reader) {
            return &clients[i];
        }
    }
    return NULL;
}

static void tell_status(client *one) {
    wick_status status = wick_agent_status();
    char text[LINE_BYTES + 64];
    snprintf(text, sizeof(text),
             "ok pid=%d recording=%d to=%s client=%d hz=%u since_ms=%llu samples=%llu lost=%llu "
             "threads=%llu version=%s engine=%s\n",
             (int)getpid(), status.is_recording, status.is_streamed ? "socket" : "file",
             reader_of_recording() ? (int)reader_of_recording()->pid : 0, status.rate_hz,
             (unsigned long long)status.elapsed_ms,
             (unsigned long long)status.samples, (unsigned long long)status.lost,
             (unsigned long long)status.threads, WICK_VERSION, status.engine);
    answer(one, text);
}

static wick_options latest;

/// Records for all readers; `newcomer` is greeted and told of a failure.
static bool record_for_readers(client *newcomer) {
    int sockets[WICK_STREAM_LIMIT];
    const char *greetings[WICK_STREAM_LIMIT];
    size_t count = 0;
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0 && clients[i].is_reader && count < WICK_STREAM_LIMIT) {
            sockets[count] = clients[i].socket.number;
            greetings[count++] = &clients[i] == newcomer ? "ok\n" : NULL;
        }
    }
    if (count == 0) {
        return false;
    }
    atomic_store(&recording_ended, false);
    wick_result result = wick_agent_record(&latest, sockets, greetings, count);
    if (result != WICK_RESULT_OK && newcomer) {
        char text[64];
        snprintf(text, sizeof(text), "error start result=%u errno=%d\n", (unsigned)result, errno);
        answer(newcomer, text);
    }
    return result == WICK_RESULT_OK;
}

static void let_readers_go(void) {
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0 && clients[i].is_reader) {
            leave(&clients[i]);
        }
    }
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
    if (status.is_recording) {
        wick_agent_stop();
    } else {
        latest = (wick_options){.rate_hz = (uint32_t)number(line, "hz", 0),
                                .engine = (wick_engine_choice)number(line, "engine", 0)};
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
    one->pid = (pid_t)number(line, "client", (uint64_t)one->pid);
    if (is_verb(line, "record")) {
        record(one, line);
    } else if (is_verb(line, "stop")) {
        bool stopped = wick_agent_stop() == WICK_RESULT_OK;
        answer(one, stopped ? "ok\n" : "error idle\n");
        leave(one);
        let_readers_go();
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

// MARK: the thread

static bool is_wanted(uint64_t opened_ms, size_t client_count) {
    switch ((wick_control_stay)atomic_load(&stay)) {
    case WICK_CONTROL_CLOSED: return false;
    case WICK_CONTROL_RECORDING:
    case WICK_CONTROL_IDLE: return true;
    case WICK_CONTROL_GUEST: return client_count > 0 || now_ms() < opened_ms + GUEST_MS;
    }
    return false;
}

/// Serves until nobody wants it (true), or the host has closed our descriptors (false).
static bool serve(void) {
    uint64_t opened_ms = now_ms();
    bool had_client = false;
    uint64_t rest_until_ms = 0;
    for (;;) {
        bool rests = now_ms() < rest_until_ms;
        struct pollfd entries[CLIENT_LIMIT + 2] = {
            {.fd = bell.number, .events = POLLIN},
            {.fd = rests ? -1 : door.number, .events = POLLIN}};
        size_t places[CLIENT_LIMIT], count = 0;
        uint64_t wake_ms = rests ? rest_until_ms : UINT64_MAX;
        for (size_t i = 0; i < CLIENT_LIMIT; i++) {
            const client *one = &clients[i];
            if (one->socket.number < 0) {
                continue;
            }
            if (!one->is_reader && one->deadline_ms < wake_ms) {
                wake_ms = one->deadline_ms;
            }
            entries[2 + count] = (struct pollfd){.fd = one->socket.number, .events = POLLIN | POLLRDHUP};
            places[count++] = i;
        }
        had_client |= count > 0;
        if (had_client && atomic_load(&stay) == WICK_CONTROL_GUEST && count == 0) {
            return true;
        }
        if (!is_wanted(opened_ms, count)) {
            return true;
        }
        if (count == 0 && atomic_load(&stay) == WICK_CONTROL_GUEST) {
            wake_ms = opened_ms + GUEST_MS;
        }
        uint64_t now = now_ms();
        int timeout = wake_ms == UINT64_MAX ? -1 : wake_ms <= now ? 0 : (int)(wake_ms - now) + 1;
        poll(entries, (nfds_t)(2 + count), timeout);
        if (!wick_is_own(&bell) || (door.number >= 0 && !wick_is_own(&door))) {
            return false;
        }
        if (entries[0].revents) {
            mute();
        }
        for (size_t i = 0; i < count; i++) {
            client *one = &clients[places[i]];
            if (one->socket.number < 0 || one->socket.number != entries[2 + i].fd ||
                !entries[2 + i].revents) {
                continue;
            }
            if (wick_is_own(&one->socket)) {
                listen_to(one);
            } else {
                leave(one);
            }
        }
        now = now_ms();
        for (size_t i = 0; i < CLIENT_LIMIT; i++) {
            client *one = &clients[i];
            if (one->socket.number >= 0 && !one->is_reader && one->deadline_ms <= now) {
                leave(one);
            }
        }
        // It ended by itself: what a request ended has been seen to.
        if (atomic_load(&recording_ended) && !wick_agent_status().is_recording) {
            let_readers_go();
        }
        if ((entries[1].revents & POLLIN) && !welcome()) {
            rest_until_ms = now + REST_MS;
        }
    }
}

static size_t client_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        count += clients[i].socket.number >= 0;
    }
    return count;
}

/// `opening` is held.
static void close_all(void) {
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        if (clients[i].socket.number >= 0) {
            leave(&clients[i]);
        }
    }
    wick_door_remove_path();
    wick_disown(&door);
    wick_disown(&bell);
    wick_disown(&bell_rope);
    atomic_store(&stay, WICK_CONTROL_CLOSED);
    atomic_store(&thread_id, 0);
    atomic_store(&is_serving, 0);
}

static void *main_of_thread(void *unused) {
    (void)unused;
    prctl(PR_SET_NAME, "wick-control");
    atomic_store(&thread_id, (pid_t)syscall(SYS_gettid));
    strangers_are_welcome = has_strangers();
    wick_door_sweep();
    if (wick_agent_is_guest()) {
        wick_got_take();
    }
    for (;;) {
        bool is_whole = serve();
        if (reader_of_recording()) {
            wick_agent_stop();
        }
        pthread_mutex_lock(&opening);
        // Somebody may have come in the meantime.
        wick_control_stay wanted = (wick_control_stay)atomic_load(&stay);
        if (!is_whole || wanted == WICK_CONTROL_CLOSED ||
            (wanted == WICK_CONTROL_GUEST && client_count() == 0)) {
            break;
        }
        pthread_mutex_unlock(&opening);
    }
    if (wick_agent_is_guest()) {
        wick_got_give_back();
    }
    close_all();
    pthread_mutex_unlock(&opening);
    syscall(SYS_futex, &is_serving, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    return NULL;
}

/// `opening` is held.
static int start(wick_control_stay wanted) {
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        clients[i] = (client){.socket = wick_no_descriptor(), .other_end = wick_no_descriptor()};
    }
    int error = make_bell();
    if (error) {
        return error;
    }
    // Without a door (no folder can be written) the connection of `wick_control_connect` still works;
    // who only waits for others to come waits in vain.
    int opened = wick_door_open();
    door = wick_own(opened);
    if (opened < 0 && wanted == WICK_CONTROL_IDLE) {
        close_all();
        return -opened;
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    atomic_store(&is_serving, 1);
    error = pthread_create(&thread, &attributes, main_of_thread, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) {
        close_all();
    }
    return error;
}

/// `opening` is held.
static int open_locked(wick_control_stay wanted) {
    if (atomic_load(&stay) < (uint32_t)wanted) {
        atomic_store(&stay, wanted);
    }
    int error = atomic_load(&is_serving) ? 0 : start(wanted);
    if (error) {
        atomic_store(&stay, WICK_CONTROL_CLOSED);
    }
    return error;
}

int wick_control_open(wick_control_stay wanted) {
    pthread_mutex_lock(&opening);
    int error = open_locked(wanted);
    pthread_mutex_unlock(&opening);
    return error;
}

/// `opening` is held.
static int connect_locked(void) {
    int error = open_locked(WICK_CONTROL_GUEST);
    if (error) {
        return -error;
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return -errno;
    }
    int own = wick_recording_move_up(ends[0]), other = wick_recording_move_up(ends[1]);
    if (!seat(own, other, 0)) {
        close(own);
        close(other);
        return -EBUSY;
    }
    ring();
    return other;
}

int wick_control_connect(void) {
    // The thread looks for clients under this lock before it ends.
    pthread_mutex_lock(&opening);
    int connection = connect_locked();
    pthread_mutex_unlock(&opening);
    return connection;
}

void wick_control_note_end(void) {
    atomic_store(&recording_ended, true);
    ring();
}

void wick_control_close_after_recording(void) {
    if (atomic_load(&stay) != WICK_CONTROL_RECORDING) {
        return;
    }
    atomic_store(&stay, WICK_CONTROL_CLOSED);
    if (!atomic_load(&is_serving) || atomic_load(&thread_id) == (pid_t)syscall(SYS_gettid)) {
        return;
    }
    ring();
    uint64_t end = now_ms() + END_WAIT_MS;
    while (atomic_load(&is_serving) && now_ms() < end) {
        struct timespec timeout = {.tv_nsec = 20000000};
        syscall(SYS_futex, &is_serving, FUTEX_WAIT_PRIVATE, 1, &timeout, NULL, 0);
    }
}

pid_t wick_control_tid(void) {
    return atomic_load(&thread_id);
}

void wick_control_forget(void) {
    if (atomic_load(&is_serving)) {
        for (size_t i = 0; i < CLIENT_LIMIT; i++) {
            wick_disown(&clients[i].other_end);
            wick_disown(&clients[i].socket);
        }
    }
    wick_disown(&door);
    wick_disown(&bell);
    wick_disown(&bell_rope);
    wick_door_forget();
    opening = seating = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    atomic_store(&stay, WICK_CONTROL_CLOSED);
    atomic_store(&thread_id, 0);
    atomic_store(&is_serving, 0);
}
