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
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "recording.h"
#include "session.h"
#include "stream.h"
#include "wick_format.h"

enum { CLIENT_LIMIT = 8, LINE_BYTES = 256, THREAD_STACK_BYTES = 256 << 10 };
enum : uint64_t { PATIENCE_MS = 2000, GUEST_MS = 1500, END_WAIT_MS = 200 };

typedef struct {
    int socket;
    /// The other end of `wick_control_connect`, which the client takes; -1: none.
    int other_end;
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
/// Somebody counts on the thread since it began to serve; guarded by `opening`.
static bool is_called;
static int door = -1, bell = -1;
/// The process that the door is in. A child by the system call itself must not remove its path.
static pid_t owner;
static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static size_t folder_length;
/// Clients are the thread's alone, but for places that `wick_control_connect` fills.
static client clients[CLIENT_LIMIT];
static pthread_mutex_t seating = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void ring(void) {
    uint64_t one = 1;
    if (bell >= 0 && write(bell, &one, sizeof(one)) < 0) {
        return;  // It rings already.
    }
}

// MARK: the door

/// Makes or finds a folder of this user's alone; `path` is its path with a slash.
static bool find_folder(void) {
    static const char *const places[] = {"/run", "/tmp", "/dev/shm", "/var/tmp"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int length = snprintf(path, sizeof(path), "%s/wick-%u", places[i], (unsigned)geteuid());
        mkdir(path, 0700);
        struct stat status;
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
            (status.st_mode & 077) == 0 && access(path, W_OK | X_OK) == 0) {
            path[length] = '/';
            folder_length = (size_t)length;
            return true;
        }
    }
    path[0] = 0;
    return false;
}

static int open_door(void) {
    owner = getpid();
    if (!find_folder()) {
        return EACCES;
    }
    size_t used = folder_length + 1;
    snprintf(path + used, sizeof(path) - used, "%d-%llu.sock", (int)getpid(),
             (unsigned long long)wick_proc_start_ticks());
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    // Only an earlier image of this process can have had this name.
    unlink(path);
    int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    door = low < 0 ? -1 : wick_recording_move_up(low);
    if (door < 0 || bind(door, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(door, CLIENT_LIMIT) != 0) {
        int error = errno;
        if (door >= 0) {
            close(door);
        }
        door = -1;
        path[0] = 0;
        return error;
    }
    return 0;
}

void wick_control_remove_path(void) {
    if (path[0] && owner == getpid()) {
        unlink(path);
        path[folder_length] = 0;
        rmdir(path);
        path[0] = 0;
    }
}

// MARK: clients

static void leave(client *one) {
    pthread_mutex_lock(&seating);
    if (one->other_end >= 0) {
        close(one->other_end);
    }
    close(one->socket);
    *one = (client){.socket = -1, .other_end = -1};
    pthread_mutex_unlock(&seating);
}

static bool seat(int socket, int other_end, pid_t pid) {
    pthread_mutex_lock(&seating);
    client *free_place = NULL;
    for (size_t i = 0; i < CLIENT_LIMIT && !free_place; i++) {
        free_place = clients[i].socket < 0 ? &clients[i] : NULL;
    }
    if (free_place) {
        *free_place = (client){.socket = socket,
                               .other_end = other_end,
                               .pid = pid,
                               .deadline_ms = now_ms() + (other_end >= 0 ? GUEST_MS : PATIENCE_MS)};
    }
    pthread_mutex_unlock(&seating);
    return free_place;
}

static void welcome(void) {
    int low = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (low < 0) {
        return;
    }
    int socket = wick_recording_move_up(low);
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
        (peer.uid != geteuid() && peer.uid != 0) || !seat(socket, -1, peer.pid)) {
        close(socket);
    }
}

