// First what every other module sees too: libevent's headers define _GNU_SOURCE, with which glibc
// declares some types differently, and then they would not be the same types.
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
