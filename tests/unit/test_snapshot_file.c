/* Snapshot files: what is written is read back, and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot_file.h"
#include "snapshot_format.h"

#include "../support/temporary_folder.h"

static struct iso_snapshot_offering offering(const char *id, const char *type)
{
    struct iso_snapshot_offering o = {
        .id = id,
        .provider = "aws",
        .region = "us-east-1",
        .zone = "*",
        .type = type,
        .os = "linux",
        .native_id = type,
        .family = "m6i",
        .arch = "x86_64",
        .tenancy = "shared",
        .labels = "class=web\n",
        .purchase = 1,
        .currency = "USD",
        .price = 96000000, /* 0.096 */
        .lot = ISO_DECIMAL_ONE,
        .availability = ISO_DECIMAL_ONE,
        .observed_ns = 5,
    };
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        o.capacity[k] = ISO_UNKNOWN;
    o.capacity[ISO_RESOURCE_VCPU] = 2 * ISO_DECIMAL_ONE;
    return o;
}

static const struct {
    const char *id, *type;
} rows[] = {
    {"aws/us-east-1/*/m6i.large/linux/on-demand", "m6i.large"},
    {"aws/us-east-1/*/m6i.xlarge/linux/on-demand", "m6i.xlarge"},
    {"aws/us-east-1/*/c6i.large/linux/on-demand", "c6i.large"},
};

/* Builds a snapshot of the rows in the order given and writes it. */
static void write_rows(const int *order, int n, int64_t observed_ns, iso_decimal price,
                       char digest[ISO_DIGEST_TEXT_SIZE])
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    Isocost__V1__Quota quota = ISOCOST__V1__QUOTA__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Isocost__V1__CommitmentProduct product = ISOCOST__V1__COMMITMENT_PRODUCT__INIT;
    Isocost__V1__Overlay overlay = ISOCOST__V1__OVERLAY__INIT;
    struct iso_error error = {0};

    quota.provider = (char *)(uintptr_t) "aws";
    quota.code = (char *)(uintptr_t) "L-1216C47A";
    time.seconds = observed_ns;
    quota.observed_at = &time;
    product.id = (char *)(uintptr_t) "ri/one-year";
    product.term_hours = 8760;
    overlay.change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR;
    overlay.price_factor = 0.5;
    for (int i = 0; i < n; i++) {
        struct iso_snapshot_offering o = offering(rows[order[i]].id, rows[order[i]].type);
        o.observed_ns = observed_ns;
        o.price = price;
        assert_int_equal(iso_snapshot_add_offering(builder, &o, &error), ISO_OK);
    }
    assert_int_equal(iso_snapshot_add_quota(builder, &quota, &error), ISO_OK);
    assert_int_equal(iso_snapshot_add_product(builder, &product, &error), ISO_OK);
    assert_int_equal(iso_snapshot_add_overlay(builder, &overlay, &error), ISO_OK);
    assert_int_equal(iso_snapshot_write(builder, folder, digest, &error), ISO_OK);
}

static void path_of(const char *digest, char path[256])
{
    snprintf(path, 256, "%s/%s.snap", folder, digest);
}

static struct iso_snapshot *map(const char *path)
{
    struct iso_snapshot *snapshot = NULL;
    struct iso_error error = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    enum iso_status status = iso_snapshot_map(fd, &snapshot, &error);
    close(fd);
    if (status != ISO_OK) {
        assert_int_equal(status, ISO_E_INVALID);
        assert_string_not_equal(error.text, "");
        return NULL;
    }
    return snapshot;
}

