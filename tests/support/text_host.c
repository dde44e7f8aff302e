#include "text_host.h"

static enum iso_status find(const struct iso_host *host, const char *path, const char **ret_text,
                            struct iso_error *reterr)
{
    const struct text_host *texts = (const struct text_host *)host;

    for (size_t i = 0; i < texts->n_files; i++)
        if (strcmp(strrchr(path, '/') + 1, texts->files[i].name) == 0) {
            *ret_text = texts->files[i].text;
            return ISO_OK;
        }
    return iso_fail(reterr, ISO_E_NOT_FOUND, "path", "%s: no such file", path);
}

static enum iso_status read_file(const struct iso_host *host, const char *path, int64_t max_bytes,
                                 iso_receive receive, void *context, struct iso_error *reterr)
{
    const char *text = NULL;

    ISO_TRY(find(host, path, &text, reterr));
    if ((int64_t)strlen(text) > max_bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "path", "too large");
    return receive(context, (const unsigned char *)text, strlen(text), reterr);
}

static enum iso_status file_facts(const struct iso_host *host, const char *path, int64_t *ret_bytes,
                                  int64_t *ret_changed_ns, struct iso_error *reterr)
{
    const char *text = NULL;

    ISO_TRY(find(host, path, &text, reterr));
    *ret_bytes = (int64_t)strlen(text);
    *ret_changed_ns = 0;
    return ISO_OK;
}

static int64_t now_ns(const struct iso_host *host)
{
    (void)host;
    return INT64_C(1767225600000000000); /* 2026-01-01 */
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
    return (struct text_host){.host = {.cache_directory = "",
                                       .now_ns = now_ns,
                                       .read_file = read_file,
                                       .list_files = list_files,
                                       .file_facts = file_facts},
                              .files = files,
                              .n_files = n_files,
                              .is_folder = is_folder};
}
