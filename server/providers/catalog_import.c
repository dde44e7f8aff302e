/* ImportCatalog: files come in pieces into a private folder; the plugin `static` reads them there,
 * in its own process; then the folder goes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "catalog_handlers.h"
#include "catalog_internal.h"

enum { MAX_FILES = 256, MAX_NAME = 128, MAX_CHUNK = 1 << 20 };
#define MAX_TOTAL_BYTES (INT64_C(1) << 30)

struct import {
    char *folder; /* owned; removed with all that is in it */
    int folder_fd, file_fd;
    int64_t n_bytes;
    bool replace_all;
    size_t n_files;
    char *names[MAX_FILES];
    Isocost__V1__CatalogFileKind kinds[MAX_FILES];
};

static void remove_folder(struct import *import)
{
    DIR *folder = import->folder_fd >= 0 ? fdopendir(import->folder_fd) : NULL;

    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    else if (import->folder_fd >= 0)
        close(import->folder_fd);
    if (import->folder)
        rmdir(import->folder);
}

static void import_free(void *data)
{
    struct import *import = data;

    if (!import)
        return;
    if (import->file_fd >= 0)
        close(import->file_fd);
    remove_folder(import);
    for (size_t i = 0; i < import->n_files; i++)
        free(import->names[i]);
    free(import->folder);
    free(import);
}

static enum iso_status import_new(const struct iso_catalog *catalog, struct import **ret_import,
                                  struct iso_error *reterr)
{
    struct import *import = iso_calloc(1, sizeof(*import));
    size_t n = strlen(catalog->temporary_folder) + 32;

    if (!import)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an import");
    import->folder_fd = import->file_fd = -1;
    import->folder = iso_calloc(n, 1);
    if (!import->folder) {
        import_free(import);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an import");
    }
    snprintf(import->folder, n, "%s/isocost-import-XXXXXX", catalog->temporary_folder);
    if (!mkdtemp(import->folder)) {
        int cause = errno;
        free(import->folder);
        import->folder = NULL;
        import_free(import);
        return iso_fail(reterr, ISO_E_IO, "", "cannot make a folder in %.200s: %s",
                        catalog->temporary_folder, strerror(cause));
    }
    import->folder_fd = open(import->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (import->folder_fd < 0) {
        import_free(import);
        return iso_fail(reterr, ISO_E_IO, "", "cannot open a temporary folder: %s",
                        strerror(errno));
    }
    *ret_import = import;
    return ISO_OK;
}

static enum iso_status check_name(const struct import *import, const char *name,
                                  struct iso_error *reterr)
{
    size_t n = strlen(name);

    if (n > MAX_NAME || name[0] == '.')
        return iso_fail(reterr, ISO_E_INVALID, "name",
                        "\"%.64s\" is not allowed; a name has at most %d bytes and does not begin "
                        "with '.'",
                        name, MAX_NAME);
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr("/\\;=", *p))
            return iso_fail(reterr, ISO_E_INVALID, "name",
                            "\"%.64s\" is not allowed; a name has no '/', '\\', ';', '=' and no "
                            "control characters",
                            name);
    for (size_t i = 0; i < import->n_files; i++)
        if (strcmp(import->names[i], name) == 0)
            return iso_fail(reterr, ISO_E_INVALID, "name", "two files are named \"%.64s\"", name);
    return ISO_OK;
}

static enum iso_status begin_file(struct import *import,
                                  const Isocost__V1__ImportCatalogRequest *request,
                                  struct iso_error *reterr)
{
    if (import->n_files == MAX_FILES)
        return iso_fail(reterr, ISO_E_LIMIT, "name", "at most %d files are taken", MAX_FILES);
    ISO_TRY(check_name(import, request->name, reterr));
    if (request->kind == ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_UNSPECIFIED)
        return iso_fail(reterr, ISO_E_INVALID, "kind",
                        "the first message of file \"%.64s\" does not say what it is",
                        request->name);
    if (import->file_fd >= 0)
        close(import->file_fd);
    import->file_fd = openat(import->folder_fd, request->name,
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (import->file_fd < 0)
        return iso_fail(reterr, ISO_E_IO, "name", "cannot make a file for \"%.64s\": %s",
                        request->name, strerror(errno));
    import->names[import->n_files] = iso_strdup(request->name);
    if (!import->names[import->n_files])
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an import");
    import->kinds[import->n_files++] = request->kind;
    return ISO_OK;
}

static enum iso_status add_chunk(struct import *import, const ProtobufCBinaryData *chunk,
                                 struct iso_error *reterr)
{
    size_t written = 0;