static void what_is_written_is_read_back_sorted_by_id(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];
    (void)state;

    write_rows((const int[]){0, 1, 2}, 3, 5, 96000000, digest);
    path_of(digest, path);
    ISO_AUTO(iso_snapshot) snapshot = map(path);
    assert_non_null(snapshot);
    assert_string_equal(iso_snapshot_digest(snapshot), digest);
    assert_int_equal(iso_snapshot_n_offerings(snapshot), 3);
    struct iso_snapshot_offering o;
    iso_snapshot_offering(snapshot, 0, &o);
    assert_string_equal(o.id, rows[2].id); /* "c6i" is before "m6i" */
    iso_snapshot_offering(snapshot, 1, &o);
    assert_string_equal(o.id, rows[0].id);
    assert_string_equal(o.provider, "aws");
    assert_string_equal(o.zone, "*");
    assert_string_equal(o.labels, "class=web\n");
    assert_string_equal(o.gpu_model, "");
    assert_string_equal(o.currency, "USD");
    assert_int_equal(o.price, 96000000);
    assert_int_equal(o.observed_ns, 5);
    assert_int_equal(o.capacity[ISO_RESOURCE_VCPU], 2000000000);
    assert_int_equal(o.capacity[ISO_RESOURCE_GPU], ISO_UNKNOWN);

    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    assert_int_equal(iso_snapshot_n_products(snapshot), 1);
    assert_int_equal(iso_snapshot_n_quotas(snapshot), 1);
    assert_int_equal(iso_snapshot_n_overlays(snapshot), 1);
    assert_string_equal(iso_snapshot_product(snapshot, 0, arena)->id, "ri/one-year");
    assert_string_equal(iso_snapshot_quota(snapshot, 0, arena)->code, "L-1216C47A");
    assert_true(iso_snapshot_overlay(snapshot, 0, arena)->price_factor == 0.5);
}

static void an_empty_snapshot_is_a_snapshot(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];
    struct iso_error error = {0};
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    (void)state;

    assert_int_equal(iso_snapshot_write(builder, folder, digest, &error), ISO_OK);
    path_of(digest, path);
    ISO_AUTO(iso_snapshot) snapshot = map(path);
    assert_non_null(snapshot);
    assert_int_equal(iso_snapshot_n_offerings(snapshot), 0);
}

static void the_digest_does_not_depend_on_order_or_time_but_on_prices(void **state)
{
    char first[ISO_DIGEST_TEXT_SIZE], second[ISO_DIGEST_TEXT_SIZE], other[ISO_DIGEST_TEXT_SIZE];
    (void)state;

    write_rows((const int[]){0, 1, 2}, 3, 5, 96000000, first);
    write_rows((const int[]){2, 0, 1}, 3, 7, 96000000, second);
    write_rows((const int[]){0, 1, 2}, 3, 5, 96000001, other);
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
}

/* The bytes of docs/reference/digests.md, written out. */
static void the_digest_is_what_the_reference_says(void **state)
{
    static const char bytes[] =
        "ISOSNAP1\0"
        "\1\0\0\0\0\0\0\0"
        "aws/us-east-1/*/m6i.large/linux/on-demand\0aws\0us-east-1\0*\0m6i.large\0linux\0"
        "m6i.large\0m6i\0x86_64\0shared\0\0\0class=web\n\0"
        "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0USD\0"
        "\0\xd8\xb8\5\0\0\0\0" /* 0.096 * 1e9 = 0x05b8d800 */
        "\0\xca\x9a\x3b\0\0\0\0\0\xca\x9a\x3b\0\0\0\0"
        "\0\x94\x35\x77\0\0\0\0" /* 2 vCPUs */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xff\xff\xff\xff\xff\xff\xff\xff"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    struct iso_snapshot_offering o = offering(rows[0].id, rows[0].type);
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    char digest[ISO_DIGEST_TEXT_SIZE], expected[ISO_DIGEST_TEXT_SIZE];
    unsigned char raw[ISO_SHA256_BYTES];
    struct iso_error error = {0};
    struct iso_sha256 sha;
    (void)state;

    assert_int_equal(iso_snapshot_add_offering(builder, &o, &error), ISO_OK);
    assert_int_equal(iso_snapshot_write(builder, folder, digest, &error), ISO_OK);
    iso_sha256_init(&sha);
    iso_sha256_update(&sha, bytes, sizeof(bytes) - 1);
    iso_sha256_final(&sha, raw);
    assert_string_equal(digest, iso_digest_text(raw, expected));
}

