#include "wick_assets.h"

// One function around all parts: they share names with each other and with nobody else.
static const char flamegraph_js[] = {
    '(', '(', ')', '=', '>', '{', '\n', '"', 'u', 's', 'e', ' ', 's', 't', 'r', 'i', 'c', 't', '"', ';', '\n',
#embed "flamegraph-tree.js"
    ,
#embed "flamegraph-draw.js"
    ,
#embed "flamegraph-tools.js"
    ,
#embed "flamegraph-explore.js"
    ,
#embed "flamegraph.js"
    , '}', ')', '(', ')', ';', '\n',
};
static const char flamegraph_css[] = {
#embed "flamegraph.css"
};
static const char annotate_css[] = {
#embed "annotate.css"
};

const char *wick_asset_flamegraph_js(size_t *byte_count) {
    *byte_count = sizeof(flamegraph_js);
    return flamegraph_js;
}

const char *wick_asset_flamegraph_css(size_t *byte_count) {
    *byte_count = sizeof(flamegraph_css);
    return flamegraph_css;
}

const char *wick_asset_annotate_css(size_t *byte_count) {
    *byte_count = sizeof(annotate_css);
    return annotate_css;
}
