#include "option.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <string.h>

#define OPTIONS_MAX 32
#define FIRST_LONG_ONLY 256 /* getopt's value of a row without letter is this plus its index */

static enum iso_status parse_number(const char *name, const char *text, double *ret_value,
                                    char **ret_rest, struct iso_error *reterr)
{
    char *rest = NULL;

    errno = 0;
    double value = strtod(text, &rest);
    if (rest == text || errno != 0 || !isfinite(value))
        return iso_fail(reterr, ISO_E_INVALID, name, "\"%s\" is not a number", text);
    *ret_rest = rest;
    *ret_value = value;
    return ISO_OK;
}

static enum iso_status parse_share(const char *name, const char *text, struct iso_share *ret_share,
                                   struct iso_error *reterr)
{
    double share = 0;
    char *rest = NULL;

    ISO_TRY(parse_number(name, text, &share, &rest, reterr));
    if (strcmp(rest, "%") == 0)
        share /= 100;
    else if (*rest)
        return iso_fail(reterr, ISO_E_INVALID, name, "\"%s\" is not a share; write 0.001 or 0.1%%",
                        text);
    if (share < 0 || share > 1)
        return iso_fail(reterr, ISO_E_INVALID, name, "\"%s\" is not in 0%% to 100%%", text);
    *ret_share = (struct iso_share){.given = true, .value = share};
    return ISO_OK;
}

static enum iso_status parse_seconds(const char *name, const char *text, double *ret_seconds,
                                     struct iso_error *reterr)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}};
    double value = 0;
    char *rest = NULL;

    ISO_TRY(parse_number(name, text, &value, &rest, reterr));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(units); i++) {
        if (strcmp(rest, units[i].unit) == 0 && value > 0) {
            *ret_seconds = value * units[i].seconds;
            return ISO_OK;
        }
    }
    return iso_fail(reterr, ISO_E_INVALID, name,
                    "\"%s\" is not a time above 0; write 500ms, 60s, 2m or 1h", text);
}

static enum iso_status add_text(const char *name, const char *text, struct iso_texts *texts,
                                struct iso_error *reterr)
{
    if (texts->n == ISO_TEXTS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, name, "is given more than %d times", ISO_TEXTS_MAX);
    texts->items[texts->n++] = text;
    return ISO_OK;
}

static enum iso_status parse_count(const char *name, const char *text, long *ret_count,
                                   struct iso_error *reterr)
{
    char *rest = NULL;

    errno = 0;
    long count = strtol(text, &rest, 10);
    if (rest == text || *rest || errno != 0 || count < 0)
        return iso_fail(reterr, ISO_E_INVALID, name, "\"%s\" is not a whole number of at least 0",
                        text);
    *ret_count = count;
    return ISO_OK;
}

static enum iso_status store(const struct iso_option *option, const char *text, void *values,
                             struct iso_error *reterr)
{
    void *member = (char *)values + option->offset;
    char name[64];

    snprintf(name, sizeof(name), "--%s", option->name);
    switch (option->kind) {
    case ISO_OPTION_FLAG:
        *(bool *)member = true;
        return ISO_OK;
    case ISO_OPTION_TEXT:
        *(const char **)member = text;
        return ISO_OK;
    case ISO_OPTION_COUNT:
        return parse_count(name, text, member, reterr);
    case ISO_OPTION_SHARE:
        return parse_share(name, text, member, reterr);
    case ISO_OPTION_LIST:
        return add_text(name, text, member, reterr);
    case ISO_OPTION_SECONDS:
        return parse_seconds(name, text, member, reterr);
    }
    return ISO_OK;
}

/* The first option that begins with the letter of the wrong one, as a hint. */
static const char *nearest(const struct iso_option *options, const char *wrong)
{
    while (*wrong == '-')
        wrong++;
    for (size_t length = strlen(wrong); length > 1; length--)
        for (const struct iso_option *option = options; option->name; option++)
            if (strncmp(option->name, wrong, length) == 0)
                return option->name;
    return NULL;
}

static enum iso_status refuse(const struct iso_option *options, const char *word, int letter,
                              int code, struct iso_error *reterr)
{
    char short_name[3] = {'-', (char)letter, 0};
    const char *name = letter > 0 && letter < FIRST_LONG_ONLY && word[1] != '-' ? short_name : word;
    const char *hint = nearest(options, name);

    if (code == ':')
        return iso_fail(reterr, ISO_E_INVALID, name, "a value must follow");
    if (hint)
        return iso_fail(reterr, ISO_E_INVALID, name, "no such option; did you mean --%s?", hint);
    return iso_fail(reterr, ISO_E_INVALID, name, "no such option");
}

enum iso_status iso_options_parse(const struct iso_option *options, int argc, char **argv,
                                  void *values, int *ret_operands, struct iso_error *reterr)
{
    struct option longs[OPTIONS_MAX + 1] = {0};
    char shorts[2 * OPTIONS_MAX + 3] = ":";
    size_t n_shorts = 1;
    int n = 0;

    for (; options[n].name; n++) {
        const struct iso_option *option = &options[n];
        ISO_ASSERT(n < OPTIONS_MAX);
        longs[n] = (struct option){
            .name = option->name,
            .has_arg = option->kind == ISO_OPTION_FLAG ? no_argument : required_argument,
            .val = FIRST_LONG_ONLY + n,
        };
        if (option->letter) {
            shorts[n_shorts++] = option->letter;
            if (option->kind != ISO_OPTION_FLAG)
                shorts[n_shorts++] = ':';
        }
    }

    optind = 0; /* glibc: begin afresh */
    opterr = 0;
    for (;;) {
        int code = getopt_long(argc, argv, shorts, longs, NULL);
        if (code < 0)
            break;
        if (code == '?' || code == ':')
            return refuse(options, argv[optind - 1], optopt, code, reterr);
        const struct iso_option *option = options;
        if (code >= FIRST_LONG_ONLY)
            option = &options[code - FIRST_LONG_ONLY];
        else
            while (option->letter != code)
                option++;
        ISO_TRY(store(option, optarg, values, reterr));
    }
    *ret_operands = optind;
    return ISO_OK;
}

void iso_options_print(const struct iso_option *options, FILE *stream)
{
    for (const struct iso_option *option = options; option->name; option++) {
        char name[64], letter[5] = "";
        if (option->letter)
            snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        snprintf(name, sizeof(name), "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        fprintf(stream, "  %-26s %s\n", name, option->summary);
    }
}
