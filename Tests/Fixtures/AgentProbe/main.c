// A host with habits that an agent could disturb. `WickAgentProbe MODE` exits with 0 if all is as
// it would be without an agent; each of the other files has the modes of one duty.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

int main(int argc, char **argv) {
    // Test runners start programs from threads that block signals, and a mask is inherited.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    static const probe_mode *const tables[] = {process_modes, thread_modes,  signal_modes,
                                               stack_modes,   end_modes,     call_modes,
                                               library_modes, confined_modes};
    for (size_t i = 0; argc > 1 && i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const probe_mode *mode = tables[i]; mode->name; mode++) {
            if (strcmp(argv[1], mode->name) == 0) {
                return mode->run(argv + 2);
            }
        }
    }
    fprintf(stderr, "usage: %s MODE\n", argv[0]);
    return 2;
}
