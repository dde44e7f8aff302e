/* Where a bill's header has what is wanted of it.
 *
 * Names are compared without case, blanks and punctuation, so "lineItem/UsageStartDate" and
 * "line_item_usage_start_date" are one name. A translated name with the original in parentheses,
 * "Maßeinheit (UnitOfMeasure)", is the original. */
#ifndef ISOCOST_FOCUS_COLUMNS_H
#define ISOCOST_FOCUS_COLUMNS_H

#include "reader.h"

/* What a row may say. A dialect has a column for some of them. */
enum iso_bill_field {
    ISO_BILL_PROVIDER,
    ISO_BILL_ACCOUNT,
    ISO_BILL_PAYER,
    ISO_BILL_RESOURCE,
    ISO_BILL_RESOURCE_NAME,
    ISO_BILL_REGION,
    ISO_BILL_REGION_NAME,
    ISO_BILL_ZONE,
    ISO_BILL_SERVICE,
    ISO_BILL_SERVICE_CODE,
    ISO_BILL_SKU,
    ISO_BILL_QUANTITY,
    ISO_BILL_UNIT,
    ISO_BILL_PRICING_QUANTITY,
    ISO_BILL_PRICING_UNIT,
    ISO_BILL_COMMITMENT,
    ISO_BILL_SECOND_COMMITMENT, /* AWS: a savings plan; Azure: a reservation */
    ISO_BILL_COMMITMENT_STATUS,
    ISO_BILL_CATEGORY,
    ISO_BILL_CLASS,
    ISO_BILL_FREQUENCY,
    ISO_BILL_PRICING,
    ISO_BILL_USAGE_TYPE,
    ISO_BILL_START,
    ISO_BILL_END,
    ISO_BILL_BILLED,
    ISO_BILL_EFFECTIVE,
    ISO_BILL_LIST,
    ISO_BILL_LIST_UNIT_PRICE,
    ISO_BILL_CURRENCY,
    ISO_BILL_TAGS,
    ISO_BILL_RESERVATION_EFFECTIVE, /* AWS, of usage under a reservation */
    ISO_BILL_PLAN_EFFECTIVE,        /* AWS, of usage under a savings plan */
    ISO_BILL_UNUSED_UPFRONT,        /* AWS, of a reservation's fee */
    ISO_BILL_UNUSED_RECURRING,
    ISO_BILL_PLAN_COMMITTED, /* AWS, of a savings plan's fee */
    ISO_BILL_PLAN_USED,
    ISO_BILL_N_FIELDS
};

struct iso_bill_row;

/* A column of a dialect: its field and its name, folded. The first that a header has counts. */
struct iso_bill_column {
    int field; /* enum iso_bill_field */
    const char *name;
};

/* How one kind of bill is written. */
struct iso_bill_dialect {
    const char *name;
    const char *signature; /* names that its header has, with '|' between; one of each group */
    const struct iso_bill_column *columns; /* ends with a row without name */
    const char *other;      /* further names that it may have, '|' around each; "abc*": any rest */
    const char *tag_prefix; /* of columns that are tags themselves, or NULL */
    const int *always; /* NULL: rows are whole; else they may leave out their last fields, but for
                        * these, which end with -1 */
    /* Fills row->cost, and refuses what it cannot read. */
    void (*read)(struct iso_bill_row *row);
};

extern const struct iso_bill_dialect iso_dialect_focus, iso_dialect_aws, iso_dialect_azure;

/* A header that was understood. */
struct iso_bill_columns {
    const struct iso_bill_dialect *dialect;
    size_t n;                          /* columns of the header */
    int32_t places[ISO_BILL_N_FIELDS]; /* -1: it has none */
    struct {
        int32_t place;
        char *key; /* owned */
    } * tags;      /* owned: columns that are tags themselves */
    size_t n_tags;
};
void iso_bill_columns_fini(struct iso_bill_columns *columns);

/* Understands a header, and reports each column without meaning once, and that names are
 * translated. Errors: ISO_E_INVALID (it is none of a bill), ISO_E_NOMEM, those of the sink. */
enum iso_status iso_bill_columns_bind(struct iso_focus_reader *reader, const char *const *header,
                                      size_t n_header, struct iso_bill_columns *ret_columns,
                                      struct iso_error *reterr);

#endif
