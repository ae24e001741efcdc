// The choice of the engine: the best that works here, and the next one when it no longer does.
#pragma once

#include "wick_agent.h"
#include "writer.h"

/// Arms the best engine that works, or the one that was chosen, and notes in `session` which it is
/// and why not a better one. 0, or the errno of the last one tried.
int wick_ladder_start(wick_session *session, wick_engine_choice choice);

/// Takes the session's engine, which failed with `error`, out of use and arms the best of the
/// others. Returns false if there is none; then the session has no engine. Writer thread only.
bool wick_ladder_step_down(wick_session *session, int error);
