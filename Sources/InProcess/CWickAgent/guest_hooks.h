// An agent that was brought into a running process does not stand before the functions of libc that it
// must stand before (exec, sigaction, _exit): programs and libraries have looked them up long ago. So it is
// put into their tables as long as it is at work.
#pragma once

/// Control thread only.
void wick_guest_hook(void);
void wick_guest_unhook(void);
