/* Collects the rows of a snapshot and writes its file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isocost/proto/digest.h"
#include "snapshot_file.h"
#include "snapshot_format.h"

/* A packed message with the key by which its kind is sorted. */
struct record {
    char *key;
    unsigned char *bytes;
    size_t n_bytes;
};

struct records {
    struct record *items;
    size_t n, capacity;
};

struct iso_snapshot_builder {
    struct snapshot_row *rows;
    size_t n_rows, rows_capacity;
    char *strings; /* interned, each with its NUL */
    size_t strings_bytes, strings_capacity;
    struct slot {
        uint32_t end; /* offset + 1; 0 = free */
        bool is_id;
    } * slots; /* open addressing; n_slots is a power of two */
    size_t n_slots, n_used;
    struct records products, quotas, overlays, egress_rates;
};

struct iso_snapshot_builder *iso_snapshot_builder_new(void)
{
    return iso_calloc(1, sizeof(struct iso_snapshot_builder));
}

static void free_records(struct records *records)
{
    for (size_t i = 0; i < records->n; i++) {
        free(records->items[i].key);
        free(records->items[i].bytes);
    }
    free(records->items);
}

void iso_snapshot_builder_free(struct iso_snapshot_builder *builder)
{
    if (!builder)
        return;
    free(builder->rows);
    free(builder->strings);
    free(builder->slots);
    free_records(&builder->products);
    free_records(&builder->quotas);
    free_records(&builder->overlays);
    free_records(&builder->egress_rates);
    free(builder);
}

void iso_snapshot_clear_overlays(struct iso_snapshot_builder *builder)
{
    free_records(&builder->overlays);
    builder->overlays = (struct records){0};
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

static size_t find_slot(const struct slot *slots, size_t n_slots, const char *strings,
                        const char *text)
{
    size_t at = hash_text(text) & (n_slots - 1);

    while (slots[at].end != 0 && strcmp(strings + slots[at].end - 1, text) != 0)
        at = (at + 1) & (n_slots - 1);
    return at;
}

static bool grow_slots(struct iso_snapshot_builder *builder)
{
    size_t n_slots = builder->n_slots ? 2 * builder->n_slots : 1024;
    struct slot *slots = iso_calloc(n_slots, sizeof(*slots));

    if (!slots)
        return false;
    for (size_t i = 0; i < builder->n_slots; i++)
        if (builder->slots[i].end != 0)
            slots[find_slot(slots, n_slots, builder->strings,
                            builder->strings + builder->slots[i].end - 1)] = builder->slots[i];
    free(builder->slots);
    builder->slots = slots;
    builder->n_slots = n_slots;
    return true;
}

/* Grows an array so that it holds `needed` elements. */
static bool reserve(void *address_of_array, size_t *capacity, size_t needed, size_t size)
{
    void *array;

    if (needed <= *capacity)
        return true;
    size_t larger = needed + needed / 2 + 16;
    memcpy(&array, address_of_array, sizeof(array));
    array = iso_realloc(array, larger, size);
    if (!array)
        return false;
    memcpy(address_of_array, &array, sizeof(array));
    *capacity = larger;
    return true;
}

/* Gives the slot of `text`, adding it to the string table if it is new. */
static enum iso_status intern(struct iso_snapshot_builder *builder, const char *text,
                              struct slot **ret_slot, struct iso_error *reterr)
{
    size_t n_bytes = strlen(text) + 1;

    if (2 * builder->n_used >= builder->n_slots && !grow_slots(builder))
        return no_memory(reterr);
    struct slot *slot =
        &builder->slots[find_slot(builder->slots, builder->n_slots, builder->strings, text)];
    if (slot->end == 0) {
        if (builder->strings_bytes + n_bytes >= UINT32_MAX)
            return iso_fail(reterr, ISO_E_LIMIT, "", "the texts of a snapshot exceed 4 GiB");
        if (!reserve(&builder->strings, &builder->strings_capacity,
                     builder->strings_bytes + n_bytes, 1))
            return no_memory(reterr);
        memcpy(builder->strings + builder->strings_bytes, text, n_bytes);
        slot->end = (uint32_t)builder->strings_bytes + 1;
        builder->strings_bytes += n_bytes;
        builder->n_used++;
    }
    *ret_slot = slot;
    return ISO_OK;
}

enum iso_status iso_snapshot_add_offering(struct iso_snapshot_builder *builder,
                                          const struct iso_snapshot_offering *offering,
                                          struct iso_error *reterr)
{
    const char *texts[N_STRINGS] = {
        [STRING_ID] = offering->id,
        [STRING_PROVIDER] = offering->provider,
        [STRING_REGION] = offering->region,
        [STRING_ZONE] = offering->zone,
        [STRING_TYPE] = offering->type,
        [STRING_OS] = offering->os,
        [STRING_NATIVE_ID] = offering->native_id,
        [STRING_FAMILY] = offering->family,
        [STRING_ARCH] = offering->arch,
        [STRING_TENANCY] = offering->tenancy,
        [STRING_GPU_MODEL] = offering->gpu_model,
        [STRING_SOURCE] = offering->source,
        [STRING_LABELS] = offering->labels,
    };
    struct snapshot_row row = {
        .purchase = offering->purchase,
        .kind = offering->kind,
        .status = offering->status,
        .price_unit = offering->price_unit,
        .price = offering->price,
        .lot = offering->lot,
        .availability = offering->availability,
        .observed_ns = offering->observed_ns,
    };
    struct slot *slot = NULL;

    memcpy(row.currency, offering->currency, sizeof(row.currency));
    memcpy(row.capacity, offering->capacity, sizeof(row.capacity));
    for (int s = STRING_ID; s <= STRING_OS; s++)
        if (!texts[s] || texts[s][0] == '\0')
            return iso_fail(reterr, ISO_E_INVALID, "id",
                            "the id of an offering and its parts must not be empty");
    const char *wrong = snapshot_row_problem(&row);
    if (wrong)
        return iso_fail(reterr, ISO_E_INVALID, "", "offering %.120s: %s", offering->id, wrong);
    if (builder->n_rows >= SNAPSHOT_MAX_ROWS)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a snapshot holds at most %u offerings",
                        SNAPSHOT_MAX_ROWS);

    for (int s = N_STRINGS - 1; s >= 0; s--) { /* the id last, so that `slot` is its */
        ISO_TRY(intern(builder, texts[s] ? texts[s] : "", &slot, reterr));
        row.strings[s] = slot->end - 1;
    }
    if (slot->is_id)
        return iso_fail(reterr, ISO_E_EXISTS, "id", "offering %.240s is there twice", offering->id);
    if (!reserve(&builder->rows, &builder->rows_capacity, builder->n_rows + 1,
                 sizeof(*builder->rows)))
        return no_memory(reterr);
    slot->is_id = true;
    builder->rows[builder->n_rows++] = row;
    return ISO_OK;
}