/* A snapshot with rates of egress, in an order of adding; a digest and, to be freed, the map. */
static struct iso_snapshot *write_rates(const int *order, int n, int64_t observed_s,
                                        char digest[ISO_DIGEST_TEXT_SIZE])
{
    static const struct {
        const char *region, *to;
        double from_gb;
    } places[] = {{"*", "internet", 10240}, {"*", "internet", 0}, {"us-east-1", "aws", 0}};
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Type__Money price = GOOGLE__TYPE__MONEY__INIT;
    struct iso_snapshot_offering o = offering(rows[0].id, rows[0].type);
    char path[256];

    time.seconds = observed_s;
    price.currency_code = (char *)(uintptr_t) "USD";
    price.nanos = 90000000;
    assert_int_equal(iso_snapshot_add_offering(builder, &o, NULL), ISO_OK);
    for (int i = 0; i < n; i++) {
        Isocost__V1__EgressRate rate = ISOCOST__V1__EGRESS_RATE__INIT;
        rate.provider = (char *)(uintptr_t) "aws";
        rate.region = (char *)(uintptr_t)places[order[i]].region;
        rate.to = (char *)(uintptr_t)places[order[i]].to;
        rate.from_gb = places[order[i]].from_gb;
        rate.price_per_gb = &price;
        rate.observed_at = &time;
        assert_int_equal(iso_snapshot_add_egress_rate(builder, &rate, NULL), ISO_OK);
        assert_int_equal(iso_snapshot_add_egress_rate(builder, &rate, NULL), ISO_E_EXISTS);
    }
    assert_int_equal(iso_snapshot_write(builder, folder, digest, NULL), ISO_OK);
    path_of(digest, path);
    return map(path);
}

/* A file without rates is one that older builds read, byte for byte: its version is the first. */
static void rates_of_egress_are_kept_in_order_and_count_in_the_digest(void **state)
{
    char first[ISO_DIGEST_TEXT_SIZE], second[ISO_DIGEST_TEXT_SIZE], none[ISO_DIGEST_TEXT_SIZE];
    char path[256];
    uint32_t version;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    ISO_AUTO(iso_snapshot) snapshot = write_rates((const int[]){0, 1, 2}, 3, 5, first);
    ISO_AUTO(iso_snapshot) other = write_rates((const int[]){2, 1, 0}, 3, 99, second);
    ISO_AUTO(iso_snapshot) without = write_rates(NULL, 0, 5, none);
    (void)state;

    assert_int_equal(iso_snapshot_n_egress_rates(snapshot), 3);
    assert_int_equal(iso_snapshot_n_overlays(snapshot), 0);
    assert_true(iso_snapshot_egress_rate(snapshot, 0, arena)->from_gb == 0);
    assert_true(iso_snapshot_egress_rate(snapshot, 1, arena)->from_gb == 10240);
    assert_string_equal(iso_snapshot_egress_rate(snapshot, 2, arena)->to, "aws");
    assert_string_equal(first, second); /* neither order nor observation counts */
    assert_int_equal(iso_snapshot_n_egress_rates(other), 3);
    assert_string_not_equal(first, none);
    assert_int_equal(iso_snapshot_n_egress_rates(without), 0);
    for (int rates = 0; rates < 2; rates++) {
        path_of(rates ? first : none, path);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        assert_int_equal(fseek(file, offsetof(struct snapshot_header, version), SEEK_SET), 0);
        assert_int_equal(fread(&version, sizeof(version), 1, file), 1);
        assert_int_equal(version, rates ? 2 : 1);
        fclose(file);
    }
}

static void an_id_can_be_added_once_only(void **state)
{
    struct iso_snapshot_offering o = offering(rows[0].id, rows[0].type);
    struct iso_error error = {0};
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    (void)state;

    assert_int_equal(iso_snapshot_add_offering(builder, &o, &error), ISO_OK);
    assert_int_equal(iso_snapshot_add_offering(builder, &o, &error), ISO_E_EXISTS);
    assert_non_null(strstr(error.text, rows[0].id));
}

