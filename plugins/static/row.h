/* A row between its file and the ABI: texts by column, and what is more than text. */
#ifndef ISOCOST_STATIC_ROW_H
#define ISOCOST_STATIC_ROW_H

#include "reader.h"

/* The columns of each table: name of the constant, name in the header, whether the header must
 * have it. Documented in docs/reference/catalog-files.md; a test compares. */
#define ISO_OFFERING_COLUMNS(X)                \
    X(PROVIDER, "provider", false)             \
    X(REGION, "region", false)                 \
    X(ZONE, "zone", false)                     \
    X(TYPE, "type", true)                      \
    X(OS, "os", false)                         \
    X(PURCHASE, "purchase", true)              \
    X(PRICE, "price", true)                    \
    X(CURRENCY, "currency", false)             \
    X(PRICE_UNIT, "price_unit", false)         \
    X(LOT, "lot", false)                       \
    X(NATIVE_ID, "native_id", false)           \
    X(KIND, "kind", false)                     \
    X(FAMILY, "family", false)                 \
    X(ARCH, "arch", false)                     \
    X(TENANCY, "tenancy", false)               \
    X(VCPU, "vcpu", false)                     \
    X(MEMORY_GIB, "memory_gib", false)         \
    X(GPU, "gpu", false)                       \
    X(GPU_MEMORY_GIB, "gpu_memory_gib", false) \
    X(LOCAL_DISK_GIB, "local_disk_gib", false) \
    X(DISK_GIB, "disk_gib", false)             \
    X(NETWORK_GBPS, "network_gbps", false)     \
    X(IOPS, "iops", false)                     \
    X(GPU_MODEL, "gpu_model", false)           \
    X(STATUS, "status", false)                 \
    X(AVAILABILITY, "availability", false)     \
    X(LABELS, "labels", false)                 \
    X(OBSERVED_AT, "observed_at", false)       \
    X(SOURCE, "source", false)

#define ISO_PRODUCT_COLUMNS(X)                           \
    X(ID, "id", true)                                    \
    X(PROVIDER, "provider", false)                       \
    X(DISPLAY_NAME, "display_name", false)               \
    X(KIND, "kind", true)                                \
    X(ELIGIBLE, "eligible", true)                        \
    X(EXCLUDE, "exclude", false)                         \
    X(TERM_HOURS, "term_hours", true)                    \
    X(HOURLY_FEE, "hourly_fee", false)                   \
    X(UPFRONT, "upfront", false)                         \
    X(CURRENCY, "currency", false)                       \
    X(UNITS, "units", false)                             \
    X(PRICE_RATIO, "price_ratio", false)                 \
    X(LOT, "lot", false)                                 \
    X(PURCHASABLE_MAXIMUM, "purchasable_maximum", false) \
    X(SOURCE, "source", false)

#define ISO_QUOTA_COLUMNS(X)         \
    X(PROVIDER, "provider", false)   \
    X(REGION, "region", false)       \
    X(CODE, "code", true)            \
    X(SCOPE, "scope", false)         \
    X(EXCLUDE, "exclude", false)     \
    X(RESOURCE, "resource", false)   \
    X(LIMIT, "limit", true)          \
    X(USED, "used", false)           \
    X(UNLIMITED, "unlimited", false) \
    X(OBSERVED_AT, "observed_at", false)

#define ISO_OVERLAY_COLUMNS(X)             \
    X(OFFERINGS, "offerings", true)        \
    X(EXCLUDE, "exclude", false)           \
    X(PRICE, "price", false)               \
    X(CURRENCY, "currency", false)         \
    X(PRICE_FACTOR, "price_factor", false) \
    X(STATUS, "status", false)             \
    X(AVAILABILITY, "availability", false) \
    X(VALID_FROM, "valid_from", false)     \
    X(VALID_UNTIL, "valid_until", false)   \
    X(NOTE, "note", false)