size_t iso_snapshot_n_added(const struct iso_snapshot_builder *builder)
{
    return builder->n_rows;
}

void iso_snapshot_added(const struct iso_snapshot_builder *builder, size_t index,
                        struct iso_snapshot_offering *ret_offering)
{
    snapshot_row_read(&builder->rows[index], builder->strings, ret_offering);
}

void iso_snapshot_set_price(struct iso_snapshot_builder *builder, size_t index, iso_decimal price)
{
    builder->rows[index].price = price;
}

void iso_snapshot_take_out(struct iso_snapshot_builder *builder, const bool *is_out)
{
    size_t n = 0;

    for (size_t i = 0; i < builder->n_rows; i++)
        if (!is_out[i])
            builder->rows[n++] = builder->rows[i];
    builder->n_rows = n;
}

/* Takes `key`, also on failure. */
static enum iso_status add_record(struct records *records, const ProtobufCMessage *message,
                                  char *key, struct iso_error *reterr)
{
    ISO_AUTO_MEM char *owned_key = key;
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes, 1);

    if (!owned_key || !bytes ||
        !reserve(&records->items, &records->capacity, records->n + 1, sizeof(*records->items)))
        return no_memory(reterr);
    if (records->n >= SNAPSHOT_MAX_RECORDS)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a snapshot holds at most %u records of a kind",
                        SNAPSHOT_MAX_RECORDS);
    protobuf_c_message_pack(message, bytes);
    records->items[records->n++] =
        (struct record){.key = ISO_STEAL(owned_key), .bytes = ISO_STEAL(bytes), .n_bytes = n_bytes};
    return ISO_OK;
}

