// A first use of the hooks where it cannot hurt: in a child process that the host does not notice.
#pragma once

#include <stdbool.h>

#include "arc_runtime.h"

/// Puts the hooks in place in a child of this process, takes references of an object of its own and
/// of values that are none, and gives them back. Whether all went as it must within two seconds;
/// this process is as before. Costs a fork. Normal threads only.
bool wick_arc_try(const wick_arc_runtime *runtime, void (*install)(const wick_arc_runtime *),
                  void (*observe_with)(wick_arc_observer *));
