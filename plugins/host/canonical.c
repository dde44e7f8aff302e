/* The texts that signatures are made of. */
#include <ctype.h>
#include <stdio.h>

#include "message.h"

static bool is_unreserved(unsigned char c)
{
    return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

char *iso_percent_encode(const char *text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = iso_calloc(3 * strlen(text) + 1, 1);
    char *to = encoded;

    if (!encoded)
        return NULL;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (is_unreserved(*c) || (keep_slash && *c == '/')) {
            *to++ = (char)*c;
        } else {
            *to++ = '%';
            *to++ = digits[*c >> 4];
            *to++ = digits[*c & 15];
        }
    }
    return encoded;
}

/* Writes `pairs` with '&' between. NULL: out of memory. */
static char *joined(const struct iso_pairs *pairs)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *to = open_memstream(&text, &n_bytes);

    if (!to)
        return NULL;
    for (size_t i = 0; i < pairs->n; i++)
        fprintf(to, "%s%s=%s", i ? "&" : "", pairs->list[i].name, pairs->list[i].value);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool encode_pairs(const struct iso_pairs *pairs, struct iso_pairs *ret_encoded)
{
    for (size_t i = 0; i < pairs->n; i++) {
        ISO_AUTO_MEM char *name = iso_percent_encode(pairs->list[i].name, /* keep_slash= */ false);
        ISO_AUTO_MEM char *value =
            iso_percent_encode(pairs->list[i].value, /* keep_slash= */ false);
        if (!name || !value || iso_pairs_add(ret_encoded, name, value, NULL) != ISO_OK)
            return false;
    }
    return true;
}

char *iso_form(const struct iso_pairs *fields)
{
    struct iso_pairs encoded = {0};
    char *text = encode_pairs(fields, &encoded) ? joined(&encoded) : NULL;

    iso_pairs_fini(&encoded);
    return text;
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct iso_pair *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order ? order : strcmp(left->value, right->value);
}

char *iso_canonical_query(const struct iso_pairs *query)
{
    struct iso_pairs encoded = {0};
    char *text = NULL;

    if (encode_pairs(query, &encoded)) {
        if (encoded.n > 1)
            qsort(encoded.list, encoded.n, sizeof(*encoded.list), by_name_and_value);
        text = joined(&encoded);
    }
    iso_pairs_fini(&encoded);
    return text;
}

char *iso_normal_path(const char *path)
{
    char *normal = iso_calloc(strlen(path) + 2, 1);
    char *to = normal;

    if (!normal)
        return NULL;
    for (const char *segment = path; *segment;) {
        size_t n = strcspn(segment, "/");
        const char *next = segment + n + (segment[n] == '/');

        if (n == 2 && memcmp(segment, "..", 2) == 0) {
            while (to > normal && *--to != '/')
                ;
        } else if (n > 0 && !(n == 1 && *segment == '.')) {
            *to++ = '/';
            memcpy(to, segment, n);
            to += n;
        }
        segment = next;
    }
    if (to == normal || path[strlen(path) - 1] == '/')
        *to++ = '/';
    *to = '\0';
    return normal;
}

/* Trims and makes each run of white space one space, in place. */
static void squeeze(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        if (!isspace((unsigned char)*from))
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    while (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* A header and where it stood, so that equal names stay in order. */
struct ranked {
    const struct iso_pair *pair;
    size_t rank;
};

static int by_name_and_rank(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    int order = strcmp(left->pair->name, right->pair->name);

    return order ? order : (left->rank > right->rank) - (left->rank < right->rank);
}

static enum iso_status write_headers(const struct ranked *headers, size_t n, char **ret_lines,
                                     char **ret_names)
{
    char *lines = NULL, *names = NULL;
    size_t n_line_bytes = 0, n_name_bytes = 0;
    FILE *to_lines = open_memstream(&lines, &n_line_bytes);
    FILE *to_names = open_memstream(&names, &n_name_bytes);
    bool good = to_lines && to_names;

    for (size_t i = 0; i < n && good; i++) {
        const struct iso_pair *pair = headers[i].pair;
        bool again = i > 0 && strcmp(headers[i - 1].pair->name, pair->name) == 0;

        if (again) {
            fprintf(to_lines, ",%s", pair->value);
            continue;
        }
        fprintf(to_lines, "%s%s:%s", i ? "\n" : "", pair->name, pair->value);
        fprintf(to_names, "%s%s", i ? ";" : "", pair->name);
    }
    if (good && n > 0)
        fputc('\n', to_lines);
    good &= !to_lines || fclose(to_lines) == 0;
    good &= !to_names || fclose(to_names) == 0;
    if (!good) {
        free(lines);
        free(names);
        return ISO_E_NOMEM;
    }
    *ret_lines = lines;
    *ret_names = names;
    return ISO_OK;
}

enum iso_status iso_canonical_headers(const struct iso_pairs *headers,
                                      bool (*is_signed)(const char *name), char **ret_lines,
                                      char **ret_names, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct ranked *ranked = iso_calloc(headers->n, sizeof(*ranked));
    struct iso_pairs taken = {0};
    enum iso_status status = ranked ? ISO_OK : ISO_E_NOMEM;

    for (size_t i = 0; i < headers->n && status == ISO_OK; i++) {
        if (!is_signed || is_signed(headers->list[i].name))
            status = iso_pairs_add(&taken, headers->list[i].name, headers->list[i].value, NULL);
    }
    for (size_t i = 0; i < taken.n && status == ISO_OK; i++) {
        lower(taken.list[i].name);
        squeeze(taken.list[i].value);
        ranked[i] = (struct ranked){&taken.list[i], i};
    }
    if (status == ISO_OK && taken.n > 1)
        qsort(ranked, taken.n, sizeof(*ranked), by_name_and_rank);
    if (status == ISO_OK)
        status = write_headers(ranked, taken.n, ret_lines, ret_names);
    iso_pairs_fini(&taken);
    return status == ISO_OK ? ISO_OK
                            : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a signature");
}
