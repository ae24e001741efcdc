// Who is connected to the control socket, and what they ask for. The protocol is described in
// control_clients.c. All of it is the control thread's, but for `wick_clients_seat`, which takes a place
// for a client that another thread connects, and `wick_clients_note_end`.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WICK_CLIENT_LIMIT = 8 };

/// Milliseconds of a clock that only goes forward.
uint64_t wick_clients_now_ms(void);

/// Frees all places.
void wick_clients_reset(void);

/// Looks whether the namespace of users that we are in has strangers, who are let in then.
void wick_clients_look_at_users(void);

/// Gives a connection a place, which is free again if nothing is asked for within `patience_ms`. False
/// if there is none. `other_end` is closed once a request has come; -1: none.
bool wick_clients_seat(int socket, int other_end, pid_t pid, uint64_t patience_ms);

/// Accepts whoever waits at the door and may come in. False if there are no descriptors to be had: who
/// waits outside would wake the thread for ever.
bool wick_clients_welcome(int door);

/// How many there are.
size_t wick_clients_count(void);

/// Whether what is recorded goes to one of them.
bool wick_clients_have_reader(void);

/// Fills entries for poll(2), one for each, and makes `*wake_ms` no later than the first deadline.
size_t wick_clients_await(struct pollfd *entries, uint64_t *wake_ms);

/// Does what those ask for that have something to say; lets go who waited too long, and the readers of
/// a recording that has ended by itself.
void wick_clients_serve(const struct pollfd *entries, size_t count);

/// A recording has ended. Any thread.
void wick_clients_note_end(void);

/// Lets all go.
void wick_clients_dismiss(void);

/// In a fork's child: closes what was inherited.
void wick_clients_forget(void);
