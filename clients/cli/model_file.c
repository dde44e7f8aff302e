#include "model_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "isocost/proto/json.h"
#include "isocost/proto/yaml_place.h"

#define FILE_BYTES_MAX ((size_t)256 << 20)
#define READ_BYTES ((size_t)64 << 10)

static enum iso_status read_all(FILE *stream, const char *path, char **ret_text, size_t *ret_n,
                                struct iso_error *reterr)
{
    ISO_AUTO_MEM char *text = NULL;
    size_t n = 0, room = 0;

    for (;;) {
        if (room - n < READ_BYTES) {
            char *more = iso_realloc(text, room = 2 * room + READ_BYTES + 1, 1);
            if (!more)
                return iso_fail(reterr, ISO_E_NOMEM, path, "no memory for the file");
            text = more;
        }
        size_t got = fread(text + n, 1, READ_BYTES, stream);
        n += got;
        if (got == 0)
            break;
        if (n > FILE_BYTES_MAX)
            return iso_fail(reterr, ISO_E_LIMIT, path, "the file has more than %zu MiB",
                            FILE_BYTES_MAX >> 20);
    }
    if (ferror(stream))
        return iso_fail(reterr, ISO_E_INVALID, path, "%s", strerror(errno));
    text[n] = 0;
    *ret_text = ISO_STEAL(text);
    *ret_n = n;
    return ISO_OK;
}

static enum iso_status read_path(const char *path, char **ret_text, size_t *ret_n,
                                 struct iso_error *reterr)
{
    if (strcmp(path, "-") == 0)
        return read_all(stdin, "standard input", ret_text, ret_n, reterr);

    FILE *stream = fopen(path, "rbe");
    if (!stream)
        return iso_fail(reterr, ISO_E_INVALID, path, "%s", strerror(errno));
    enum iso_status status = read_all(stream, path, ret_text, ret_n, reterr);
    fclose(stream);
    return status;
}

static const char *shown_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

/* "line 14: text" or "text" -> "file:14: field: text". */
static void complain(const struct iso_model_file *file, const char *field, const char *text,
                     FILE *messages)
{
    int line = 0, length = 0;

    if (sscanf(text, "line %d: %n", &line, &length) == 1 && length > 0)
        text += length;
    else
        line = iso_yaml_line_of(file->text, file->n_bytes, field);
    fputs(shown_name(file->path), messages);
    if (line > 0)
        fprintf(messages, ":%d", line);
    if (*field)
        fprintf(messages, ": %s", field);
    fprintf(messages, ": %s\n", text);
}

void iso_model_file_complain(const struct iso_model_file *file, const char *field, const char *text,
                             FILE *messages)
{
    while (strncmp(field, "model.", 6) == 0)
        field += 6;
    if (strcmp(field, "model") == 0)
        field = "";
    complain(file, field, text, messages);
}

static bool is_json(const struct iso_model_file *file)
{
    size_t blank = strspn(file->text, " \t\r\n");

    return file->text[blank] == '{';
}

enum iso_status iso_model_file_read(const char *path, struct iso_arena *arena, FILE *messages,
                                    struct iso_model_file *ret_file, struct iso_error *reterr)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_model_file file = {.path = path};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;
    ISO_AUTO_MEM char *text = NULL;

    ISO_TRY(read_path(path, &text, &file.n_bytes, reterr));
    file.text = iso_arena_calloc(arena, file.n_bytes + 1, 1);
    if (!file.text)
        return iso_fail(reterr, ISO_E_NOMEM, path, "no memory for the file");
    memcpy(file.text, text, file.n_bytes);

    enum iso_status status =
        is_json(&file) ? iso_json_read(&isocost__v1__model__descriptor, file.text, file.n_bytes,
                                       arena, &violations, &message, &error)
                       : iso_yaml_read(&isocost__v1__model__descriptor, file.text, file.n_bytes,
                                       arena, &violations, &message, &error);
    if (status == ISO_OK) {
        file.model = (Isocost__V1__Model *)message;
        *ret_file = file;
        return ISO_OK;
    }
    for (int i = 0; i < violations.n; i++)
        complain(&file, violations.items[i].field, violations.items[i].text, messages);
    if (violations.n_dropped > 0)
        fprintf(messages, "%s: and %d more\n", shown_name(path), violations.n_dropped);
    if (violations.n == 0)
        complain(&file, error.field, error.text, messages);
    *ret_file = file;
    return iso_fail(reterr, status, path, "the model is wrong in %d place%s",
                    violations.n + violations.n_dropped + (violations.n == 0),
                    violations.n > 1 ? "s" : "");
}
