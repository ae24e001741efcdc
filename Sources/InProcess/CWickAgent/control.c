#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "allocation.h"
#include "control_clients.h"
#include "door.h"
#include "guest_hooks.h"
#include "own_descriptor.h"
#include "recording.h"
#include "session.h"

enum { THREAD_STACK_BYTES = 256 << 10 };
enum : uint64_t { GUEST_MS = 1500, END_WAIT_MS = 200, REST_MS = 1000 };

/// Guards the start and end of the thread; never held while one serves.
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t stay;
static _Atomic pid_t thread_id;
/// 1 while the thread runs, a futex.
static _Atomic uint32_t is_serving;
static wick_own_descriptor door = {.number = -1};
/// A pipe: who closes all descriptors rings it, too.
static wick_own_descriptor bell = {.number = -1}, bell_rope = {.number = -1};

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

// MARK: the thread

static bool is_wanted(uint64_t opened_ms, size_t client_count) {
    switch ((wick_control_stay)atomic_load(&stay)) {
    case WICK_CONTROL_CLOSED: return false;
    case WICK_CONTROL_RECORDING:
    case WICK_CONTROL_IDLE: return true;
    case WICK_CONTROL_GUEST: return client_count > 0 || wick_clients_now_ms() < opened_ms + GUEST_MS;
    }
    return false;
}

/// Serves until nobody wants it (true), or the host has closed our descriptors (false).
static bool serve(void) {
    uint64_t opened_ms = wick_clients_now_ms();
    bool had_client = false;
    uint64_t rest_until_ms = 0;
    for (;;) {
        bool rests = wick_clients_now_ms() < rest_until_ms;
        uint64_t wake_ms = rests ? rest_until_ms : UINT64_MAX;
        struct pollfd entries[WICK_CLIENT_LIMIT + 2] = {
            {.fd = bell.number, .events = POLLIN},
            {.fd = rests ? -1 : door.number, .events = POLLIN}};
        size_t count = wick_clients_await(entries + 2, &wake_ms);
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
        uint64_t now = wick_clients_now_ms();
        int timeout = wake_ms == UINT64_MAX ? -1 : wake_ms <= now ? 0 : (int)(wake_ms - now) + 1;
        poll(entries, (nfds_t)(2 + count), timeout);
        if (!wick_is_own(&bell) || (door.number >= 0 && !wick_is_own(&door))) {
            return false;
        }
        if (entries[0].revents) {
            mute();
        }
        wick_clients_serve(entries + 2, count);
        if ((entries[1].revents & POLLIN) && !wick_clients_welcome(door.number)) {
            rest_until_ms = wick_clients_now_ms() + REST_MS;
        }
    }
}

/// `opening` is held.
static void close_all(void) {
    wick_clients_dismiss();
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
    wick_allocation_ignore_thread();
    wick_clients_look_at_users();
    wick_door_sweep();
    if (wick_agent_is_guest()) {
        wick_guest_hook();
    }
    for (;;) {
        bool is_whole = serve();
        if (wick_clients_have_reader()) {
            wick_agent_stop();
        }
        pthread_mutex_lock(&opening);
        // Somebody may have come in the meantime.
        wick_control_stay wanted = (wick_control_stay)atomic_load(&stay);
        if (!is_whole || wanted == WICK_CONTROL_CLOSED ||
            (wanted == WICK_CONTROL_GUEST && wick_clients_count() == 0)) {
            break;
        }
        pthread_mutex_unlock(&opening);
    }
    if (wick_agent_is_guest()) {
        wick_guest_unhook();
    }
    close_all();
    pthread_mutex_unlock(&opening);
    syscall(SYS_futex, &is_serving, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    return NULL;
}

/// `opening` is held.
static int start(wick_control_stay wanted) {
    wick_clients_reset();
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
    if (!wick_clients_seat(own, other, 0, GUEST_MS)) {
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
    wick_clients_note_end();
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
    uint64_t end = wick_clients_now_ms() + END_WAIT_MS;
    while (atomic_load(&is_serving) && wick_clients_now_ms() < end) {
        struct timespec timeout = {.tv_nsec = 20000000};
        syscall(SYS_futex, &is_serving, FUTEX_WAIT_PRIVATE, 1, &timeout, NULL, 0);
    }
}

pid_t wick_control_tid(void) {
    return atomic_load(&thread_id);
}

void wick_control_forget(void) {
    if (atomic_load(&is_serving)) {
        wick_clients_forget();
    }
    wick_disown(&door);
    wick_disown(&bell);
    wick_disown(&bell_rope);
    wick_door_forget();
    opening = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    atomic_store(&stay, WICK_CONTROL_CLOSED);
    atomic_store(&thread_id, 0);
    atomic_store(&is_serving, 0);
}
