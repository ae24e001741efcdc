// An agent that was brought into a running process does not stand before the functions of libc that it
// must stand before (exec, sigaction, _exit): programs and libraries have looked them up long ago. So
// the places where they keep what they found, their global offset tables, are changed as long as the
// agent is at work, and changed back.
#pragma once

/// Puts the agent's functions into all tables; what is loaded later keeps libc's. Takes the loader's
/// list lock. Control thread only.
void wick_got_take(void);

/// Puts libc's functions back wherever the agent's still stand. Threads may still be in the agent's,
/// which pass everything on. Control thread only.
void wick_got_give_back(void);
