/* Zones of a region, and what is said of a type in each.
 *
 * os_extra_specs has a status for the region and overrides for zones, "az1(normal), az2(sellout)",
 * in which full-width brackets and commas occur. A zone that is not named has the status of the
 * region, and a region of which nothing is said is normal. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

/* ECS API reference, "Data Structure for Querying Details About Specifications". A public beta must
 * be applied for. */
static const struct iso_huawei_state states[] = {
    {"normal", ISO_PLUGIN_STATUS_AVAILABLE},     {"promotion", ISO_PLUGIN_STATUS_AVAILABLE},
    {"obt", ISO_PLUGIN_STATUS_RESTRICTED},       {"sellout", ISO_PLUGIN_STATUS_SOLD_OUT},
    {"obt_sellout", ISO_PLUGIN_STATUS_SOLD_OUT}, {"abandon", 0},
};
static const struct iso_huawei_state unknown_state = {NULL, ISO_PLUGIN_STATUS_UNKNOWN};

struct states_call {
    const struct iso_huawei_fetch *fetch;
    struct iso_huawei_region *region;
    const char *name;
    struct iso_huawei_type *type;
};

/* ---- Zones of the account ---- */

static struct iso_huawei_zone *find_zone(struct iso_huawei_region *region, const char *name)
{
    for (size_t z = 0; z < region->n_zones; z++)
        if (strcmp(region->zones[z].name, name) == 0)
            return &region->zones[z];
    return NULL;
}

static enum iso_status add_zone(const struct iso_huawei_fetch *fetch,
                                struct iso_huawei_region *region, const char *name, bool of_account,
                                struct iso_error *reterr)
{
    if (region->n_zones == ISO_HUAWEI_MAX_ZONES)
        return iso_fail(reterr, ISO_E_LIMIT, "", "%s has more than %d zones", fetch->place->region,
                        ISO_HUAWEI_MAX_ZONES);
    name = iso_huawei_keep(fetch, name);
    if (!name)
        return iso_huawei_full(reterr);
    region->zones[region->n_zones++] = (struct iso_huawei_zone){name, of_account};
    return ISO_OK;
}

enum iso_status iso_huawei_fetch_zones(const struct iso_huawei_fetch *fetch,
                                       struct iso_huawei_region *region, struct iso_error *reterr)
{
    const struct iso_json *list;
    ISO_AUTO_JSON *answer = NULL;
    char path[128];

    snprintf(path, sizeof(path), "/v1/%s/availability-zones", fetch->place->project);
    const struct iso_huawei_call call = {.service = "ecs", .path = path};
    ISO_TRY(iso_huawei_ask(fetch, &call, &answer, NULL, reterr));
    ISO_TRY(iso_huawei_list(answer, "availability_zones", &list, reterr));
    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *item = iso_json_item(list, i);
        const char *name = iso_json_text_at(item, "availability_zone_id");
        /* Edge zones have prices of their own. */
        if (strcmp(iso_json_text_at(item, "type"), "Edge") == 0 || find_zone(region, name))
            continue;
        if (!name[0])
            ISO_TRY(iso_report(fetch->sink, "missing_zone", /* quarantined= */ true,
                               fetch->place->region, "a zone without an id", reterr));
        else
            ISO_TRY(add_zone(fetch, region, name, /* of_account= */ true, reterr));
    }
    return ISO_OK;
}

/* ---- What is said of a type ---- */

static enum iso_status find_state(const struct states_call *call, const char *word,
                                  const struct iso_huawei_state **ret_state,
                                  struct iso_error *reterr)
{
    char place[ISO_HUAWEI_PLACE_BYTES];

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(states); i++)
        if (iso_name_equal(word, states[i].word)) {
            *ret_state = &states[i];
            return ISO_OK;
        }
    *ret_state = &unknown_state;
    return iso_report(call->fetch->sink, "unknown_status", /* quarantined= */ false,
                      iso_huawei_place_of(call->fetch, call->name, place),
                      "the status \"%.60s\" is not known", reterr, word);
}

