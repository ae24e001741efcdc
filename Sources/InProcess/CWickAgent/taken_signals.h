// The signals that are ours while we sample: taken from the host, what is not ours passed on to it,
// and given back.
#pragma once

#include <signal.h>
#include <stdbool.h>

/// Takes a signal, SIGTRAP or SIGPROF, and remembers the action that was there. Idempotent; takes it
/// again if the host took it without our seeing it. False with errno set if the kernel refuses.
bool wick_signal_take(int number, void (*handler)(int, siginfo_t *, void *));

/// Whether the kernel's action of a signal is still ours.
bool wick_signal_is_taken(int number);

/// Gives a signal back to the host, once nothing is armed that sends it, if no signal of ours can
/// come any more: what comes late would meet an action that ends the process. Returns whether it
/// was given back; else our handler stays, which passes on what is not ours. Normal threads only.
bool wick_signal_give_back(int number);

/// Before exec, which resets what has a handler: signals that the host ignores are ignored again.
void wick_signals_hand_on(void);

/// In a fork's child, where nothing of ours is pending: gives all signals back.
void wick_signals_give_back_in_child(void);

/// The host asks for the action of a signal, or sets it: if the signal is ours, the host's wish is
/// kept for signals that are not ours, and our handler stays. False if the signal is not ours; then
/// nothing is done. Any thread; also from a handler, as sigaction may be called there.
bool wick_signal_replace_previous(int number, const struct sigaction *action,
                                  struct sigaction *old);

/// SIGNAL-SAFE. Whether the host has the action for a taken signal that ends the process.
bool wick_signal_is_deadly(int number);

/// SIGNAL-SAFE. Does with a signal that is not ours what would have been done without us.
void wick_signal_pass_on(int number, siginfo_t *info, void *context);
