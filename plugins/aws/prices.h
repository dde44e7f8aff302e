/* A price as the price list tells it, from a row of a CSV file or from GetProducts. */
#ifndef ISOCOST_AWS_PRICES_H
#define ISOCOST_AWS_PRICES_H

#include "aws.h"

/* Name of the constant, column of a CSV file, attribute of a product in JSON (NULL: not one). */
#define ISO_AWS_PRICE_FIELDS(X)                             \
    X(SKU, "SKU", NULL)                                     \
    X(TERM_TYPE, "TermType", NULL)                          \
    X(EFFECTIVE, "EffectiveDate", NULL)                     \
    X(TIER_FROM, "StartingRange", NULL)                     \
    X(UNIT, "Unit", NULL)                                   \
    X(PRICE, "PricePerUnit", NULL)                          \
    X(CURRENCY, "Currency", NULL)                           \
    X(LEASE, "LeaseContractLength", NULL)                   \
    X(PAYMENT, "PurchaseOption", NULL)                      \
    X(CLASS, "OfferingClass", NULL)                         \
    X(PRODUCT_FAMILY, "Product Family", NULL)               \
    X(PLACE, "Location Type", "locationType")               \
    X(TYPE, "Instance Type", "instanceType")                \
    X(TENANCY, "Tenancy", "tenancy")                        \
    X(SYSTEM, "Operating System", "operatingSystem")        \
    X(LICENSE, "License Model", "licenseModel")             \
    X(CAPACITY, "CapacityStatus", "capacitystatus")         \
    X(MARKET, "MarketOption", "marketoption")               \
    X(SOFTWARE, "Pre Installed S/W", "preInstalledSw")      \
    X(OPERATION, "operation", "operation")                  \
    X(VCPU, "vCPU", "vcpu")                                 \
    X(MEMORY, "Memory", "memory")                           \
    X(STORAGE, "Storage", "storage")                        \
    X(GPU, "GPU", "gpu")                                    \
    X(PROCESSOR, "Physical Processor", "physicalProcessor") \
    X(CURRENT, "Current Generation", "currentGeneration")

enum iso_aws_price_field {
#define X(constant, column, attribute) ISO_AWS_PRICE_##constant,
    ISO_AWS_PRICE_FIELDS(X)
#undef X
        ISO_AWS_PRICE_N_FIELDS
};

/* Text by field; "" where there is none. */
struct iso_aws_price_row {
    const char *text[ISO_AWS_PRICE_N_FIELDS];
    const char *place; /* for diagnostics */
};

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