enum iso_status iso_snapshot_add_product(struct iso_snapshot_builder *builder,
                                         const Isocost__V1__CommitmentProduct *product,
                                         struct iso_error *reterr)
{
    for (size_t i = 0; i < builder->products.n; i++)
        if (strncmp(builder->products.items[i].key, product->id, strlen(product->id)) == 0 &&
            builder->products.items[i].key[strlen(product->id)] == ' ')
            return iso_fail(reterr, ISO_E_EXISTS, "id", "product %.128s is there twice",
                            product->id);
    char digest[ISO_DIGEST_TEXT_SIZE];
    ISO_TRY(iso_message_digest(&product->base, NULL, digest, reterr));
    size_t n_bytes = strlen(product->id) + sizeof(digest) + 1;
    char *key = iso_calloc(n_bytes, 1);
    if (key)
        snprintf(key, n_bytes, "%s %s", product->id, digest);
    return add_record(&builder->products, &product->base, key, reterr);
}

enum iso_status iso_snapshot_add_quota(struct iso_snapshot_builder *builder,
                                       const Isocost__V1__Quota *quota, struct iso_error *reterr)
{
    static const char *const omit[] = {"isocost.v1.Quota.observed_at", NULL};
    char digest[ISO_DIGEST_TEXT_SIZE];

    ISO_TRY(iso_message_digest(&quota->base, omit, digest, reterr));
    size_t n_bytes =
        strlen(quota->provider) + strlen(quota->region) + strlen(quota->code) + sizeof(digest) + 3;
    char *key = iso_calloc(n_bytes, 1);
    if (key)
        snprintf(key, n_bytes, "%s %s %s %s", quota->provider, quota->region, quota->code, digest);
    return add_record(&builder->quotas, &quota->base, key, reterr);
}

enum iso_status iso_snapshot_add_overlay(struct iso_snapshot_builder *builder,
                                         const Isocost__V1__Overlay *overlay,
                                         struct iso_error *reterr)
{
    char digest[ISO_DIGEST_TEXT_SIZE];

    ISO_TRY(iso_message_digest(&overlay->base, NULL, digest, reterr));
    return add_record(&builder->overlays, &overlay->base, iso_strdup(digest), reterr);
}

/* The key begins with the id, in the order in which rates are listed; the digest ends it. */
enum iso_status iso_snapshot_add_egress_rate(struct iso_snapshot_builder *builder,
                                             const Isocost__V1__EgressRate *rate,
                                             struct iso_error *reterr)
{
    static const char *const omit[] = {"isocost.v1.EgressRate.observed_at", NULL};
    struct records *rates = &builder->egress_rates;
    char digest[ISO_DIGEST_TEXT_SIZE];

    ISO_TRY(iso_message_digest(&rate->base, omit, digest, reterr));
    size_t n_bytes = strlen(rate->provider) + strlen(rate->region) + strlen(rate->to) +
                     strlen(rate->valid_from) + sizeof(digest) + 32;
    ISO_AUTO_MEM char *key = iso_calloc(n_bytes, 1);
    if (!key)
        return no_memory(reterr);
    int n_id = snprintf(key, n_bytes, "%s\t%s\t%s\t%s\t%020.9f\t", rate->provider, rate->region,
                        rate->to, rate->valid_from, rate->from_gb);
    for (size_t i = 0; i < rates->n; i++)
        if (strncmp(rates->items[i].key, key, (size_t)n_id) == 0)
            return iso_fail(reterr, ISO_E_EXISTS, "to", "the rate is there twice");
    if (rates->n == SNAPSHOT_MAX_RATES)
        return iso_fail(reterr, ISO_E_LIMIT, "", "a snapshot holds at most %u rates of egress",
                        SNAPSHOT_MAX_RATES);
    strcat(key, digest);
    return add_record(rates, &rate->base, ISO_STEAL(key), reterr);
}

size_t iso_snapshot_n_added_products(const struct iso_snapshot_builder *builder)
{
    return builder->products.n;
}

Isocost__V1__CommitmentProduct *
iso_snapshot_added_product(const struct iso_snapshot_builder *builder, size_t index,
                           struct iso_arena *arena)
{
    const struct record *record = &builder->products.items[index];

    return isocost__v1__commitment_product__unpack(iso_arena_allocator(arena), record->n_bytes,
                                                   record->bytes);
}

