#include <gelf.h>
#include <libelf.h>
#include <sys/auxv.h>
