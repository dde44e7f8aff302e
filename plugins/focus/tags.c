/* Tags of a row: JSON in one column, or columns of their own. */
#include <stdio.h>

#include "isocost/sdk/json_document.h"
#include "row.h"

#define MAX_TAGS 200

struct tags {
    struct iso_bill_row *row;
    struct iso_plugin_label *labels; /* room for MAX_TAGS */
    size_t n;
};

static void no_memory(struct iso_bill_row *row)
{
    if (row->status == ISO_OK)
        row->status = iso_fail(row->error, ISO_E_NOMEM, "", "no memory for the tags of a row");
}

/* Reads an object; the exports of Azure leave its braces out. *ret_document stays NULL if it is
 * none. Errors: ISO_E_NOMEM. */
static enum iso_status read_object(struct iso_bill_row *row, const char *text,
                                   struct iso_json **ret_document)
{
    struct iso_json *document = NULL;
    size_t n = strlen(text);
    char *whole = iso_scratch_calloc(row->reader->scratch, n + 3, 1);

    if (!whole)
        return ISO_E_NOMEM;
    snprintf(whole, n + 3, "%s%s%s", text[0] == '{' ? "" : "{", text, text[0] == '{' ? "" : "}");
    enum iso_status status = iso_json_document_read(whole, strlen(whole), &document, NULL);
    if (status == ISO_OK && iso_json_kind(document) == ISO_JSON_OBJECT)
        *ret_document = document;
    else
        iso_json_document_free(document);
    return status == ISO_E_NOMEM ? ISO_E_NOMEM : ISO_OK;
}

/* Adds a tag; one without key or value is none. False: there is no room for it. */
static bool add(struct tags *tags, const char *key, const char *value)
{
    if (!key[0] || !value)
        return true;
    if (tags->n == MAX_TAGS) {
        iso_bill_note(tags->row, "too_many_tags", "there are more than %d; the others are left out",
                      MAX_TAGS);
        return false;
    }
    tags->labels[tags->n++] = (struct iso_plugin_label){key, value};
    return true;
}

static void add_members(struct tags *tags, const struct iso_json *document)
{
    bool room = true;

    for (void *m = iso_json_first(document); m && room; m = iso_json_next(document, m)) {
        const char *value = iso_json_scalar(iso_json_value(m), tags->row->reader->scratch);
        if (!value && iso_json_kind(iso_json_value(m)) == ISO_JSON_NUMBER)
            no_memory(tags->row);
        room = add(tags, iso_json_name(m), value);
    }
}

void iso_bill_tags(struct iso_bill_row *row, struct iso_json **ret_document)
{
    const char *text = iso_bill_text(row, ISO_BILL_TAGS);
    struct tags tags = {.row = row};
    bool room = true;

    tags.labels = iso_scratch_calloc(row->reader->scratch, MAX_TAGS, sizeof(*tags.labels));
    if (!tags.labels || (text && read_object(row, text, ret_document) != ISO_OK)) {
        no_memory(row);
        return;
    }
    if (text && !*ret_document)
        iso_bill_note(row, "malformed_tags", "the tags are no JSON object and are left out");
    if (*ret_document)
        add_members(&tags, *ret_document);
    for (size_t i = 0; i < row->columns->n_tags && room; i++) {
        const char *value = row->fields[row->columns->tags[i].place];
        room = add(&tags, row->columns->tags[i].key, value[0] ? value : NULL);
    }
    row->cost.tags = tags.labels;
    row->cost.n_tags = tags.n;
}