static void answer(client *one, const char *text) {
    if (send(one->socket, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
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
        if (clients[i].socket >= 0 && clients[i].is_reader) {
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
        if (clients[i].socket >= 0 && clients[i].is_reader && count < WICK_STREAM_LIMIT) {
            sockets[count] = clients[i].socket;
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
        if (clients[i].socket >= 0 && clients[i].is_reader) {
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
    while (recv(one->socket, one->line, LINE_BYTES, MSG_DONTWAIT) > 0) {
    }
    wick_agent_stop();
    leave(one);
    record_for_readers(NULL);
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
    if (one->other_end >= 0) {
        // The client has its own by now.
        close(one->other_end);
        one->other_end = -1;
        struct ucred peer;
        socklen_t size = sizeof(peer);
        one->pid = getsockopt(one->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
    }
    one->pid = (pid_t)number(line, "client", (uint64_t)one->pid);
    if (strncmp(line, "record", 6) == 0) {
        record(one, line);
    } else if (strncmp(line, "stop", 4) == 0) {
        bool stopped = wick_agent_stop() == WICK_RESULT_OK;
        answer(one, stopped ? "ok\n" : "error idle\n");
        leave(one);
        let_readers_go();
    } else if (strncmp(line, "status", 6) == 0) {
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
    ssize_t got = recv(one->socket, one->line + one->length, LINE_BYTES - 1 - one->length,
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

/// Whether a descriptor is still a socket: some hosts close all descriptors.
static bool is_socket(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

/// Serves until nobody wants it. Returns at once when descriptors were closed by the host.
static void serve(void) {
    uint64_t opened_ms = now_ms();
    bool had_client = false;
    for (;;) {
        struct pollfd entries[CLIENT_LIMIT + 2] = {{.fd = bell, .events = POLLIN},
                                                   {.fd = door, .events = POLLIN}};
        size_t places[CLIENT_LIMIT], count = 0;
        uint64_t wake_ms = UINT64_MAX;
        for (size_t i = 0; i < CLIENT_LIMIT; i++) {
            const client *one = &clients[i];
            if (one->socket < 0) {
                continue;
            }
            if (!one->is_reader && one->deadline_ms < wake_ms) {
                wake_ms = one->deadline_ms;
            }
            entries[2 + count] = (struct pollfd){.fd = one->socket, .events = POLLIN | POLLRDHUP};
            places[count++] = i;
        }
        had_client |= count > 0;
        if (had_client && atomic_load(&stay) == WICK_CONTROL_GUEST && count == 0) {
            return;
        }
        if (!is_wanted(opened_ms, count)) {
            return;
        }
        if (count == 0 && atomic_load(&stay) == WICK_CONTROL_GUEST) {
            wake_ms = opened_ms + GUEST_MS;
        }
        uint64_t now = now_ms();
        int timeout = wake_ms == UINT64_MAX ? -1 : wake_ms <= now ? 0 : (int)(wake_ms - now) + 1;
        poll(entries, (nfds_t)(2 + count), timeout);
        if ((entries[0].revents | entries[1].revents) & (POLLNVAL | POLLERR) ||
            (door >= 0 && !is_socket(door))) {
            return;
        }
        uint64_t rung;
        if (entries[0].revents && read(bell, &rung, sizeof(rung)) < 0) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            client *one = &clients[places[i]];
            if (one->socket >= 0 && one->socket == entries[2 + i].fd && entries[2 + i].revents) {
                listen_to(one);
            }
        }
        now = now_ms();
        for (size_t i = 0; i < CLIENT_LIMIT; i++) {
            client *one = &clients[i];
            if (one->socket >= 0 && !one->is_reader && one->deadline_ms <= now) {
                leave(one);
            }
        }
        // It ended by itself: what a request ended has been seen to.
        if (atomic_load(&recording_ended) && !wick_agent_status().is_recording) {
            let_readers_go();
        }
        if (entries[1].revents & POLLIN) {
            welcome();
        }
    }
}

static void *main_of_thread(void *unused) {
    (void)unused;
    prctl(PR_SET_NAME, "wick-control");
    atomic_store(&thread_id, (pid_t)syscall(SYS_gettid));
    for (;;) {
        serve();
        if (reader_of_recording()) {
            wick_agent_stop();
        }
        pthread_mutex_lock(&opening);
        if (!is_called) {
            break;
        }
        // It came just as the last one left.
        is_called = false;
        pthread_mutex_unlock(&opening);
    }
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        if (clients[i].socket >= 0) {
            leave(&clients[i]);
        }
    }
    wick_control_remove_path();
    if (door >= 0) {
        close(door);
    }
    close(bell);
    door = bell = -1;
    atomic_store(&stay, WICK_CONTROL_CLOSED);
    atomic_store(&thread_id, 0);
    atomic_store(&is_serving, 0);
    pthread_mutex_unlock(&opening);
    syscall(SYS_futex, &is_serving, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    return NULL;
}

/// `opening` is held.
static int start(void) {
    for (size_t i = 0; i < CLIENT_LIMIT; i++) {
        clients[i] = (client){.socket = -1, .other_end = -1};
    }
    int low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (low < 0) {
        return errno;
    }
    bell = wick_recording_move_up(low);
    // Without a door (no folder can be written) the connection of `wick_control_connect` still works.
    open_door();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    atomic_store(&is_serving, 1);
    int error = pthread_create(&thread, &attributes, main_of_thread, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) {
        wick_control_remove_path();
        atomic_store(&is_serving, 0);
        if (door >= 0) {
            close(door);
        }
        close(bell);
        door = bell = -1;
    }
    return error;
}

int wick_control_open(wick_control_stay wanted) {
    pthread_mutex_lock(&opening);
    if (atomic_load(&stay) < (uint32_t)wanted) {
        atomic_store(&stay, wanted);
    }
    int error = 0;
    if (atomic_load(&is_serving)) {
        is_called = true;
        ring();
    } else {
        is_called = false;
        error = start();
        if (error) {
            atomic_store(&stay, WICK_CONTROL_CLOSED);
        }
    }
    pthread_mutex_unlock(&opening);
    return error;
}

int wick_control_connect(void) {
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
            if (clients[i].socket >= 0 && is_socket(clients[i].socket)) {
                close(clients[i].socket);
            }
            if (clients[i].other_end >= 0 && is_socket(clients[i].other_end)) {
                close(clients[i].other_end);
            }
        }
        if (door >= 0 && is_socket(door)) {
            close(door);
        }
        if (bell >= 0) {
            close(bell);
        }
    }
    door = bell = -1;
    path[0] = 0;
    opening = seating = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    atomic_store(&stay, WICK_CONTROL_CLOSED);
    atomic_store(&thread_id, 0);
    atomic_store(&is_serving, 0);
}
