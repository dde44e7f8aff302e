#include "text_host.h"

static enum iso_status read_file(const struct iso_host *host, const char *path, int64_t max_bytes,
                                 iso_receive receive, void *context, struct iso_error *reterr)
{
    const struct text_host *texts = (const struct text_host *)host;

    for (size_t i = 0; i < texts->n_files; i++)
        if (strcmp(strrchr(path, '/') + 1, texts->files[i].name) == 0) {
            size_t n = strlen(texts->files[i].text);
            if ((int64_t)n > max_bytes)
                return iso_fail(reterr, ISO_E_LIMIT, "path", "too large");
            return receive(context, (const unsigned char *)texts->files[i].text, n, reterr);
        }
    return iso_fail(reterr, ISO_E_NOT_FOUND, "path", "%s: no such file", path);
}

static enum iso_status list_files(const struct iso_host *host, const char *path,
                                  iso_receive_name receive, void *context, struct iso_error *reterr)
{
    const struct text_host *texts = (const struct text_host *)host;

    if (!texts->is_folder)
        return iso_fail(reterr, ISO_E_INVALID, "path", "%s is not a folder", path);
    for (size_t i = 0; i < texts->n_files; i++)
        ISO_TRY(receive(context, texts->files[i].name, reterr));
    return ISO_OK;
}

struct text_host text_host_of(const struct text_file *files, size_t n_files, bool is_folder)
{
    return (struct text_host){.host = {.read_file = read_file, .list_files = list_files},
                              .files = files,
                              .n_files = n_files,
                              .is_folder = is_folder};
}
