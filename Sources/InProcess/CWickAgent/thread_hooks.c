// The preloaded agent stands before pthread_create, so that an engine that must arm each thread by
// itself does so before the thread's own code runs.
#include "threads.h"
#include "writer.h"

#ifdef WICK_PRELOAD

#include <pthread.h>
#include <stdlib.h>

#include "allocation.h"
#include "hooks.h"

typedef struct {
    void *(*function)(void *);
    void *argument;
} routine;

static void *begin(void *context) {
    routine own = *(routine *)context;
    free(context);
    wick_writer_thread_began();
    return own.function(own.argument);
}

WICK_NEXT(pthread_create)

WICK_HOOK int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                             void *(*function)(void *), void *argument) {
    if (!next_pthread_create) {
        find_pthread_create();  // Called from a constructor that runs before ours.
    }
    // Ours, not the program's: not followed.
    wick_allocation_mine.depth++;
    routine *own = wick_writer_is_running() ? malloc(sizeof(*own)) : NULL;
    wick_allocation_mine.depth--;
    if (!own) {
        return next_pthread_create(thread, attributes, function, argument);
    }
    *own = (routine){.function = function, .argument = argument};
    int error = next_pthread_create(thread, attributes, begin, own);
    if (error) {
        free(own);
    }
    return error;
}

#else

/// ISO C wants a declaration in every file.
typedef int wick_thread_hooks_are_preloaded_only;

#endif
