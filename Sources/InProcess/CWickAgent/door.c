#include "door.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "recording.h"

enum {
    BACKLOG = 8,
    /// Another agent may remove the empty folder between two calls of ours.
    ATTEMPTS = 4,
    /// Who is just about to listen is left alone.
    SETTLED_S = 10,
    /// Paths that are tried at most in one sweep.
    SWEEP_LIMIT = 64,
};

/// The process that the door is in. A child by the system call itself must not remove its path.
static pid_t owner;
static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static size_t folder_length;

static struct sockaddr_un address_of(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    return address;
}

/// Whether `path` is a folder of this user's alone, where files can be made.
static bool is_private_folder(void) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & 077) == 0 && access(path, W_OK | X_OK) == 0;
}

/// A socket that listens in a place, or a negative errno.
static int open_in(const char *place) {
    folder_length =
        (size_t)snprintf(path, sizeof(path), "%s/wick-%u", place, (unsigned)geteuid());
    mkdir(path, 0700);
    if (!is_private_folder()) {
        return -EACCES;
    }
    snprintf(path + folder_length, sizeof(path) - folder_length, "/%d-%llu.sock", (int)getpid(),
             (unsigned long long)wick_proc_start_ticks());
    // Only an earlier image of this process can have had this name.
    unlink(path);
    int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (low < 0) {
        return -errno;
    }
    int door = wick_recording_move_up(low);
    struct sockaddr_un address = address_of(path);
    if (bind(door, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(door, BACKLOG) == 0) {
        return door;
    }
    int error = errno;
    close(door);
    return -error;
}

int wick_door_open(void) {
    static const char *const places[] = {"/run", "/tmp", "/dev/shm", "/var/tmp"};
    owner = getpid();
    int door = -EACCES;
    for (size_t i = 0; door < 0 && i < sizeof(places) / sizeof(places[0]); i++) {
        int attempts = 0;
        do {
            door = open_in(places[i]);
        } while (door == -ENOENT && ++attempts < ATTEMPTS);
    }
    if (door < 0) {
        path[0] = 0;
    }
    return door;
}

void wick_door_remove_path(void) {
    if (path[0] && owner == getpid()) {
        unlink(path);
        path[folder_length] = 0;
        rmdir(path);
        path[0] = 0;
    }
}

/// Whether nobody listens at a path of the folder any more.
static bool is_left(int folder, const char *name) {
    pid_t pid = (pid_t)strtoul(name, NULL, 10);
    struct stat status;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    // Ids may be those of another namespace: a process that is not here may well live there.
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH ||
        fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISSOCK(status.st_mode) ||
        status.st_mtim.tv_sec + SETTLED_S > now.tv_sec) {
        return false;
    }
    char whole[sizeof(path)];
    int size = snprintf(whole, sizeof(whole), "%.*s/%s", (int)folder_length, path, name);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return false;
    }
    struct sockaddr_un address = address_of(whole);
    bool is_refused = size > 0 && (size_t)size < sizeof(whole) &&
                      connect(probe, (struct sockaddr *)&address, sizeof(address)) != 0 &&
                      errno == ECONNREFUSED;
    close(probe);
    return is_refused;
}

void wick_door_sweep(void) {
    if (!path[0]) {
        return;
    }
    char name[sizeof(path)];
    snprintf(name, sizeof(name), "%.*s", (int)folder_length, path);
    int folder = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        return;
    }
    _Alignas(struct dirent64) char entries[4096];
    long got;
    size_t tried = 0;
    while ((got = syscall(SYS_getdents64, folder, entries, sizeof(entries))) > 0) {
        for (long offset = 0; offset < got && tried < SWEEP_LIMIT;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + offset);
            offset += entry->d_reclen;
            if (entry->d_type == DT_SOCK && is_left(folder, entry->d_name)) {
                unlinkat(folder, entry->d_name, 0);
                tried++;
            }
        }
    }
    close(folder);
}

void wick_door_forget(void) {
    path[0] = 0;
}
