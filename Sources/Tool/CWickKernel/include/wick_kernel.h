// What Swift cannot do by itself: variadic system calls, signal handlers, the heap's settings.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Opens and closes a perf task-clock event as the agent does (perf_event_open(2)); 0 or the errno.
int wick_kernel_probe_perf(void);

/// Whether a file gives its program rights of its own (capabilities(7)).
bool wick_kernel_has_capabilities(const char *path);

/// From now on SIGINT, SIGTERM and SIGHUP end this program with 128 + n after writing `line` (a
/// copy is kept; what exceeds 4 KiB is cut) to standard error; those that are ignored stay so.
void wick_kernel_leave_on_signals(const char *line);

/// Prepares the heap for tables that are about as large as an input of `byte_count` bytes: new
/// memory costs a page fault per 4 KiB, in virtual machines as much as reading and merging the text
/// that goes there, so the kernel is asked for large pages, and what is freed is kept. All of this is
/// advice, which other threads need not know of; nothing is done for small inputs.
void wick_kernel_prepare_heap(size_t byte_count);

/// ptrace(2) by the system call, whose arguments are not variadic; 0 or an errno.
int wick_kernel_ptrace(int request, pid_t tid, void *address, void *data);

/// Takes a copy of another process's descriptor, as pidfd_getfd(2); it, or a negative errno.
int wick_kernel_take_descriptor(pid_t pid, int descriptor);

/// Copies memory of another process (process_vm_readv(2), which Swift is not shown); returns how many
/// bytes, which are fewer where a page cannot be read.
size_t wick_kernel_read_memory(pid_t pid, uintptr_t address, void *buffer, size_t byte_count);

/// Writes memory of another process (process_vm_writev(2)); returns whether all was written.
bool wick_kernel_write_memory(pid_t pid, uintptr_t address, const void *bytes, size_t byte_count);

/// The process at the other end of a unix socket (SO_PEERCRED, see unix(7)); 0 if it cannot be told.
pid_t wick_kernel_peer(int socket);

/// Takes an abstract name for unix sockets (unix(7)), which only one process can have at a time, as
/// long as the descriptor is open; it, or a negative errno: EADDRINUSE if somebody has the name.
int wick_kernel_hold_name(const char *name);
