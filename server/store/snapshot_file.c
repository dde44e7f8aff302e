#include "snapshot_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "snapshot_format.h"

/* Pointers into the map, checked by check_map(). */
struct iso_snapshot {
    const unsigned char *map;
    size_t n_bytes;
    const struct snapshot_header *header;
    const struct snapshot_row *rows;
    const char *strings;
    const uint64_t *records;
    const unsigned char *payload;
};

void iso_snapshot_free(struct iso_snapshot *snapshot)
{
    if (!snapshot)
        return;
    if (snapshot->map)
        munmap((void *)(uintptr_t)snapshot->map, snapshot->n_bytes);
    free(snapshot);
}

static enum iso_status refuse(struct iso_error *reterr, const char *field, const char *text)
{
    return iso_fail(reterr, ISO_E_INVALID, field, "not a usable snapshot file: %s", text);
}

/* Records that the header counts. */
static uint32_t n_counted(const struct snapshot_header *header)
{
    return header->n_products + header->n_quotas + header->n_overlays;
}

/* All records: as many as there are offsets, less one. */
static uint32_t n_records(const struct snapshot_header *header)
{
    return (uint32_t)((header->payload_offset - header->records_offset) / 8 - 1);
}

/* Everything about the header that can be told from the header and the size of the file. */
static enum iso_status check_header(const struct snapshot_header *header, uint64_t n_bytes,
                                    struct iso_error *reterr)
{
    if (memcmp(header->magic, SNAPSHOT_MAGIC, sizeof(header->magic)) != 0)
        return refuse(reterr, "magic", "it does not begin with " SNAPSHOT_MAGIC);
    if (header->version < SNAPSHOT_VERSION_PLAIN || header->version > SNAPSHOT_VERSION_RATES)
        return iso_fail(reterr, ISO_E_INVALID, "version",
                        "snapshot file of version %u; this build reads versions %u to %u only",
                        header->version, SNAPSHOT_VERSION_PLAIN, SNAPSHOT_VERSION_RATES);
    if (header->header_check !=
        snapshot_check(header, offsetof(struct snapshot_header, header_check)))
        return refuse(reterr, "header", "the header is damaged");
    if (header->row_bytes != sizeof(struct snapshot_row))
        return refuse(reterr, "row_bytes", "rows have another size");
    if (header->file_bytes != n_bytes)
        return refuse(reterr, "file_bytes", "the file is cut short or too long");
    if (header->n_offerings > SNAPSHOT_MAX_ROWS || header->n_products > SNAPSHOT_MAX_RECORDS ||
        header->n_quotas > SNAPSHOT_MAX_RECORDS || header->n_overlays > SNAPSHOT_MAX_RECORDS)
        return refuse(reterr, "counts", "a count is too large");
    if (header->digest[ISO_DIGEST_TEXT_SIZE - 1] != '\0' ||
        strncmp(header->digest, "sha256:", 7) != 0 ||
        strlen(header->digest) != ISO_DIGEST_TEXT_SIZE - 1)
        return refuse(reterr, "digest", "the digest is malformed");

    uint64_t rows_end = header->rows_offset + (uint64_t)header->n_offerings * header->row_bytes;
    uint64_t counted_end = header->records_offset + ((uint64_t)n_counted(header) + 1) * 8;
    if (header->rows_offset != sizeof(*header) || header->strings_offset != rows_end ||
        header->records_offset % 8 != 0 || header->records_offset <= header->strings_offset ||
        header->records_offset > n_bytes || header->payload_offset < counted_end ||
        header->payload_offset % 8 != 0 || header->payload_offset > n_bytes ||
        (header->version == SNAPSHOT_VERSION_PLAIN) != (header->payload_offset == counted_end))
        return refuse(reterr, "offsets", "the sections do not fit into the file");
    if (n_records(header) - n_counted(header) > SNAPSHOT_MAX_RATES)
        return refuse(reterr, "counts", "a count is too large");
    return ISO_OK;
}

static enum iso_status check_rows(const struct iso_snapshot *snapshot, struct iso_error *reterr)
{
    uint64_t strings_bytes = snapshot->header->records_offset - snapshot->header->strings_offset;
    const char *previous = NULL;

    if (snapshot->strings[strings_bytes - 1] != '\0')
        return refuse(reterr, "strings", "the string table does not end with NUL");
    for (uint32_t i = 0; i < snapshot->header->n_offerings; i++) {
        const struct snapshot_row *row = &snapshot->rows[i];
        for (int s = 0; s < N_STRINGS; s++)
            if (row->strings[s] >= strings_bytes)
                return refuse(reterr, "rows", "a string lies outside of the string table");
        const char *wrong = snapshot_row_problem(row);
        if (wrong)
            return refuse(reterr, "rows", wrong);
        const char *id = snapshot->strings + row->strings[STRING_ID];
        if (previous && strcmp(previous, id) >= 0)
            return refuse(reterr, "rows", "the offerings are not sorted by id");
        previous = id;
    }
    return ISO_OK;
}

static enum iso_status check_records(const struct iso_snapshot *snapshot, struct iso_error *reterr)
{
    uint64_t payload_bytes = snapshot->n_bytes - snapshot->header->payload_offset;
    uint32_t n = n_records(snapshot->header);

    if (snapshot->records[0] != 0)
        return refuse(reterr, "records", "the first record does not begin at 0");
    for (uint32_t i = 0; i < n; i++)
        if (snapshot->records[i] > snapshot->records[i + 1])
            return refuse(reterr, "records", "the offsets of the records fall");
    if (snapshot->records[n] > payload_bytes)
        return refuse(reterr, "records", "a record reaches past the end of the file");
    return ISO_OK;
}

