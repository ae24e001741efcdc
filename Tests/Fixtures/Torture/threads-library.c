// A library whose constructor waits for a thread, which makes a thread: harmless as long as the
// making of threads does not need the loader, which is busy with the constructor.
#include <pthread.h>
#include <stddef.h>

static void *end(void *unused) {
    return unused;
}

static void *make_another(void *unused) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, end, NULL) == 0) {
        pthread_join(thread, NULL);
    }
    return unused;
}

__attribute__((constructor)) static void begin(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, make_another, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}
