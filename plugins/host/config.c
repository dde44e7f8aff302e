#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

#define MAX_PARAMS 256
#define MAX_NAME_BYTES 64

/* Row `i`; an older plugin's rows are shorter than ours. */
static struct iso_param param_at(const struct iso_plugin *plugin, size_t i)
{
    struct iso_param param = {0};

    memcpy(&param, (const char *)plugin->params + i * plugin->param_bytes, plugin->param_bytes);
    return param;
}

static size_t size_of(int32_t type)
{
    switch (type) {
    case ISO_PARAM_REAL:
        return sizeof(double);
    case ISO_PARAM_INT:
        return sizeof(int64_t);
    case ISO_PARAM_BOOL:
        return sizeof(bool);
    case ISO_PARAM_TEXT:
        return sizeof(const char *);
    default:
        return 0;
    }
}

/* Counts the rows and checks them, so that writing by offset stays inside the config struct. */
static enum iso_status check_table(const struct iso_plugin *plugin, size_t *ret_n,
                                   struct iso_error *reterr)
{
    size_t n = 0;

    for (; plugin->params; n++) {
        struct iso_param param = param_at(plugin, n);
        size_t size = size_of(param.type);

        if (param.type == ISO_PARAM_END)
            break;
        if (n == MAX_PARAMS || size == 0 || !param.name || !param.name[0] ||
            strlen(param.name) > MAX_NAME_BYTES || plugin->config_size < size ||
            param.offset > plugin->config_size - size || param.offset % size != 0)
            return iso_fail(reterr, ISO_E_INVALID, "params",
                            "row %zu of the parameter table of plugin '%s' breaks the ABI's rules",
                            n, plugin->name);
    }
    *ret_n = n;
    return ISO_OK;
}

/* Levenshtein's distance, of names short enough for one row of the table. */
static size_t distance(const char *a, const char *b)
{
    size_t row[MAX_NAME_BYTES + 1], length = strlen(b);

    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

static enum iso_status unknown_name(const struct iso_plugin *plugin, size_t n_params,
                                    const char *name, struct iso_error *reterr)
{
    const char *nearest = NULL;
    size_t nearest_distance = 0;

    for (size_t i = 0; i < n_params; i++) {
        struct iso_param param = param_at(plugin, i);
        size_t far = distance(name, param.name);
        if (!nearest || far < nearest_distance) {
            nearest = param.name;
            nearest_distance = far;
        }
    }
    if (!nearest)
        return iso_fail(reterr, ISO_E_INVALID, name, "plugin '%s' has no parameters", plugin->name);
    return iso_fail(reterr, ISO_E_INVALID, name,
                    "plugin '%s' has no parameter '%.64s'; the nearest is '%s'", plugin->name, name,
                    nearest);
}

static enum iso_status out_of_range(const struct iso_param *param, const char *text,
                                    struct iso_error *reterr)
{
    const char *unit = param->unit ? param->unit : "";

    return iso_fail(reterr, ISO_E_INVALID, param->name,
                    "\"%.64s\" is not allowed; %s from %.15g to %.15g%s%s is", text,
                    param->type == ISO_PARAM_INT ? "a whole number" : "a number", param->min,
                    param->max, unit[0] ? " " : "", unit);
}

static enum iso_status set_number(const struct iso_param *param, const char *text, void *member,
                                  struct iso_error *reterr)
{
    char *end;

    errno = 0;
    if (param->type == ISO_PARAM_REAL) {
        double value = strtod(text, &end);
        if (end == text || *end || isspace((unsigned char)text[0]) || !isfinite(value) ||
            value < param->min || value > param->max)
            return out_of_range(param, text, reterr);
        memcpy(member, &value, sizeof(value));
        return ISO_OK;
    }
    long long whole = strtoll(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)text[0]) || errno != 0 ||
        (double)whole < param->min || (double)whole > param->max)
        return out_of_range(param, text, reterr);
    int64_t value = whole;
    memcpy(member, &value, sizeof(value));
    return ISO_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    for (const char *word = choices; *word;) {
        size_t n = strcspn(word, "|");
        if (n == length && memcmp(word, text, n) == 0)
            return true;
        word += n;
        word += *word == '|';
    }
    return false;
}

static enum iso_status set_text(const struct iso_param *param, const char *text, void *member,
                                struct iso_error *reterr)
{
    size_t length = strlen(text);

    if (param->choices && !is_choice(param->choices, text))
        return iso_fail(reterr, ISO_E_INVALID, param->name,
                        "\"%.64s\" is not allowed; one of %.200s is", text, param->choices);
    if (!param->choices && ((double)length < param->min || (double)length > param->max))
        return iso_fail(reterr, ISO_E_INVALID, param->name,
                        "a text of %zu bytes; %.15g to %.15g are allowed", length, param->min,
                        param->max);
    char *copy = iso_strdup(text);
    if (!copy)
        return iso_fail(reterr, ISO_E_NOMEM, param->name, "no memory for a text");
    memcpy(member, &copy, sizeof(copy));
    return ISO_OK;
}