    if (chunk->len > MAX_CHUNK)
        return iso_fail(reterr, ISO_E_LIMIT, "chunk", "chunk has %zu bytes; at most %d are allowed",
                        chunk->len, MAX_CHUNK);
    import->n_bytes += (int64_t)chunk->len;
    if (import->n_bytes > MAX_TOTAL_BYTES)
        return iso_fail(reterr, ISO_E_LIMIT, "chunk",
                        "the files have more than %lld bytes in all; import them in parts",
                        (long long)MAX_TOTAL_BYTES);
    while (written < chunk->len) {
        ssize_t n = write(import->file_fd, chunk->data + written, chunk->len - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return iso_fail(reterr, ISO_E_IO, "", "cannot write a temporary file: %s",
                            strerror(errno));
        written += (size_t)n;
    }
    return ISO_OK;
}

/* --- the end of the stream --- */

static bool import_cancelled(void *context)
{
    return iso_call_cancelled(context);
}

static void import_done(void *context, const Isocost__V1__Snapshot *snapshot,
                        const struct iso_error *error)
{
    Isocost__V1__ImportCatalogResponse response = ISOCOST__V1__IMPORT_CATALOG_RESPONSE__INIT;
    struct iso_call *call = context;

    response.snapshot = (Isocost__V1__Snapshot *)snapshot;
    if (snapshot)
        iso_call_reply(call, &response.base);
    else
        iso_call_fail(call, error);
    iso_call_unref(call);
}

static const char *kind_word(Isocost__V1__CatalogFileKind kind)
{
    switch (kind) {
    case ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OFFERINGS_CSV:
        return "offerings";
    case ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_PRODUCTS_CSV:
        return "products";
    case ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_QUOTAS_CSV:
        return "quotas";
    case ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OVERLAYS_CSV:
        return "overlays";
    case ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_EGRESS_RATES_CSV:
        return "egress_rates";
    default:
        return "json";
    }
}

/* "name=kind;name=kind", the form of the plugin's parameter. */
static char *kinds_parameter(const struct import *import, struct iso_arena *arena)
{
    char *text = iso_arena_calloc(arena, import->n_files * (MAX_NAME + 16) + 1, 1), *end = text;

    for (size_t i = 0; text && i < import->n_files; i++)
        end += sprintf(end, "%s%s=%s", i ? ";" : "", import->names[i], kind_word(import->kinds[i]));
    return text;
}

static enum iso_status submit(struct iso_call *call, struct iso_catalog *catalog,
                              struct import *import, struct iso_error *reterr)
{
    struct iso_catalog_task task = {
        .principal = *iso_call_principal(call),
        .request_id = iso_call_id(call),
        .cancelled = import_cancelled,
        .done = import_done,
        .context = call,
    };
    enum iso_status status;

    if (!import || import->n_files == 0)
        return iso_fail(reterr, ISO_E_INVALID, "name", "no file was sent");
    task.import_folder = import->folder;
    task.import_kinds = kinds_parameter(import, iso_call_arena(call));
    task.replace_all = import->replace_all;
    task.sources = (const char *const *)import->names;
    task.n_sources = import->n_files;
    if (!task.import_kinds)
        return iso_fail(reterr, ISO_E_LIMIT, "", "the names of the files need too much memory");
    iso_call_ref(call); /* keeps the folder too: it goes with the call's data */
    status = iso_catalog_submit(catalog, &task, reterr);
    if (status != ISO_OK)
        iso_call_unref(call);
    return status;
}

enum iso_status iso_catalog_handle_import(struct iso_call *call, void *service,
                                          struct iso_error *reterr)
{
    const Isocost__V1__ImportCatalogRequest *request =
        (const Isocost__V1__ImportCatalogRequest *)iso_call_request(call);
    struct import *import = iso_call_data(call);

    if (!request)
        return submit(call, service, import, reterr);
    if (!import) {
        ISO_TRY(import_new(service, &import, reterr));
        iso_call_set_data(call, import, import_free);
    }
    if (request->name[0])
        ISO_TRY(begin_file(import, request, reterr));
    else if (import->n_files == 0)
        return iso_fail(reterr, ISO_E_INVALID, "name",
                        "the first message of a file must have its name and kind");
    import->replace_all |= request->replace_all;
    return add_chunk(import, &request->chunk, reterr);
}
