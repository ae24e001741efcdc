#include "wick_agent.h"
