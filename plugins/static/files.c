#include "files.h"

#include <limits.h>
#include <stdio.h>

#include "isocost/sdk/words.h"
#include "row.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);

    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* The kind of a word of the parameter `kinds`; IGNORED and false for an unknown one. */
static bool kind_by_word(const char *word, size_t n_bytes, enum iso_file_kind *ret_kind)
{
    static const char *const words[] = {
        [ISO_FILE_OFFERINGS] = "offerings",
        [ISO_FILE_PRODUCTS] = "products",
        [ISO_FILE_QUOTAS] = "quotas",
        [ISO_FILE_OVERLAYS] = "overlays",
        [ISO_FILE_EGRESS_RATES] = "egress_rates",
        [ISO_FILE_JSON] = "json",
        [ISO_FILE_ANY_TABLE] = "csv",
        [ISO_FILE_IGNORED] = "ignore",
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(words); i++)
        if (strlen(words[i]) == n_bytes && memcmp(words[i], word, n_bytes) == 0) {
            *ret_kind = (enum iso_file_kind)i;
            return true;
        }
    return false;
}

/* Looks `name` up in "name=kind;name=kind". */
static bool kind_by_parameter(const char *kinds, const char *name, enum iso_file_kind *ret_kind)
{
    size_t n_name = strlen(name);

    for (const char *next = kinds; *next;) {
        size_t n = strcspn(next, ";");
        if (n > n_name && next[n_name] == '=' && memcmp(next, name, n_name) == 0)
            return kind_by_word(next + n_name + 1, n - n_name - 1, ret_kind);
        next += n + (next[n] == ';');
    }
    return false;
}

enum iso_status iso_kinds_check(const char *kinds, struct iso_error *reterr)
{
    enum iso_file_kind kind;

    for (const char *next = kinds; *next;) {
        size_t n = strcspn(next, ";"), n_name = strcspn(next, "=");
        if (n_name == 0 || n_name >= n || !kind_by_word(next + n_name + 1, n - n_name - 1, &kind))
            return iso_fail(reterr, ISO_E_INVALID, "kinds",
                            "\"%.*s\" is not name=kind; a kind is offerings, products, quotas, "
                            "overlays, egress_rates, csv, json or ignore",
                            (int)(n < 64 ? n : 64), next);
        next += n + (next[n] == ';');
    }
    return ISO_OK;
}

/* products.csv, products-2026.csv and aws.products.csv are products; so are the others. */
static enum iso_file_kind kind_by_name(const char *name)
{
    if (ends_with(name, ".json"))
        return ISO_FILE_JSON;
    if (!ends_with(name, ".csv"))
        return ISO_FILE_IGNORED;
    for (int k = 0; k < ISO_FILE_N_TABLES; k++) {
        char end[32];
        snprintf(end, sizeof(end), ".%s.csv", iso_tables[k].word);
        if (strncmp(name, iso_tables[k].word, strlen(iso_tables[k].word)) == 0 ||
            ends_with(name, end))
            return (enum iso_file_kind)k;
    }
    return ISO_FILE_ANY_TABLE;
}

/* A walk over the catalog's files. */
struct walk {
    struct iso_static_reader *reader;
    bool in_folder;
    size_t n_files;
};

/* An error names the file, before what the deepest report says. */
static enum iso_status name_file(const char *name, const struct iso_error *inner,
                                 struct iso_error *reterr)
{
    return iso_fail(reterr, inner->status, inner->field, "%.200s: %.180s", name, inner->text);
}

static enum iso_status read_one(struct walk *walk, const char *path, const char *name,
                                struct iso_error *reterr)
{
    struct iso_static_reader *reader = walk->reader;
    enum iso_file_kind kind = kind_by_name(name);
    bool named = kind_by_parameter(reader->config->kinds, name, &kind) || !walk->in_folder;
    struct iso_error inner = {0};
    enum iso_status status;

    if (kind == ISO_FILE_IGNORED && walk->in_folder)
        return ISO_OK;
    walk->n_files++;
    reader->file = name;
    if (kind == ISO_FILE_JSON)
        status = iso_json_file_read(reader, path, named, &inner);
    else if (kind == ISO_FILE_IGNORED)
        status = iso_fail(&inner, ISO_E_INVALID, "path",
                          "a catalog's name ends in .csv or .json; the parameter kinds can say so "
                          "of others");
    else
        status = iso_csv_file_read(reader, path, kind, named, &inner);
    return status == ISO_OK ? ISO_OK : name_file(name, &inner, reterr);
}

static enum iso_status on_name(void *context, const char *name, struct iso_error *reterr)
{
    struct walk *walk = context;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", walk->reader->config->path, name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return iso_fail(reterr, ISO_E_INVALID, "path", "the path of %.64s is too long", name);
    return read_one(walk, path, name, reterr);
}

bool iso_static_wants(const struct iso_static_reader *reader, enum iso_file_kind kind)
{
    switch (kind) {
    case ISO_FILE_PRODUCTS:
        return reader->what->want & ISO_WANT_PRODUCTS;
    case ISO_FILE_QUOTAS:
        return reader->what->want & ISO_WANT_QUOTAS;
    default:
        return reader->what->want & ISO_WANT_OFFERINGS;
    }
}

enum iso_status iso_files_read(struct iso_static_reader *reader, struct iso_error *reterr)
{
    const char *path = reader->config->path, *slash = strrchr(path, '/');
    struct walk walk = {.reader = reader, .in_folder = true};
    struct iso_error error = {0};
    enum iso_status status = reader->host->list_files(reader->host, path, on_name, &walk, &error);

    if (status == ISO_E_INVALID && walk.n_files == 0 && strcmp(error.field, "path") == 0) {
        walk.in_folder = false;
        return read_one(&walk, path, slash ? slash + 1 : path, reterr);
    }
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    if (walk.n_files == 0)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "path",
                        "%.200s has no file whose name ends in .csv or .json", path);
    return ISO_OK;
}