static enum iso_status check_map(struct iso_snapshot *snapshot, struct iso_error *reterr)
{
    const struct snapshot_header *header = (const void *)snapshot->map;

    ISO_TRY(check_header(header, snapshot->n_bytes, reterr));
    if (header->body_check !=
        snapshot_check(snapshot->map + sizeof(*header), snapshot->n_bytes - sizeof(*header)))
        return refuse(reterr, "body_check", "the file is damaged");
    snapshot->header = header;
    snapshot->rows = (const void *)(snapshot->map + header->rows_offset);
    snapshot->strings = (const char *)snapshot->map + header->strings_offset;
    snapshot->records = (const void *)(snapshot->map + header->records_offset);
    snapshot->payload = snapshot->map + header->payload_offset;
    ISO_TRY(check_rows(snapshot, reterr));
    return check_records(snapshot, reterr);
}

enum iso_status iso_snapshot_map(int fd, struct iso_snapshot **ret_snapshot,
                                 struct iso_error *reterr)
{
    ISO_AUTO(iso_snapshot) snapshot = iso_calloc(1, sizeof(*snapshot));
    struct stat status;

    if (!snapshot)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    if (fstat(fd, &status) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot look at the snapshot file: %s",
                        strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size < (off_t)sizeof(struct snapshot_header) ||
        status.st_size % 8 != 0)
        return refuse(reterr, "file_bytes", "it is not a regular file of a possible size");

    void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return iso_fail(reterr, ISO_E_IO, "", "cannot map the snapshot file: %s", strerror(errno));
    snapshot->map = map;
    snapshot->n_bytes = (size_t)status.st_size;
    ISO_TRY(check_map(snapshot, reterr));

    *ret_snapshot = ISO_STEAL(snapshot);
    return ISO_OK;
}

const char *iso_snapshot_digest(const struct iso_snapshot *snapshot)
{
    return snapshot->header->digest;
}

int32_t iso_snapshot_n_offerings(const struct iso_snapshot *snapshot)
{
    return (int32_t)snapshot->header->n_offerings;
}

int32_t iso_snapshot_n_products(const struct iso_snapshot *snapshot)
{
    return (int32_t)snapshot->header->n_products;
}

int32_t iso_snapshot_n_quotas(const struct iso_snapshot *snapshot)
{
    return (int32_t)snapshot->header->n_quotas;
}

int32_t iso_snapshot_n_overlays(const struct iso_snapshot *snapshot)
{
    return (int32_t)snapshot->header->n_overlays;
}

int32_t iso_snapshot_n_egress_rates(const struct iso_snapshot *snapshot)
{
    return (int32_t)(n_records(snapshot->header) - n_counted(snapshot->header));
}

void iso_snapshot_offering(const struct iso_snapshot *snapshot, int32_t index,
                           struct iso_snapshot_offering *ret_offering)
{
    ISO_ASSERT(index >= 0 && index < iso_snapshot_n_offerings(snapshot));
    snapshot_row_read(&snapshot->rows[index], snapshot->strings, ret_offering);
}

double iso_snapshot_hourly(const struct iso_snapshot_offering *offering)
{
    double price = iso_decimal_to_double(offering->price) * iso_decimal_to_double(offering->lot);

    return offering->price_unit == ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_MONTH ? price / 730 : price;
}

static void *unpack(const struct iso_snapshot *snapshot, const ProtobufCMessageDescriptor *type,
                    uint32_t record, struct iso_arena *arena)
{
    uint64_t begin = snapshot->records[record], end = snapshot->records[record + 1];

    return protobuf_c_message_unpack(type, iso_arena_allocator(arena), end - begin,
                                     snapshot->payload + begin);
}

Isocost__V1__CommitmentProduct *iso_snapshot_product(const struct iso_snapshot *snapshot,
                                                     int32_t index, struct iso_arena *arena)
{
    ISO_ASSERT(index >= 0 && index < iso_snapshot_n_products(snapshot));
    return unpack(snapshot, &isocost__v1__commitment_product__descriptor, (uint32_t)index, arena);
}

Isocost__V1__Quota *iso_snapshot_quota(const struct iso_snapshot *snapshot, int32_t index,
                                       struct iso_arena *arena)
{
    ISO_ASSERT(index >= 0 && index < iso_snapshot_n_quotas(snapshot));
    return unpack(snapshot, &isocost__v1__quota__descriptor,
                  snapshot->header->n_products + (uint32_t)index, arena);
}

Isocost__V1__Overlay *iso_snapshot_overlay(const struct iso_snapshot *snapshot, int32_t index,
                                           struct iso_arena *arena)
{
    ISO_ASSERT(index >= 0 && index < iso_snapshot_n_overlays(snapshot));
    return unpack(snapshot, &isocost__v1__overlay__descriptor,
                  snapshot->header->n_products + snapshot->header->n_quotas + (uint32_t)index,
                  arena);
}

Isocost__V1__EgressRate *iso_snapshot_egress_rate(const struct iso_snapshot *snapshot,
                                                  int32_t index, struct iso_arena *arena)
{
    ISO_ASSERT(index >= 0 && index < iso_snapshot_n_egress_rates(snapshot));
    return unpack(snapshot, &isocost__v1__egress_rate__descriptor,
                  n_counted(snapshot->header) + (uint32_t)index, arena);
}