#define ISO_EGRESS_RATE_COLUMNS(X)        \
    X(PROVIDER, "provider", false)        \
    X(REGION, "region", false)            \
    X(TO, "to", true)                     \
    X(FROM_GB, "from_gb", false)          \
    X(PRICE_PER_GB, "price_per_gb", true) \
    X(CURRENCY, "currency", false)        \
    X(VALID_FROM, "valid_from", false)    \
    X(VALID_UNTIL, "valid_until", false)  \
    X(SOURCE, "source", false)            \
    X(OBSERVED_AT, "observed_at", false)

enum iso_offering_column {
#define X(constant, name, required) ISO_OFFERING_##constant,
    ISO_OFFERING_COLUMNS(X)
#undef X
        ISO_OFFERING_N_COLUMNS
};

enum iso_product_column {
#define X(constant, name, required) ISO_PRODUCT_##constant,
    ISO_PRODUCT_COLUMNS(X)
#undef X
        ISO_PRODUCT_N_COLUMNS
};

enum iso_quota_column {
#define X(constant, name, required) ISO_QUOTA_##constant,
    ISO_QUOTA_COLUMNS(X)
#undef X
        ISO_QUOTA_N_COLUMNS
};

enum iso_overlay_column {
#define X(constant, name, required) ISO_OVERLAY_##constant,
    ISO_OVERLAY_COLUMNS(X)
#undef X
        ISO_OVERLAY_N_COLUMNS
};

enum iso_egress_rate_column {
#define X(constant, name, required) ISO_EGRESS_RATE_##constant,
    ISO_EGRESS_RATE_COLUMNS(X)
#undef X
        ISO_EGRESS_RATE_N_COLUMNS
};

#define ISO_ROW_MAX_COLUMNS ISO_OFFERING_N_COLUMNS /* the widest table */

/* The columns of a table. */
struct iso_table {
    const struct iso_column *columns;
    size_t n_columns;
    const char *word; /* plural, as in file names: "offerings" */
};
extern const struct iso_table iso_tables[ISO_FILE_N_TABLES];

struct iso_row {
    struct iso_static_reader *reader;
    enum iso_file_kind kind;               /* a table */
    const char *place;                     /* "file:line" */
    const char *text[ISO_ROW_MAX_COLUMNS]; /* by column; NULL: not there */

    /* What JSON gives apart from text; a table gives them as text. */
    const struct iso_plugin_label *labels;
    size_t n_labels;
    struct iso_plugin_selector selector; /* eligible, scope or offerings */
    bool has_selector;
    const struct iso_plugin_rate *rates;
    size_t n_rates;

    bool refused;           /* a diagnostic was sent for the row */
    enum iso_status status; /* of the sink; ISO_OK while it takes rows */
    struct iso_error *error;
};

/* Sends a diagnostic that stands for the row, the first time; the row is then left out. */
__attribute__((format(printf, 3, 4))) void iso_row_refuse(struct iso_row *row, const char *code,
                                                          const char *format, ...);

/* Judges the row's form and sends it, or refuses it. Errors: those of the sink. */
enum iso_status iso_row_send(struct iso_row *row, struct iso_error *reterr);

/* Reading a cell; what cannot be read refuses the row. */
struct iso_amount iso_row_amount(struct iso_row *row, int column);
/* A price has reasons of its own. Zero is sent: the server judges it. */
struct iso_amount iso_row_price(struct iso_row *row, int column, bool required);
int32_t iso_row_word(struct iso_row *row, int column, const void *words);
int64_t iso_row_time(struct iso_row *row, int column);
const char *iso_row_day(struct iso_row *row, int column); /* as it is written; NULL: not there */
const char *iso_row_text(const struct iso_row *row, int column);
void iso_row_require(struct iso_row *row, int column);
/* Where a row does not say these two, the parameters do. The currency is in upper case: "usd"
 * cannot mean anything but USD. */
const char *iso_row_provider(const struct iso_row *row, int column);
const char *iso_row_currency(struct iso_row *row, int column);
/* Name of a column. */
const char *iso_row_column(const struct iso_row *row, int column);

#endif
