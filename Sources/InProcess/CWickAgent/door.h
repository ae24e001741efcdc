// Where the control socket is to be found: PLACE/wick-UID/PID-START.sock, in the first of some places
// where a folder of this user's alone can be had.
#pragma once

/// Makes the socket, which listens. A descriptor, or a negative errno.
int wick_door_open(void);

/// Removes its path, in the process that made it.
void wick_door_remove_path(void);

/// Removes paths of processes that were killed. Takes a moment; from a thread of ours.
void wick_door_sweep(void);

/// In a fork's child: the path is the parent's.
void wick_door_forget(void);
