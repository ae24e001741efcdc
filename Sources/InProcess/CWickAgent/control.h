// The agent's door: a unix socket in a private folder, served by a thread of its own, which answers
// one line with one line. See `control_clients.c` for the protocol.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// How long the door stays open.
typedef enum : uint32_t {
    WICK_CONTROL_CLOSED = 0,
    /// As long as something is recorded.
    WICK_CONTROL_RECORDING = 1,
    /// As long as somebody is connected: the agent was brought in from outside.
    WICK_CONTROL_GUEST = 2,
    /// Until the process ends.
    WICK_CONTROL_IDLE = 3,
} wick_control_stay;

/// Opens the door, or lets it stay longer. 0 or an errno. Never waits for a client.
int wick_control_open(wick_control_stay stay);

/// A connection to the door that needs no path: the client's end, to be taken out of the process by
/// whoever brought the agent in (pidfd_getfd(2)); closed here once a request has come. A descriptor,
/// or a negative errno.
int wick_control_connect(void);

/// The recording has ended: clients that it went to are let go. From the writer thread.
void wick_control_note_end(void);

/// Closes the door if it was open for a recording only. Waits for the thread, at most 200 ms, unless
/// the thread itself calls.
void wick_control_close_after_recording(void);

/// The process ends: only the path is removed.
void wick_control_remove_path(void);

/// The thread that serves, which is never sampled; 0 if there is none.
pid_t wick_control_tid(void);

/// In a fork's child: closes what was inherited.
void wick_control_forget(void);
