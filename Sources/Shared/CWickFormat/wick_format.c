// Compiles the header on its own, so that its assertions are checked in every build.
#include "wick_format.h"
