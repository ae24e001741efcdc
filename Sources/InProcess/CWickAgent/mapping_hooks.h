// Memory that is mapped without an allocator, followed on request: mmap and munmap of anonymous memory.
#pragma once

/// Normal threads only, one at a time.
void wick_mapping_hook(void);

/// Puts the hooks into modules that were loaded since. Writer thread only.
void wick_mapping_hook_again(void);

void wick_mapping_unhook(void);
