/* A price as the price list tells it, from a row of a CSV file or from GetProducts. */
#ifndef ISOCOST_AWS_PRICES_H
#define ISOCOST_AWS_PRICES_H

#include "aws.h"

/* Name of the constant, column of a CSV file, attribute of a product in JSON (NULL: not one),
 * whether a file without the column is none. */
#define ISO_AWS_PRICE_FIELDS(X)                                    \
    X(SKU, "SKU", NULL, true)                                      \
    X(TERM_TYPE, "TermType", NULL, true)                           \
    X(EFFECTIVE, "EffectiveDate", NULL, true)                      \
    X(TIER_FROM, "StartingRange", NULL, false)                     \
    X(UNIT, "Unit", NULL, true)                                    \
    X(PRICE, "PricePerUnit", NULL, true)                           \
    X(CURRENCY, "Currency", NULL, true)                            \
    X(LEASE, "LeaseContractLength", NULL, false)                   \
    X(PAYMENT, "PurchaseOption", NULL, false)                      \
    X(CLASS, "OfferingClass", NULL, false)                         \
    X(PRODUCT_FAMILY, "Product Family", NULL, false)               \
    X(PLACE, "Location Type", "locationType", false)               \
    X(TYPE, "Instance Type", "instanceType", true)                 \
    X(TENANCY, "Tenancy", "tenancy", true)                         \
    X(SYSTEM, "Operating System", "operatingSystem", true)         \
    X(LICENSE, "License Model", "licenseModel", true)              \
    X(CAPACITY, "CapacityStatus", "capacitystatus", true)          \
    X(MARKET, "MarketOption", "marketoption", false)               \
    X(SOFTWARE, "Pre Installed S/W", "preInstalledSw", true)       \
    X(OPERATION, "operation", "operation", false)                  \
    X(VCPU, "vCPU", "vcpu", false)                                 \
    X(MEMORY, "Memory", "memory", false)                           \
    X(STORAGE, "Storage", "storage", false)                        \
    X(GPU, "GPU", "gpu", false)                                    \
    X(PROCESSOR, "Physical Processor", "physicalProcessor", false) \
    X(CURRENT, "Current Generation", "currentGeneration", false)

enum iso_aws_price_field {
#define X(constant, column, attribute, is_required) ISO_AWS_PRICE_##constant,
    ISO_AWS_PRICE_FIELDS(X)
#undef X
        ISO_AWS_PRICE_N_FIELDS
};

/* Text by field; "" where there is none. */
struct iso_aws_price_row {
    const char *text[ISO_AWS_PRICE_N_FIELDS];
    const char *place; /* for diagnostics */
};

/* Whether a row is of Linux without licences or software, shared, for one instance. */
bool iso_aws_is_wanted_price(const struct iso_aws_price_row *row);

/* Takes a row: those of other systems, tenancies, licences and markets are left out. Errors: those
 * of the sink; ISO_E_NOMEM. */
enum iso_status iso_aws_take_price(const struct iso_aws_fetch *fetch, struct iso_aws_region *region,
                                   const struct iso_aws_price_row *row, struct iso_error *reterr);

/* What a price row says of its type, where EC2 is not asked: shapes.c. */
enum iso_status iso_aws_take_shape(const struct iso_aws_fetch *fetch, struct iso_aws_region *region,
                                   const struct iso_aws_price_row *row, struct iso_error *reterr);

/* The two ways to the rows. */
enum iso_status iso_aws_read_price_file(const struct iso_aws_fetch *fetch,
                                        struct iso_aws_region *region, struct iso_error *reterr);
enum iso_status iso_aws_query_prices(const struct iso_aws_fetch *fetch,
                                     struct iso_aws_region *region, struct iso_error *reterr);

#endif