void iso_snapshot_take_out_products(struct iso_snapshot_builder *builder, const bool *is_out)
{
    struct records *products = &builder->products;
    size_t n = 0;

    for (size_t i = 0; i < products->n; i++) {
        if (is_out[i]) {
            free(products->items[i].key);
            free(products->items[i].bytes);
        } else {
            products->items[n++] = products->items[i];
        }
    }
    products->n = n;
}

static int compare_records(const void *a, const void *b)
{
    const struct record *left = a, *right = b;
    return strcmp(left->key, right->key);
}

static int compare_rows(const void *a, const void *b, void *strings)
{
    const struct snapshot_row *left = a, *right = b;
    const char *texts = strings;
    return strcmp(texts + left->strings[STRING_ID], texts + right->strings[STRING_ID]);
}

static void digest_keys(struct iso_sha256 *sha, const struct records *records)
{
    uint64_t n = records->n;

    iso_sha256_update(sha, &n, sizeof(n));
    for (size_t i = 0; i < records->n; i++)
        iso_sha256_update(sha, records->items[i].key, strlen(records->items[i].key) + 1);
}

/* The digest covers what a plan can depend on: all but the times of observation. */
static void make_digest(const struct iso_snapshot_builder *builder,
                        char digest[ISO_DIGEST_TEXT_SIZE])
{
    struct iso_sha256 sha;
    unsigned char bytes[ISO_SHA256_BYTES];
    uint64_t n_rows = builder->n_rows;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, SNAPSHOT_MAGIC, sizeof(SNAPSHOT_MAGIC));
    iso_sha256_update(&sha, &n_rows, sizeof(n_rows));
    for (size_t i = 0; i < builder->n_rows; i++) {
        const struct snapshot_row *row = &builder->rows[i];
        for (int s = 0; s < N_STRINGS; s++) {
            const char *text = builder->strings + row->strings[s];
            iso_sha256_update(&sha, text, strlen(text) + 1);
        }
        iso_sha256_update(&sha, &row->purchase,
                          offsetof(struct snapshot_row, observed_ns) -
                              offsetof(struct snapshot_row, purchase));
    }
    digest_keys(&sha, &builder->products);
    digest_keys(&sha, &builder->quotas);
    digest_keys(&sha, &builder->overlays);
    if (builder->egress_rates.n > 0) /* snapshots of before there were any keep their digests */
        digest_keys(&sha, &builder->egress_rates);
    iso_sha256_final(&sha, bytes);
    iso_digest_text(bytes, digest);
}

static size_t payload_bytes(const struct records *records)
{
    size_t sum = 0;
    for (size_t i = 0; i < records->n; i++)
        sum += records->items[i].n_bytes;
    return sum;
}

/* Lays the whole file out in memory. The caller frees *ret_file. */
static enum iso_status lay_out(const struct iso_snapshot_builder *builder,
                               const char digest[ISO_DIGEST_TEXT_SIZE], unsigned char **ret_file,
                               size_t *ret_n_bytes, struct iso_error *reterr)
{
    const struct records *kinds[] = {&builder->products, &builder->quotas, &builder->overlays,
                                     &builder->egress_rates};
    struct snapshot_header header = {
        .version = builder->egress_rates.n > 0 ? SNAPSHOT_VERSION_RATES : SNAPSHOT_VERSION_PLAIN,
        .row_bytes = sizeof(struct snapshot_row),
        .n_offerings = (uint32_t)builder->n_rows,
        .n_products = (uint32_t)builder->products.n,
        .n_quotas = (uint32_t)builder->quotas.n,
        .n_overlays = (uint32_t)builder->overlays.n,
        .rows_offset = sizeof(header),
    };
    uint64_t n_records = 0, n_payload = 0, at = 0;

    for (size_t k = 0; k < ISO_ARRAY_LENGTH(kinds); k++) {
        n_records += kinds[k]->n;
        n_payload += payload_bytes(kinds[k]);
    }
    memcpy(header.magic, SNAPSHOT_MAGIC, sizeof(header.magic));
    memcpy(header.digest, digest, sizeof(header.digest));
    header.strings_offset = header.rows_offset + builder->n_rows * sizeof(struct snapshot_row);
    /* At least one NUL, so that the last string surely ends. */
    header.records_offset = header.strings_offset + snapshot_align(builder->strings_bytes + 1);
    header.payload_offset = header.records_offset + 8 * (n_records + 1);
    header.file_bytes = header.payload_offset + snapshot_align(n_payload);

    unsigned char *file = iso_calloc(header.file_bytes, 1);
    if (!file)
        return no_memory(reterr);
    if (builder->n_rows > 0)
        memcpy(file + header.rows_offset, builder->rows,
               builder->n_rows * sizeof(struct snapshot_row));
    if (builder->strings_bytes > 0)
        memcpy(file + header.strings_offset, builder->strings, builder->strings_bytes);
    uint64_t *next = (void *)(file + header.records_offset);
    for (size_t k = 0; k < ISO_ARRAY_LENGTH(kinds); k++)
        for (size_t i = 0; i < kinds[k]->n; i++) {
            const struct record *record = &kinds[k]->items[i];
            memcpy(file + header.payload_offset + at, record->bytes, record->n_bytes);
            at += record->n_bytes;
            *++next = at;
        }
    header.body_check = snapshot_check(file + sizeof(header), header.file_bytes - sizeof(header));
    header.header_check = snapshot_check(&header, offsetof(struct snapshot_header, header_check));
    memcpy(file, &header, sizeof(header));
    *ret_file = file;
    *ret_n_bytes = header.file_bytes;
    return ISO_OK;
}