static void an_offering_without_a_price_is_refused(void **state)
{
    struct iso_snapshot_offering o = offering(rows[0].id, rows[0].type);
    struct iso_error error = {0};
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    (void)state;

    o.price = 0;
    assert_int_equal(iso_snapshot_add_offering(builder, &o, &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, "price"));
}

/* Reads a whole file into memory that the caller frees. */
static unsigned char *read_file(const char *path, size_t *ret_n_bytes)
{
    struct stat status;
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    unsigned char *bytes = iso_calloc((size_t)status.st_size, 1);
    assert_int_equal(fread(bytes, 1, (size_t)status.st_size, file), status.st_size);
    fclose(file);
    *ret_n_bytes = (size_t)status.st_size;
    return bytes;
}

static bool maps(const unsigned char *bytes, size_t n_bytes)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/damaged", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    fclose(file);
    ISO_AUTO(iso_snapshot) snapshot = map(path);
    return snapshot != NULL;
}

static void every_damaged_byte_is_noticed(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];
    size_t n_bytes;
    (void)state;

    write_rows((const int[]){0, 1, 2}, 3, 5, 96000000, digest);
    path_of(digest, path);
    ISO_AUTO_MEM unsigned char *bytes = read_file(path, &n_bytes);
    assert_true(maps(bytes, n_bytes));
    for (size_t i = 0; i < n_bytes; i++) {
        bytes[i] ^= 0x41;
        if (maps(bytes, n_bytes))
            fail_msg("byte %zu", i);
        bytes[i] ^= 0x41;
    }
    for (size_t cut = 0; cut < n_bytes; cut += 8)
        assert_false(maps(bytes, cut));
}

/* A forger can write checksums too, so each field of the header is checked for itself. */
static void a_header_that_lies_is_refused_even_with_right_checksums(void **state)
{
    static const struct {
        size_t offset;
        size_t size;
        uint64_t value;
    } lies[] = {
        {offsetof(struct snapshot_header, magic), 8, 1},
        {offsetof(struct snapshot_header, version), 4, 2},
        {offsetof(struct snapshot_header, row_bytes), 4, 8},
        {offsetof(struct snapshot_header, file_bytes), 8, 1 << 20},
        {offsetof(struct snapshot_header, n_offerings), 4, 4},
        {offsetof(struct snapshot_header, n_offerings), 4, UINT32_MAX},
        {offsetof(struct snapshot_header, n_products), 4, 1000},
        {offsetof(struct snapshot_header, n_quotas), 4, UINT32_MAX},
        {offsetof(struct snapshot_header, n_overlays), 4, 1000000},
        {offsetof(struct snapshot_header, rows_offset), 8, 0},
        {offsetof(struct snapshot_header, strings_offset), 8, UINT64_MAX},
        {offsetof(struct snapshot_header, records_offset), 8, UINT64_MAX - 7},
        {offsetof(struct snapshot_header, payload_offset), 8, 8},
        {offsetof(struct snapshot_header, digest), 8, 0},
    };
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];
    size_t n_bytes;
    (void)state;

    write_rows((const int[]){0, 1, 2}, 3, 5, 96000000, digest);
    path_of(digest, path);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(lies); i++) {
        ISO_AUTO_MEM unsigned char *bytes = read_file(path, &n_bytes);
        struct snapshot_header *header = (void *)bytes;
        memcpy(bytes + lies[i].offset, &lies[i].value, lies[i].size);
        header->header_check =
            snapshot_check(header, offsetof(struct snapshot_header, header_check));
        if (maps(bytes, n_bytes))
            fail_msg("lie %zu", i);
    }
}

