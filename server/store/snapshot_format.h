/* The bytes of a snapshot file; see snapshot_file.h for what they mean. Private to server/store. */
#ifndef ISOCOST_SERVER_SNAPSHOT_FORMAT_H
#define ISOCOST_SERVER_SNAPSHOT_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "isocost/base/decimal.h"
#include "isocost/base/sha256.h"
#include "isocost/problem.h"
#include "snapshot_file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "snapshots are mapped as they are");

#define SNAPSHOT_MAGIC "ISOSNAP1"
/* A file without rates of egress is of the first version, which older builds read. */
#define SNAPSHOT_VERSION_PLAIN 1u
#define SNAPSHOT_VERSION_RATES 2u
#define SNAPSHOT_MAX_ROWS 4000000u
#define SNAPSHOT_MAX_RECORDS 1000000u
#define SNAPSHOT_MAX_RATES 20000u /* each is compared with the others when it is added */

enum snapshot_string {
    STRING_ID,
    STRING_PROVIDER,
    STRING_REGION,
    STRING_ZONE,
    STRING_TYPE,
    STRING_OS,
    STRING_NATIVE_ID,
    STRING_FAMILY,
    STRING_ARCH,
    STRING_TENANCY,
    STRING_GPU_MODEL,
    STRING_SOURCE,
    STRING_LABELS,
    N_STRINGS
};

/* One offering. Strings are offsets into the string table; each ends with NUL. */
struct snapshot_row {
    uint32_t strings[N_STRINGS];
    int32_t purchase, kind, status, price_unit;
    char currency[4];
    int64_t price, lot, availability, capacity[ISO_N_RESOURCES], observed_ns;
};
_Static_assert(sizeof(struct snapshot_row) == 168, "the layout of a row never changes");

/* The sections follow each other in the order of their offsets here; each is a multiple of 8 bytes.
 * records: of the products, quotas, overlays and rates of egress in this order, one more than there
 * are u64 offsets into the payload, rising. What is beyond the counts are rates. */
struct snapshot_header {
    char magic[8];
    uint32_t version, row_bytes;
    uint64_t file_bytes;
    uint32_t n_offerings, n_products, n_quotas, n_overlays;
    uint64_t rows_offset, strings_offset, records_offset, payload_offset;
    uint64_t body_check; /* snapshot_check() of everything after the header */
    char digest[ISO_DIGEST_TEXT_SIZE];
    uint64_t header_check; /* snapshot_check() of everything before this field */
};
_Static_assert(sizeof(struct snapshot_header) % 8 == 0, "sections are aligned to 8");

/* A checksum against damage, not against malice; n_bytes is a multiple of 8. */
static inline uint64_t snapshot_check(const void *bytes, size_t n_bytes)
{
    const unsigned char *next = bytes;
    uint64_t sum = UINT64_C(0x9e3779b97f4a7c15) ^ n_bytes, word;

    for (size_t i = 0; i < n_bytes; i += sizeof(word)) {
        memcpy(&word, next + i, sizeof(word));
        sum = (sum ^ word) * UINT64_C(0xff51afd7ed558ccd);
        sum ^= sum >> 32;
    }
    return sum;
}

static inline uint64_t snapshot_align(uint64_t n_bytes)
{
    return (n_bytes + 7) & ~UINT64_C(7);
}

/* A row as readers see it; its texts are in `strings`. */
static inline void snapshot_row_read(const struct snapshot_row *row, const char *strings,
                                     struct iso_snapshot_offering *ret_offering)
{
    *ret_offering = (struct iso_snapshot_offering){
        .id = strings + row->strings[STRING_ID],
        .provider = strings + row->strings[STRING_PROVIDER],
        .region = strings + row->strings[STRING_REGION],
        .zone = strings + row->strings[STRING_ZONE],
        .type = strings + row->strings[STRING_TYPE],
        .os = strings + row->strings[STRING_OS],
        .native_id = strings + row->strings[STRING_NATIVE_ID],
        .family = strings + row->strings[STRING_FAMILY],
        .arch = strings + row->strings[STRING_ARCH],
        .tenancy = strings + row->strings[STRING_TENANCY],
        .gpu_model = strings + row->strings[STRING_GPU_MODEL],
        .source = strings + row->strings[STRING_SOURCE],
        .labels = strings + row->strings[STRING_LABELS],
        .purchase = row->purchase,
        .kind = row->kind,
        .status = row->status,
        .price_unit = row->price_unit,
        .price = row->price,
        .lot = row->lot,
        .availability = row->availability,
        .carbon = ISO_UNKNOWN,
        .observed_ns = row->observed_ns,
    };
    memcpy(ret_offering->currency, row->currency, sizeof(row->currency));
    memcpy(ret_offering->capacity, row->capacity, sizeof(row->capacity));
}

/* The number fields that builders and readers both insist on. Returns NULL or what is wrong. */
static inline const char *snapshot_row_problem(const struct snapshot_row *row)
{
    for (int i = 0; i < 3; i++)
        if (row->currency[i] < 'A' || row->currency[i] > 'Z')
            return "currency must be 3 letters A-Z";
    if (row->currency[3] != '\0')
        return "currency must be 3 letters A-Z";
    if (row->price <= 0)
        return "price must be above 0";
    if (row->lot <= 0)
        return "lot must be above 0";
    if (row->availability <= 0 || row->availability > ISO_DECIMAL_ONE)
        return "availability must be in (0, 1]";
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (row->capacity[k] < 0 && row->capacity[k] != ISO_UNKNOWN)
            return "capacities must be >= 0 or unknown";
    if (row->purchase != ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND &&
        row->purchase != ISOCOST__V1__PURCHASE__PURCHASE_SPOT)
        return "purchase must be on-demand or spot";
    if (row->kind < 0 || row->kind > ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_OTHER)
        return "kind is not one of isocost.v1.OfferingKind";
    if (row->status < 0 || row->status > ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_UNKNOWN)
        return "status is not one of isocost.v1.OfferingStatus";
    if (row->price_unit < 0 || row->price_unit > ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_MONTH)
        return "price_unit is not one of isocost.v1.PriceUnit";
    return NULL;
}

#endif