static bool write_all(int fd, const unsigned char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        ssize_t n = write(fd, bytes, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* Writes `<folder>/<name>` so that it is there whole or not at all, also after a power cut. */
static enum iso_status write_file(const char *folder, const char *name, const unsigned char *bytes,
                                  size_t n_bytes, struct iso_error *reterr)
{
    size_t n_path = strlen(folder) + strlen(name) + 32;
    ISO_AUTO_MEM char *temporary = iso_calloc(n_path, 1);
    ISO_AUTO_MEM char *path = iso_calloc(n_path, 1);

    if (!temporary || !path)
        return no_memory(reterr);
    snprintf(temporary, n_path, "%s/.snapshot-XXXXXX", folder);
    snprintf(path, n_path, "%s/%s", folder, name);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot make a file in %.200s: %s", folder,
                        strerror(errno));
    bool written = write_all(fd, bytes, n_bytes) && fsync(fd) == 0;
    int cause = errno;
    if (close(fd) != 0 && written) {
        written = false;
        cause = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        cause = errno;
    }
    if (!written) {
        unlink(temporary);
        return iso_fail(reterr, ISO_E_IO, "", "cannot write %.240s: %s", path, strerror(cause));
    }
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder_fd >= 0 && fsync(folder_fd) == 0;
    cause = errno;
    if (folder_fd >= 0)
        close(folder_fd);
    if (!synced)
        return iso_fail(reterr, ISO_E_IO, "", "cannot sync %.240s: %s", folder, strerror(cause));
    return ISO_OK;
}

enum iso_status iso_snapshot_write(struct iso_snapshot_builder *builder, const char *folder,
                                   char ret_digest[ISO_DIGEST_TEXT_SIZE], struct iso_error *reterr)
{
    char digest[ISO_DIGEST_TEXT_SIZE] = "", name[ISO_DIGEST_TEXT_SIZE + 8];
    ISO_AUTO_MEM unsigned char *file = NULL;
    size_t n_bytes = 0;

    if (builder->n_rows > 0)
        qsort_r(builder->rows, builder->n_rows, sizeof(*builder->rows), compare_rows,
                builder->strings);
    /* Overlays apply in order, so their order is content; that of the others is not. */
    if (builder->products.n > 0)
        qsort(builder->products.items, builder->products.n, sizeof(struct record), compare_records);
    if (builder->quotas.n > 0)
        qsort(builder->quotas.items, builder->quotas.n, sizeof(struct record), compare_records);
    if (builder->egress_rates.n > 0)
        qsort(builder->egress_rates.items, builder->egress_rates.n, sizeof(struct record),
              compare_records);
    make_digest(builder, digest);
    ISO_TRY(lay_out(builder, digest, &file, &n_bytes, reterr));
    snprintf(name, sizeof(name), "%s.snap", digest);
    ISO_TRY(write_file(folder, name, file, n_bytes, reterr));

    memcpy(ret_digest, digest, sizeof(digest));
    return ISO_OK;
}
