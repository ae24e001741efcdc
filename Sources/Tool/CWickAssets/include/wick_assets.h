// Script and style of the pages that the tool writes, as the bytes of the files beside this target.
#pragma once

#include <stddef.h>

/// The script of a flame graph SVG. `*byte_count` receives its length; not terminated.
const char *wick_asset_flamegraph_js(size_t *byte_count);

/// The style sheet of a flame graph SVG. `*byte_count` receives its length; not terminated.
const char *wick_asset_flamegraph_css(size_t *byte_count);

/// The style sheet of annotated sources. `*byte_count` receives its length; not terminated.
const char *wick_asset_annotate_css(size_t *byte_count);
