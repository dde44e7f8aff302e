#include "parameters.h"

#include <errno.h>
#include <unistd.h>

#include "isocost/base/memory.h"

static int distance(const char *a, const char *b)
{
    int row[64] = {0};
    int n = (int)strlen(b);

    if (n >= 63)
        return n;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

static const char *nearest(const struct iso_parameter *table, size_t n_table, const char *name)
{
    const char *best = table[0].name;

    for (size_t i = 1; i < n_table; i++)
        if (distance(name, table[i].name) < distance(name, best))
            best = table[i].name;
    return best;
}

static enum iso_status parse_level(const char *value, int *ret_level, struct iso_error *reterr)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    for (int i = 0; i < (int)ISO_ARRAY_LENGTH(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            *ret_level = i;
            return ISO_OK;
        }
    }
    return iso_fail(reterr, ISO_E_INVALID, "log-level",
                    "--log-level is \"%.40s\"; it must be debug, info, warning or error", value);
}

static enum iso_status parse_whole(const struct iso_parameter *parameter, const char *value,
                                   int *ret_number, struct iso_error *reterr)
{
    char *end = NULL;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (end == value || *end || errno || number < parameter->min || number > parameter->max)
        return iso_fail(reterr, ISO_E_INVALID, parameter->name,
                        "--%s is \"%.40s\"; it must be a whole number in [%ld, %ld]",
                        parameter->name, value, parameter->min, parameter->max);
    *ret_number = (int)number;
    return ISO_OK;
}

static enum iso_status add(struct iso_parameter_list *list, const char *name, const char *value,
                           struct iso_error *reterr)
{
    if (list->n == ISO_PARAMETER_LIST_MOST)
        return iso_fail(reterr, ISO_E_INVALID, name, "more than %d times --%s",
                        ISO_PARAMETER_LIST_MOST, name);
    list->items[list->n++] = value;
    return ISO_OK;
}

static enum iso_status set(const struct iso_parameter *parameter, const char *value, void *values,
                           struct iso_error *reterr)
{
    void *member = (char *)values + parameter->offset;

    switch (parameter->type) {
    case ISO_PARAMETER_FLAG:
        *(bool *)member = true;
        return ISO_OK;
    case ISO_PARAMETER_TEXT:
        if (!*value)
            return iso_fail(reterr, ISO_E_INVALID, parameter->name, "--%s is empty",
                            parameter->name);
        *(const char **)member = value;
        return ISO_OK;
    case ISO_PARAMETER_LIST:
        return add(member, parameter->name, value, reterr);
    case ISO_PARAMETER_WHOLE:
        return parse_whole(parameter, value, member, reterr);
    case ISO_PARAMETER_LEVEL:
        return parse_level(value, member, reterr);
    }
    return ISO_E_INTERNAL;
}

static enum iso_status parse_one(const struct iso_parameter *table, size_t n_table, int argc,
                                 char *const *argv, int *at, void *values, struct iso_error *reterr)
{
    const char *argument = argv[*at], *equals = strchr(argument, '=');
    size_t n = equals ? (size_t)(equals - argument) : strlen(argument);
    char name[64];

    if (strncmp(argument, "--", 2) != 0 || n < 3 || n - 2 >= sizeof(name))
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "\"%.60s\" is not a flag; flags are --NAME VALUE (see --help)", argument);
    snprintf(name, sizeof(name), "%.*s", (int)n - 2, argument + 2);
    for (size_t i = 0; i < n_table; i++) {
        if (strcmp(name, table[i].name) != 0)
            continue;
        if (table[i].type == ISO_PARAMETER_FLAG && equals)
            return iso_fail(reterr, ISO_E_INVALID, name, "--%s takes no value", name);
        if (table[i].type != ISO_PARAMETER_FLAG && !equals && ++*at == argc)
            return iso_fail(reterr, ISO_E_INVALID, name, "--%s needs a value", name);
        return set(&table[i], equals ? equals + 1 : argv[*at], values, reterr);
    }
    return iso_fail(reterr, ISO_E_INVALID, name, "--%s is not known; did you mean --%s?", name,
                    nearest(table, n_table, name));
}

enum iso_status iso_parameters_parse(const struct iso_parameter *table, size_t n_table, int argc,
                                     char *const *argv, void *ret_values, struct iso_error *reterr)
{
    for (size_t i = 0; i < n_table; i++)
        if (table[i].type == ISO_PARAMETER_WHOLE || table[i].type == ISO_PARAMETER_LEVEL)
            ISO_TRY(set(&table[i], table[i].def, ret_values, reterr));
    for (int i = 1; i < argc; i++)
        ISO_TRY(parse_one(table, n_table, argc, argv, &i, ret_values, reterr));
    return ISO_OK;
}

int iso_parameters_solvers(int given)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (given > 0)
        return given;
    return cores < 1 ? 1 : cores > 256 ? 256 : (int)cores;
}

void iso_parameters_help(const struct iso_parameter *table, size_t n_table, FILE *file)
{
    for (size_t i = 0; i < n_table; i++) {
        const struct iso_parameter *parameter = &table[i];

        fprintf(file, "  --%s%s%s\n      %s", parameter->name, parameter->unit ? " " : "",
                parameter->unit ? parameter->unit : "", parameter->sentence);
        if (parameter->type == ISO_PARAMETER_WHOLE)
            fprintf(file, " In [%ld, %ld].", parameter->min, parameter->max);
        if (parameter->def)
            fprintf(file, " Default: %s.", parameter->def);
        fputc('\n', file);
    }
}
