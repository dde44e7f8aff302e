/* What compiled selectors are made of, for those that match and those that index them. */
#ifndef ISOCOST_SERVER_SELECTOR_PARTS_H
#define ISOCOST_SERVER_SELECTOR_PARTS_H

#include "selector.h"

struct iso_pattern {
    const char *text; /* lower case, without the `*` */
    uint32_t length;
    bool prefix; /* any rest may follow */
};

struct iso_patterns {
    size_t n; /* 0: everything */
    struct iso_pattern *items;
};

enum iso_selector_field {
    ISO_FIELD_PROVIDER,
    ISO_FIELD_REGION,
    ISO_FIELD_ZONE,
    ISO_FIELD_FAMILY,
    ISO_FIELD_TYPE,
    ISO_FIELD_ARCH,
    ISO_FIELD_OS,
    ISO_FIELD_OFFERING,
    ISO_N_FIELDS
};

struct iso_selector_label {
    const char *line; /* "key=value\n", or "key=prefix" */
    bool prefix;
};

struct iso_selector_term {
    struct iso_patterns fields[ISO_N_FIELDS];
    uint32_t purchases, kinds; /* bit sets of enum values; 0: everything */
    size_t n_labels;
    struct iso_selector_label *labels;
};

struct iso_selector {
    size_t n_include, n_exclude;
    struct iso_selector_term *include, *exclude;
};

static inline char iso_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What the offering has in a field; its letter case may be any. */
const char *iso_selector_text(const struct iso_snapshot_offering *offering,
                              enum iso_selector_field field);

#endif
