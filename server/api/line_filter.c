/* Filters of lists: NAME=VALUE AND NAME=VALUE ..., and those of lines. */
#include "api_internal.h"

bool iso_filter_next(const char **text, struct iso_arena *arena, char **ret_name, char **ret_value,
                     struct iso_error *reterr)
{
    const char *begin = *text + strspn(*text, " ");
    const char *end = strstr(begin, " AND ");
    const char *equals;
    size_t n;

    if (!*begin)
        return false;
    if (!end)
        end = begin + strlen(begin);
    n = (size_t)(end - begin);
    while (n > 0 && begin[n - 1] == ' ')
        n--;
    equals = memchr(begin, '=', n);
    if (!equals || equals == begin || equals + 1 == begin + n) {
        iso_fail(reterr, ISO_E_INVALID, "filter",
                 "\"%.*s\" is not NAME=VALUE; terms are joined by AND", n > 60 ? 60 : (int)n,
                 begin);
        return false;
    }
    *ret_name = iso_arena_printf(arena, "%.*s", (int)(equals - begin), begin);
    *ret_value = iso_arena_printf(arena, "%.*s", (int)(begin + n - equals - 1), equals + 1);
    if (!*ret_name || !*ret_value) {
        iso_fail(reterr, ISO_E_LIMIT, "filter", "no memory for the filter");
        return false;
    }
    *text = *end ? end + strlen(" AND ") : end;
    return true;
}

static enum iso_status set_term(struct iso_line_filter *filter, const char *name, const char *value,
                                struct iso_error *reterr)
{
    const struct {
        const char *name;
        const char **member;
    } members[] = {{"workload", &filter->workload},
                   {"team", &filter->team},
                   {"offering", &filter->offering},
                   {"period", &filter->period},
                   {"provider", &filter->provider}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(members); i++) {
        if (strcmp(name, members[i].name) == 0) {
            *members[i].member = value;
            return ISO_OK;
        }
    }
    if (strcmp(name, "kind") != 0)
        return iso_fail(reterr, ISO_E_INVALID, "filter",
                        "\"%.60s\" is none of workload, team, offering, period, provider, kind",
                        name);
    filter->kind = iso_enum_by_name(&isocost__v1__line_kind__descriptor, "LINE_KIND_", value);
    if (!filter->kind)
        return iso_fail(reterr, ISO_E_INVALID, "filter",
                        "kind \"%.40s\" is none of INSTANCE, COMMITMENT_FEE, UPFRONT_SHARE, "
                        "EGRESS, MOVE, VOLUME",
                        value);
    return ISO_OK;
}

enum iso_status iso_line_filter_parse(const char *text, struct iso_arena *arena,
                                      struct iso_line_filter *ret_filter, struct iso_error *reterr)
{
    struct iso_error error = {0};
    char *name, *value;

    *ret_filter = (struct iso_line_filter){.place = -1};
    while (iso_filter_next(&text, arena, &name, &value, &error))
        ISO_TRY(set_term(ret_filter, name, value, reterr));
    return error.status == ISO_OK ? ISO_OK
                                  : iso_fail(reterr, error.status, error.field, "%s", error.text);
}

bool iso_line_filter_matches(const struct iso_line_filter *filter,
                             const Isocost__V1__PlanLine *line)
{
    const char *of = line->offering[0] ? line->offering
                     : line->from[0]   ? line->from
                                       : line->product;

    return (!filter->workload || strcmp(line->workload, filter->workload) == 0) &&
           (!filter->team || strcmp(line->team, filter->team) == 0) &&
           (!filter->offering || strcmp(line->offering, filter->offering) == 0) &&
           (!filter->period || strcmp(line->period, filter->period) == 0 ||
            (filter->place >= line->place && filter->place - line->place < line->periods)) &&
           (!filter->kind || (int)line->kind == filter->kind) &&
           (!filter->provider || (strncmp(of, filter->provider, strlen(filter->provider)) == 0 &&
                                  of[strlen(filter->provider)] == '/'));
}
