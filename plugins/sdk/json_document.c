#include "isocost/sdk/json_document.h"

#include <jansson.h>

#include "isocost/sdk/number.h"
#include "json_load.h"

static const unsigned char byte_order_mark[] = {0xef, 0xbb, 0xbf};

/* jansson nests up to 2,048 deep; each level costs it stack. */
static enum iso_status check_depth(const char *text, size_t n_bytes, struct iso_error *reterr)
{
    bool in_text = false;
    int depth = 0;

    for (size_t i = 0; i < n_bytes; i++) {
        char c = text[i];
        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text && (c == '{' || c == '['))
            depth++;
        else if (!in_text && (c == '}' || c == ']'))
            depth--;
        if (depth > ISO_JSON_DOCUMENT_DEPTH)
            return iso_fail(reterr, ISO_E_INVALID, "", "JSON with more than %d levels",
                            ISO_JSON_DOCUMENT_DEPTH);
    }
    return ISO_OK;
}

enum iso_status iso_json_document_read(const void *bytes, size_t n_bytes,
                                       struct iso_json **ret_document, struct iso_error *reterr)
{
    const char *text = bytes;
    json_error_t error;
    bool no_memory;

    if (n_bytes >= sizeof(byte_order_mark) &&
        memcmp(bytes, byte_order_mark, sizeof(byte_order_mark)) == 0) {
        text += sizeof(byte_order_mark);
        n_bytes -= sizeof(byte_order_mark);
    }
    ISO_TRY(check_depth(text, n_bytes, reterr));
    json_t *document =
        iso_json_load(text, n_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error, &no_memory);
    if (no_memory)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a JSON document");
    if (!document)
        return iso_fail(reterr, ISO_E_INVALID, "", "not JSON at line %d, column %d: %s", error.line,
                        error.column, error.text);
    *ret_document = (struct iso_json *)document;
    return ISO_OK;
}

void iso_json_document_free(struct iso_json *document)
{
    json_decref((json_t *)document);
}

const struct iso_json *iso_json_at(const struct iso_json *value, const char *path)
{
    char name[64];

    while (value && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof(name))
            return NULL;
        memcpy(name, path, n);
        name[n] = '\0';
        value = iso_json_member(value, name);
        path += n;
        path += *path == '.';
    }
    return value;
}

const char *iso_json_text_at(const struct iso_json *value, const char *path)
{
    const char *text = json_string_value((const json_t *)iso_json_at(value, path));

    return text ? text : "";
}

struct iso_amount iso_json_amount_at(const struct iso_json *value, const char *path,
                                     struct iso_scratch *scratch)
{
    struct iso_amount amount = {0};
    const char *text = iso_json_scalar(iso_json_at(value, path), scratch);

    if (iso_number_read_rounded(text, &amount, NULL) != ISO_NUMBER_READ)
        return (struct iso_amount){0};
    return amount;
}

void iso_json_print(const struct iso_json *value, struct iso_text *text)
{
    char *printed =
        json_dumps((const json_t *)value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

    if (printed)
        iso_text_add(text, "%s", printed);
    else
        text->failed = true;
    free(printed);
}