static void rows_that_lie_are_refused_even_with_right_checksums(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];
    size_t n_bytes;
    (void)state;

    write_rows((const int[]){0, 1, 2}, 3, 5, 96000000, digest);
    path_of(digest, path);
    for (int lie = 0; lie < 6; lie++) {
        ISO_AUTO_MEM unsigned char *bytes = read_file(path, &n_bytes);
        struct snapshot_header *header = (void *)bytes;
        struct snapshot_row *row = (void *)(bytes + header->rows_offset);
        uint64_t *records = (void *)(bytes + header->records_offset);
        switch (lie) {
        case 0:
            row->strings[STRING_TYPE] = UINT32_MAX;
            break;
        case 1:
            row->price = 0;
            break;
        case 2:
            row->capacity[0] = -2;
            break;
        case 3:
            row->strings[STRING_ID] = row[1].strings[STRING_ID]; /* not rising */
            break;
        case 4:
            records[1] = UINT64_MAX;
            break;
        default:
            records[3] = 0; /* falls */
        }
        header->body_check = snapshot_check(bytes + sizeof(*header), n_bytes - sizeof(*header));
        header->header_check =
            snapshot_check(header, offsetof(struct snapshot_header, header_check));
        if (maps(bytes, n_bytes))
            fail_msg("lie %d", lie);
    }
}

static void writers_of_the_same_content_do_not_disturb_each_other(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE], path[256];
    pid_t children[4];
    (void)state;

    write_rows((const int[]){0, 1}, 2, 5, 1000, digest);
    path_of(digest, path);
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            char same[ISO_DIGEST_TEXT_SIZE];
            for (int j = 0; j < 20; j++)
                write_rows((const int[]){1, 0}, 2, 5, 1000, same);
            _exit(strcmp(same, digest) != 0);
        }
    }
    for (int j = 0; j < 200; j++) {
        ISO_AUTO(iso_snapshot) snapshot = map(path);
        assert_non_null(snapshot);
        assert_int_equal(iso_snapshot_n_offerings(snapshot), 2);
    }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

static void a_folder_that_is_not_there_is_reported(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE] = "unchanged";
    struct iso_error error = {0};
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    (void)state;

    assert_int_equal(iso_snapshot_write(builder, "/nonexistent/folder", digest, &error), ISO_E_IO);
    assert_string_equal(digest, "unchanged");
    assert_non_null(strstr(error.text, "/nonexistent/folder"));
}

static void failed_allocations_are_reported_and_leave_nothing_behind(void **state)
{
    (void)state;

    for (long nth = 0;; nth++) {
        struct iso_snapshot_offering o = offering(rows[0].id, rows[0].type);
        char digest[ISO_DIGEST_TEXT_SIZE];
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
        enum iso_status status = builder ? ISO_OK : ISO_E_NOMEM;
        if (status == ISO_OK)
            status = iso_snapshot_add_offering(builder, &o, &error);
        if (status == ISO_OK)
            status = iso_snapshot_write(builder, folder, digest, &error);
        iso_alloc_fail_at(-1);
        if (status == ISO_OK)
            break;
        assert_int_equal(status, ISO_E_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back_sorted_by_id),
        cmocka_unit_test(an_empty_snapshot_is_a_snapshot),
        cmocka_unit_test(the_digest_does_not_depend_on_order_or_time_but_on_prices),
        cmocka_unit_test(the_digest_is_what_the_reference_says),
        cmocka_unit_test(rates_of_egress_are_kept_in_order_and_count_in_the_digest),
        cmocka_unit_test(an_id_can_be_added_once_only),
        cmocka_unit_test(an_offering_without_a_price_is_refused),
        cmocka_unit_test(every_damaged_byte_is_noticed),
        cmocka_unit_test(a_header_that_lies_is_refused_even_with_right_checksums),
        cmocka_unit_test(rows_that_lie_are_refused_even_with_right_checksums),
        cmocka_unit_test(writers_of_the_same_content_do_not_disturb_each_other),
        cmocka_unit_test(a_folder_that_is_not_there_is_reported),
        cmocka_unit_test(failed_allocations_are_reported_and_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
