#include "catalog_import.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <string.h>

#include "local_server.h"
#include "remote.h"

#define CHUNK_BYTES ((size_t)1 << 20)

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), length = strlen(ending);

    return n >= length && strcmp(text + n - length, ending) == 0;
}

/* "offerings*.csv", "*.offerings.csv" and so on, as docs/reference/catalog-files.md has it. */
static Isocost__V1__CatalogFileKind kind_of(const char *path)
{
    static const struct {
        const char *word, *ending;
        Isocost__V1__CatalogFileKind kind;
    } tables[] = {
        {"offerings", ".offerings.csv",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OFFERINGS_CSV},
        {"products", ".products.csv",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_PRODUCTS_CSV},
        {"quotas", ".quotas.csv", ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_QUOTAS_CSV},
        {"overlays", ".overlays.csv",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OVERLAYS_CSV},
        {"egress_rates", ".egress_rates.csv",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_EGRESS_RATES_CSV},
    };
    const char *name = base_name(path);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(tables); i++)
        if (ends_with(name, tables[i].ending) ||
            (ends_with(name, ".csv") && strncmp(name, tables[i].word, strlen(tables[i].word)) == 0))
            return tables[i].kind;
    if (ends_with(name, ".json"))
        return ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_JSON;
    return ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_UNSPECIFIED;
}

/* The files as a stream of requests: the name of a file, its pieces, the next file. */
struct reader {
    Isocost__V1__ImportCatalogRequest request;
    char *const *paths;
    int n_paths, at;
    FILE *stream; /* of paths[at]; NULL: not opened yet */
    unsigned char *buffer;
    bool replace_all;
};

static bool open_next(struct reader *reader, struct iso_error *reterr)
{
    const char *path = reader->paths[reader->at];

    reader->stream = fopen(path, "rbe");
    if (!reader->stream) {
        iso_fail(reterr, ISO_E_INVALID, path, "%s", strerror(errno));
        return false;
    }
    reader->request.name = (char *)base_name(path);
    reader->request.kind = kind_of(path);
    return true;
}

static const ProtobufCMessage *next_piece(void *context, struct iso_error *reterr)
{
    struct reader *reader = context;

    while (reader->at < reader->n_paths) {
        isocost__v1__import_catalog_request__init(&reader->request);
        reader->request.replace_all = reader->replace_all;
        bool first = !reader->stream;
        if (first && !open_next(reader, reterr))
            return NULL;
        size_t n = fread(reader->buffer, 1, CHUNK_BYTES, reader->stream);
        if (ferror(reader->stream)) {
            iso_fail(reterr, ISO_E_INVALID, reader->paths[reader->at], "%s", strerror(errno));
            return NULL;
        }
        reader->request.chunk.data = reader->buffer;
        reader->request.chunk.len = n;
        if (n > 0 || first)
            return &reader->request.base;
        fclose(reader->stream);
        reader->stream = NULL;
        reader->at++;
    }
    return NULL;
}

static enum iso_exit_code check_names(struct iso_cli *cli, int n_paths, char *const *paths)
{
    for (int i = 0; i < n_paths; i++) {
        if (kind_of(paths[i]) == ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_UNSPECIFIED) {
            fprintf(
                cli->err,
                "isocost: %s: the name does not say what it is; *.offerings.csv, *.products.csv, "
                "*.quotas.csv and *.json do\n",
                paths[i]);
            return ISO_EXIT_INVALID;
        }
    }
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_import(struct iso_cli *cli, int n_paths, char *const *paths,
                                      bool replace_all, Isocost__V1__Snapshot **ret_snapshot)
{
    struct reader reader = {.paths = paths,
                            .n_paths = n_paths,
                            .replace_all = replace_all,
                            .buffer = iso_arena_calloc(cli->arena, CHUNK_BYTES, 1)};
    struct iso_client_options options = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    ProtobufCMessage *response;

    enum iso_exit_code code = check_names(cli, n_paths, paths);
    if (code == ISO_EXIT_OK)
        code = iso_remote_open(cli);
    if (code != ISO_EXIT_OK)
        return code;
    if (!reader.buffer) {
        iso_fail(&error, ISO_E_NOMEM, "", "no memory to read the files");
        return iso_remote_complain(cli, NULL, &error, NULL);
    }
    enum iso_status status =
        iso_client_upload(cli->client, &ISO_CLIENT_CATALOG("ImportCatalog", import_catalog),
                          &options, next_piece, &reader, cli->arena, &response, &failure, &error);
    if (reader.stream)
        fclose(reader.stream);
    if (status != ISO_OK)
        return iso_remote_complain(cli, &failure, &error, NULL);
    *ret_snapshot = ((Isocost__V1__ImportCatalogResponse *)response)->snapshot;
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_catalog_import_sample(struct iso_cli *cli,
                                             Isocost__V1__Snapshot **ret_snapshot)
{
    char folder[PATH_MAX], pattern[PATH_MAX + 20];
    enum iso_exit_code code = ISO_EXIT_OTHER;
    glob_t found = {0};

    if (!iso_local_examples(folder, sizeof(folder))) {
        fputs("isocost: the examples are not installed; set ISO_SOURCE to the source tree\n",
              cli->err);
        return code;
    }
    snprintf(pattern, sizeof(pattern), "%s/catalog/*.csv", folder);
    if (glob(pattern, 0, NULL, &found) == 0)
        code = iso_catalog_import(cli, (int)found.gl_pathc, found.gl_pathv, /* replace_all= */ true,
                                  ret_snapshot);
    else
        fprintf(cli->err, "isocost: %s: no such files\n", pattern);
    globfree(&found);
    return code;
}
