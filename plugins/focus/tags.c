/* Tags of a row: JSON in one column, or columns of their own. */
#include <stdio.h>

#include "isocost/sdk/json_document.h"
#include "row.h"

#define MAX_TAGS 200

static void add(struct iso_plugin_label *tags, size_t *n, const char *key, const char *value)
{
    if (*n < MAX_TAGS && key[0] && value)
        tags[(*n)++] = (struct iso_plugin_label){key, value};
}

/* Reads an object; the exports of Azure leave its braces out. */
static struct iso_json *read_object(struct iso_bill_row *row, const char *text)
{
    struct iso_json *document = NULL;
    size_t n = strlen(text);
    char *whole = iso_scratch_calloc(row->reader->scratch, n + 3, 1);

    if (!whole)
        return NULL;
    snprintf(whole, n + 3, "%s%s%s", text[0] == '{' ? "" : "{", text, text[0] == '{' ? "" : "}");
    if (iso_json_document_read(whole, strlen(whole), &document, NULL) != ISO_OK ||
        iso_json_kind(document) != ISO_JSON_OBJECT) {
        iso_json_document_free(document);
        return NULL;
    }
    return document;
}

void iso_bill_tags(struct iso_bill_row *row, struct iso_json **ret_document)
{
    const char *text = iso_bill_text(row, ISO_BILL_TAGS);
    struct iso_scratch *scratch = row->reader->scratch;
    struct iso_plugin_label *tags = iso_scratch_calloc(scratch, MAX_TAGS, sizeof(*tags));
    struct iso_json *document = text ? read_object(row, text) : NULL;
    size_t n = 0;

    *ret_document = document;
    if (!tags)
        return;
    if (text && !document)
        iso_bill_note(row, "malformed_tags", "the tags are no JSON object and are left out");
    for (void *m = document ? iso_json_first(document) : NULL; m; m = iso_json_next(document, m))
        add(tags, &n, iso_json_name(m), iso_json_scalar(iso_json_value(m), scratch));
    for (size_t i = 0; i < row->columns->n_tags; i++) {
        const char *value = row->fields[row->columns->tags[i].place];
        add(tags, &n, row->columns->tags[i].key, value[0] ? value : NULL);
    }
    row->cost.tags = tags;
    row->cost.n_tags = n;
}