static enum iso_status set_member(const struct iso_param *param, const char *text, void *config,
                                  struct iso_error *reterr)
{
    void *member = (char *)config + param->offset;
    bool yes = strcmp(text, "true") == 0;

    switch (param->type) {
    case ISO_PARAM_BOOL:
        if (!yes && strcmp(text, "false") != 0)
            return iso_fail(reterr, ISO_E_INVALID, param->name,
                            "\"%.64s\" is not allowed; true or false is", text);
        memcpy(member, &yes, sizeof(yes));
        return ISO_OK;
    case ISO_PARAM_TEXT:
        return set_text(param, text, member, reterr);
    default:
        return set_number(param, text, member, reterr);
    }
}

static enum iso_status find_value(const struct iso_config_value *values, size_t n_values,
                                  const char *name, const char **ret_value,
                                  struct iso_error *reterr)
{
    const char *found = NULL;

    for (size_t i = 0; i < n_values; i++) {
        if (strcmp(values[i].name, name) != 0)
            continue;
        if (found)
            return iso_fail(reterr, ISO_E_INVALID, name, "the parameter is given twice");
        found = values[i].value;
    }
    *ret_value = found;
    return ISO_OK;
}

enum iso_status iso_config_make(const struct iso_plugin *plugin,
                                const struct iso_config_value *values, size_t n_values,
                                void **ret_config, struct iso_error *reterr)
{
    ISO_AUTO_MEM void *config = iso_calloc(1, plugin->config_size);
    size_t n_params = 0;

    if (!config)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a config");
    ISO_TRY(check_table(plugin, &n_params, reterr));
    for (size_t v = 0; v < n_values; v++) {
        bool known = false;
        for (size_t i = 0; i < n_params && !known; i++)
            known = strcmp(param_at(plugin, i).name, values[v].name) == 0;
        if (!known)
            return unknown_name(plugin, n_params, values[v].name, reterr);
    }
    for (size_t i = 0; i < n_params; i++) {
        struct iso_param param = param_at(plugin, i);
        const char *text = NULL;

        ISO_TRY(find_value(values, n_values, param.name, &text, reterr));
        if (!text)
            text = param.def;
        if (!text)
            return iso_fail(reterr, ISO_E_INVALID, param.name,
                            "the parameter must be given: %.200s",
                            param.summary ? param.summary : "");
        ISO_TRY(set_member(&param, text, config, reterr));
    }
    *ret_config = ISO_STEAL(config);
    return ISO_OK;
}

static const char *type_word(int32_t type)
{
    switch (type) {
    case ISO_PARAM_REAL:
        return "real";
    case ISO_PARAM_INT:
        return "integer";
    case ISO_PARAM_BOOL:
        return "boolean";
    default:
        return "text";
    }
}

static bool add_choices(const char *choices, struct iso_arena *arena,
                        Isocost__V1__PluginParameter *message)
{
    char *copy = iso_arena_strdup(arena, choices), *rest = NULL;

    message->choices = iso_arena_calloc(arena, strlen(choices) + 1, sizeof(char *));
    if (!copy || !message->choices)
        return false;
    for (char *word = strtok_r(copy, "|", &rest); word; word = strtok_r(NULL, "|", &rest))
        message->choices[message->n_choices++] = word;
    return true;
}

static Isocost__V1__PluginParameter *describe(const struct iso_param *param,
                                              struct iso_arena *arena)
{
    Isocost__V1__PluginParameter *message = iso_arena_calloc(arena, 1, sizeof(*message));

    if (!message)
        return NULL;
    isocost__v1__plugin_parameter__init(message);
    message->name = iso_arena_strdup(arena, param->name);
    message->type = (char *)type_word(param->type);
    message->default_value = iso_arena_strdup(arena, param->def ? param->def : "");
    message->required = !param->def;
    message->minimum = param->min;
    message->maximum = param->max;
    message->unit = iso_arena_strdup(arena, param->unit ? param->unit : "");
    message->summary = iso_arena_strdup(arena, param->summary ? param->summary : "");
    if (param->choices && !add_choices(param->choices, arena, message))
        return NULL;
    return iso_arena_full(arena) ? NULL : message;
}

enum iso_status iso_config_describe(const struct iso_plugin *plugin, struct iso_arena *arena,
                                    Isocost__V1__PluginParameter ***ret_parameters,
                                    size_t *ret_n_parameters, struct iso_error *reterr)
{
    Isocost__V1__PluginParameter **parameters;
    size_t n = 0;

    ISO_TRY(check_table(plugin, &n, reterr));
    parameters = iso_arena_calloc(arena, n, sizeof(*parameters));
    for (size_t i = 0; i < n; i++) {
        struct iso_param param = param_at(plugin, i);
        if (!parameters || !(parameters[i] = describe(&param, arena)))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a description");
    }
    *ret_parameters = parameters;
    *ret_n_parameters = n;
    return ISO_OK;
}