/* Brackets, commas and blanks in their full width become ASCII, in place. */
static void narrow(char *text)
{
    static const struct {
        const char *wide;
        char narrow;
    } marks[] = {{"\xef\xbc\x88", '('},
                 {"\xef\xbc\x89", ')'},
                 {"\xef\xbc\x8c", ','},
                 {"\xe3\x80\x81", ','},
                 {"\xe3\x80\x80", ' '}};
    char *to = text;

    while (*text) {
        size_t i = 0;
        while (i < ISO_ARRAY_LENGTH(marks) && strncmp(text, marks[i].wide, 3) != 0)
            i++;
        if (i < ISO_ARRAY_LENGTH(marks)) {
            *to++ = marks[i].narrow;
            text += 3;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

/* The text up to one of `ends`, without blanks around it; cut out in place. *text moves behind the
 * end, whose character is returned. */
static char cut(char **text, const char *ends, char **ret_word)
{
    char *word = *text + strspn(*text, " \t\r\n"), *end = word + strcspn(word, ends);
    char at = *end;

    *text = end + (at != '\0');
    *end = '\0';
    for (; end > word && strchr(" \t\r\n", end[-1]); end--)
        end[-1] = '\0';
    *ret_word = word;
    return at;
}

static enum iso_status override(const struct states_call *call, const char *zone_name,
                                const char *word, struct iso_error *reterr)
{
    const struct iso_huawei_state *state;
    struct iso_huawei_zone *zone = find_zone(call->region, zone_name);

    if (!zone) {
        ISO_TRY(add_zone(call->fetch, call->region, zone_name, /* of_account= */ false, reterr));
        return iso_report(
            call->fetch->sink, "unknown_zone", /* quarantined= */ false, call->fetch->place->region,
            "types name the zone \"%.60s\", which the account does not have", reterr, zone_name);
    }
    ISO_TRY(find_state(call, word, &state, reterr));
    if (zone->of_account)
        call->type->states[zone - call->region->zones] = state->status ? state : NULL;
    return ISO_OK;
}

/* "az1(normal), az2(sellout)"; a zone without a status in brackets says nothing. */
static enum iso_status read_overrides(const struct states_call *call, char *text,
                                      struct iso_error *reterr)
{
    char place[ISO_HUAWEI_PLACE_BYTES], *zone, *word;

    narrow(text);
    while (text[strspn(text, ", \t\r\n")]) {
        text += strspn(text, ", \t\r\n");
        word = text + strlen(text);
        if (cut(&text, "(,", &zone) == '(')
            cut(&text, "),", &word);
        if (zone[0] && word[0])
            ISO_TRY(override(call, zone, word, reterr));
        else
            ISO_TRY(iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ false,
                               iso_huawei_place_of(call->fetch, call->name, place),
                               "cond:operation:az has \"%.60s\" without a status", reterr, zone));
    }
    return ISO_OK;
}

enum iso_status iso_huawei_read_states(const struct iso_huawei_fetch *fetch,
                                       struct iso_huawei_region *region, const char *name,
                                       const struct iso_json *specs, struct iso_huawei_type *type,
                                       struct iso_error *reterr)
{
    const struct states_call call = {fetch, region, name, type};
    const char *word = iso_json_text_at(specs, "cond:operation:status");
    const char *az = iso_json_text_at(specs, "cond:operation:az");
    const struct iso_huawei_state *state = &states[0];
    char *text = iso_scratch_text(fetch->row, az, strlen(az));

    if (!text)
        return iso_huawei_full(reterr);
    if (word[0])
        ISO_TRY(find_state(&call, word, &state, reterr));
    for (size_t z = 0; z < region->n_zones; z++)
        type->states[z] = region->zones[z].of_account && state->status ? state : NULL;
    return read_overrides(&call, text, reterr);
}
