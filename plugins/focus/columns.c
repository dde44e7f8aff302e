#include "columns.h"

#include <ctype.h>
#include <stdio.h>

#include "isocost/sdk/report.h"

#define MAX_NAME_BYTES 128

static const struct iso_bill_dialect *const dialects[] = {&iso_dialect_focus, &iso_dialect_aws,
                                                          &iso_dialect_azure};

void iso_bill_columns_fini(struct iso_bill_columns *columns)
{
    for (size_t i = 0; i < columns->n_tags; i++)
        free(columns->tags[i].key);
    free(columns->tags);
    *columns = (struct iso_bill_columns){0};
}

/* The part of a name that counts: what stands in parentheses at its end, or all of it. */
static const char *original(const char *name, size_t *ret_n, bool *ret_translated)
{
    size_t n = strlen(name);
    const char *open = strrchr(name, '(');

    *ret_translated = open && open > name && n > 0 && name[n - 1] == ')';
    *ret_n = *ret_translated ? (size_t)(name + n - 1 - (open + 1)) : n;
    return *ret_translated ? open + 1 : name;
}

/* Letters and digits in lower case; returns whether the name was translated. */
static bool fold(const char *name, char folded[MAX_NAME_BYTES])
{
    size_t n_name, n = 0;
    bool translated;
    const char *from = original(name, &n_name, &translated);

    for (size_t i = 0; i < n_name && n + 1 < MAX_NAME_BYTES; i++)
        if (isalnum((unsigned char)from[i]))
            folded[n++] = (char)tolower((unsigned char)from[i]);
    folded[n] = '\0';
    return translated;
}

/* A header with its names folded. */
struct header {
    size_t n;
    char (*names)[MAX_NAME_BYTES];
};

static int32_t find(const struct header *header, const char *name, size_t n_bytes)
{
    for (size_t i = 0; i < header->n; i++)
        if (strlen(header->names[i]) == n_bytes && memcmp(header->names[i], name, n_bytes) == 0)
            return (int32_t)i;
    return -1;
}

/* Whether the header has one name of each group: "a|b,c" is (a or b) and c. */
static bool has_signature(const struct header *header, const char *signature)
{
    bool found = false;

    for (const char *next = signature;; next++) {
        size_t n = strcspn(next, "|,");
        found = found || find(header, next, n) >= 0;
        next += n;
        if (*next == '\0')
            return found;
        if (*next == ',' && !found)
            return false;
        if (*next == ',')
            found = false;
    }
}

/* Whether a name is in a list "|a|b*|"; a star stands for any rest. */
static bool is_listed(const char *list, const char *name)
{
    for (const char *next = list; *next; next++) {
        size_t n = strcspn(next, "|");
        bool any_rest = n > 0 && next[n - 1] == '*';

        if (n > 0 && (any_rest ? strncmp(next, name, n - 1) == 0
                               : strlen(name) == n && memcmp(next, name, n) == 0))
            return true;
        next += n;
        if (!*next)
            break;
    }
    return false;
}

static bool is_column(const struct iso_bill_dialect *dialect, const char *name)
{
    for (size_t i = 0; dialect->columns[i].name; i++)
        if (strcmp(dialect->columns[i].name, name) == 0)
            return true;
    return is_listed(dialect->other, name);
}

static enum iso_status add_tag(struct iso_bill_columns *columns, size_t place, const char *key,
                               struct iso_error *reterr)
{
    void *larger = iso_realloc(columns->tags, columns->n_tags + 1, sizeof(*columns->tags));

    if (!larger)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a header");
    columns->tags = larger;
    columns->tags[columns->n_tags].place = (int32_t)place;
    columns->tags[columns->n_tags].key = iso_strdup(key);
    if (!columns->tags[columns->n_tags].key)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a header");
    columns->n_tags++;
    return ISO_OK;
}

/* What the names that are no fields are: tags, names without use, or unknown. */
static enum iso_status sort_others(struct iso_focus_reader *reader, const char *const *names,
                                   const struct header *header, struct iso_bill_columns *columns,
                                   struct iso_error *reterr)
{
    const char *prefix = columns->dialect->tag_prefix;

    for (size_t i = 0; i < header->n; i++) {
        if (prefix && strncmp(names[i], prefix, strlen(prefix)) == 0)
            ISO_TRY(add_tag(columns, i, names[i] + strlen(prefix), reterr));
        else if (!is_column(columns->dialect, header->names[i]))
            ISO_TRY(iso_report(reader->sink, "unknown_column", /* quarantined= */ false,
                               reader->file, "%s does not know column %zu, \"%.80s\"", reterr,
                               columns->dialect->name, i + 1, names[i]));
    }
    return ISO_OK;
}

static enum iso_status bind(struct iso_focus_reader *reader, const char *const *names,
                            const struct header *header, struct iso_bill_columns *columns,
                            struct iso_error *reterr)
{
    for (size_t d = 0; d < ISO_ARRAY_LENGTH(dialects) && !columns->dialect; d++)
        if (has_signature(header, dialects[d]->signature))
            columns->dialect = dialects[d];
    if (!columns->dialect)
        return iso_fail(reterr, ISO_E_INVALID, "header",
                        "the header is not one of FOCUS, of AWS's Cost and Usage Report or of "
                        "Azure's cost exports; columns are separated by commas");
    columns->n = header->n;
    for (size_t f = 0; f < ISO_BILL_N_FIELDS; f++)
        columns->places[f] = -1;
    for (size_t i = 0; columns->dialect->columns[i].name; i++) {
        int field = columns->dialect->columns[i].field;
        const char *name = columns->dialect->columns[i].name;
        if (columns->places[field] < 0)
            columns->places[field] = find(header, name, strlen(name));
    }
    return sort_others(reader, names, header, columns, reterr);
}

enum iso_status iso_bill_columns_bind(struct iso_focus_reader *reader, const char *const *names,
                                      size_t n_header, struct iso_bill_columns *ret_columns,
                                      struct iso_error *reterr)
{
    struct header header = {.n = n_header};
    ISO_AUTO_MEM char(*folded)[MAX_NAME_BYTES] = iso_calloc(n_header, sizeof(*folded));
    struct iso_bill_columns columns = {0};
    size_t n_translated = 0;

    if (!folded)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a header");
    header.names = folded;
    for (size_t i = 0; i < n_header; i++)
        n_translated += fold(names[i], folded[i]);
    enum iso_status status = bind(reader, names, &header, &columns, reterr);
    if (status == ISO_OK && n_translated > 0)
        status =
            iso_report(reader->sink, "translated_header", /* quarantined= */ false, reader->file,
                       "%zu columns have translated names", reterr, n_translated);
    if (status != ISO_OK) {
        iso_bill_columns_fini(&columns);
        return status;
    }
    *ret_columns = columns;
    return ISO_OK;
}
