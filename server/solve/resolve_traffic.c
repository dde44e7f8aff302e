/* Traffic and dependencies: places, routes between them, their prices and latencies. */
#include "resolve_traffic.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "model_check.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve_egress.h"

static const char *fold_after(const char *provider, const char *rest, struct iso_arena *arena)
{
    char *text = iso_arena_printf(arena, "%s/%s", provider, rest);

    for (char *c = text; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

const char *iso_place_fold(const char *place, struct iso_arena *arena)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE], provider[ISO_PROVIDER_BUFFER_SIZE];
    const char *slash = strchr(place, '/');
    size_t n = slash ? (size_t)(slash - place) : 0;

    if (n == 0 || n >= sizeof(provider) || slash[1] == '\0' || strchr(slash + 1, '/'))
        return NULL;
    memcpy(provider, place, n);
    provider[n] = '\0';
    const char *folded = iso_provider_fold(provider, buffer);
    return folded ? fold_after(folded, slash + 1, arena) : NULL;
}

const char *iso_place_pattern_fold(const char *pattern, struct iso_arena *arena)
{
    const char *folded = strchr(pattern, '/') ? iso_place_fold(pattern, arena) : NULL;

    return folded ? folded : iso_arena_strdup(arena, pattern);
}

static bool matches(const char *pattern, const char *place)
{
    size_t n = strlen(pattern);

    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(pattern, place, n - 1) == 0;
    return strcmp(pattern, place) == 0;
}

/* An entry of the model's prices, with folded patterns. */
struct entry {
    const Isocost__V1__EgressPrice *message;
    const char *from, *to;
};

struct traffic_resolve {
    struct iso_resolve *r;
    struct entry *entries;
    size_t n_entries;
    struct iso_names sites;
    struct iso_egress_pairs pairs;
};

static const char *name_of(const struct traffic_resolve *at, int32_t place)
{
    int32_t n_regions = at->r->problem->n_regions;

    return place < n_regions ? at->r->problem->region_names[place]
                             : at->sites.texts[place - n_regions];
}

/* Whether an entry names a pair; a place and itself only in full. */
static bool names_pair(const struct entry *entry, const char *from, const char *to)
{
    if (strcmp(from, to) == 0)
        return strcmp(entry->from, from) == 0 && strcmp(entry->to, to) == 0;
    return matches(entry->from, from) && matches(entry->to, to);
}

/* The first entry for a pair that has a price, or a latency. */
static const Isocost__V1__EgressPrice *find(const struct traffic_resolve *at, int32_t from,
                                            int32_t to, bool latency)
{
    for (size_t i = 0; i < at->n_entries; i++) {
        const struct entry *entry = &at->entries[i];
        bool has =
            latency ? entry->message->opt_latency_case != 0 : entry->message->price_per_gb != NULL;
        if (has && names_pair(entry, name_of(at, from), name_of(at, to)))
            return entry->message;
    }
    return NULL;
}

/* What the snapshot says of a pair that the model has no price for; *ret_known: it says something.
 */
static enum iso_status use_tariff(struct traffic_resolve *at, const char *path, int32_t from,
                                  int32_t to, struct iso_route *route, enum iso_direction direction,
                                  bool *ret_known, struct iso_error *reterr)
{
    const struct iso_egress_tariff *tariff = NULL;
    struct iso_resolve *r = at->r;

    ISO_TRY(iso_egress_pairs_find(&at->pairs, r, from, to, name_of(at, from), name_of(at, to),
                                  &tariff, reterr));
    *ret_known = tariff != NULL;
    if (!tariff || tariff->price == 0)
        return ISO_OK;
    int32_t currency = iso_names_find(&r->currencies, tariff->currency);
    if (currency < 0) {
        iso_violations_add(r->violations, path,
                           "moving data from %s to %s is priced in %s by the snapshot, and "
                           "model.currency.rates has no rate of it to %s for all periods",
                           name_of(at, from), name_of(at, to), tariff->currency,
                           r->currencies.texts[r->problem->base_currency]);
        return ISO_OK;
    }
    route->price[direction] = tariff->price;
    route->currency[direction] = currency;
    return ISO_OK;
}

static enum iso_status set_price(struct traffic_resolve *at, const char *path, const char *user,
                                 const struct iso_traffic *traffic, enum iso_direction direction,
                                 struct iso_route *route, struct iso_error *reterr)
{
    int32_t source = traffic->sources[route->source].place;
    int32_t from = direction == ISO_FORTH ? source : route->region;
    int32_t to = direction == ISO_FORTH ? route->region : source;
    const Isocost__V1__EgressPrice *entry = find(at, from, to, false);
    bool known = entry != NULL || from == to; /* inside of a place it is free unless it is named */

    route->currency[direction] = at->r->problem->base_currency;
    if (traffic->gb[direction] == 0)
        return ISO_OK;
    if (entry) {
        iso_money_to_decimal(entry->price_per_gb, &route->price[direction], NULL);
        route->currency[direction] =
            iso_names_find(&at->r->currencies, entry->price_per_gb->currency_code);
        return ISO_OK;
    }
    bool priced = false;
    ISO_TRY(use_tariff(at, path, from, to, route, direction, &priced, reterr));
    if (!known && !priced)
        iso_violations_add(at->r->violations, path,
                           "workload %s moves data from %s to %s, and neither egress_prices nor "
                           "the snapshot's rates of egress have a price for that",
                           user, name_of(at, from), name_of(at, to));
    return ISO_OK;
}

static void set_latency(struct traffic_resolve *at, const char *path, const char *user,
                        const struct iso_traffic *traffic, struct iso_route *route)
{
    int32_t source = traffic->sources[route->source].place;
    const Isocost__V1__EgressPrice *entry = find(at, source, route->region, true);

    if (!entry)
        entry = find(at, route->region, source, true);
    if (traffic->maximum_latency == ISO_UNKNOWN || (!entry && source == route->region))
        return;
    if (entry)
        route->latency = iso_number(entry->latency_ms);
    else
        iso_violations_add(at->r->violations, path,
                           "workload %s caps the latency between %s and %s, and no egress_prices "
                           "entry has a latency for that",
                           user, name_of(at, source), name_of(at, route->region));
}

/* Flags the regions of a workload's options; gives their number. */
static int32_t regions_of(const struct iso_problem *problem, const struct iso_workload *workload,
                          uint8_t *flags)
{
    int32_t n = 0;

    memset(flags, 0, (size_t)problem->n_regions);
    for (int32_t i = 0; i < workload->n_options; i++) {
        uint8_t *flag = &flags[problem->offerings[workload->options[i].offering].region];
        n += !*flag;
        *flag = 1;
    }
    return n;
}

/* Routes from every source to every region in which `served` may be served. */
static enum iso_status fill_routes(struct traffic_resolve *at, const char *path, const char *user,
                                   const struct iso_workload *served, struct iso_traffic *traffic,
                                   struct iso_error *reterr)
{
    const struct iso_problem *problem = at->r->problem;
    ISO_AUTO_MEM uint8_t *flags = iso_calloc((size_t)problem->n_regions, 1);
    struct iso_route *routes;

    if (!flags)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for traffic");
    size_t n = (size_t)regions_of(problem, served, flags) * (size_t)traffic->n_sources;
    routes = iso_arena_calloc(at->r->arena, n, sizeof(*routes));
    if (!routes)
        return iso_resolve_full(reterr);
    for (int32_t k = 0; k < traffic->n_sources; k++)
        for (int32_t region = 0; region < problem->n_regions; region++) {
            struct iso_route *route = &routes[traffic->n_routes];
            if (!flags[region])
                continue;
            traffic->n_routes++;
            route->source = k;
            route->region = region;
            ISO_TRY(set_price(at, path, user, traffic, ISO_FORTH, route, reterr));
            ISO_TRY(set_price(at, path, user, traffic, ISO_BACK, route, reterr));
            set_latency(at, path, user, traffic, route);
        }
    traffic->routes = routes;
    return ISO_OK;
}

static int32_t place_of(struct traffic_resolve *at, const char *text)
{
    const char *folded = iso_place_fold(text, at->r->arena);
    int32_t region = folded ? iso_names_find(&at->r->regions, folded) : -1;

    if (region >= 0 || !folded)
        return region;
    int32_t site = iso_names_add(&at->sites, folded);
    return site < 0 ? -1 : at->r->problem->n_regions + site;
}

static iso_decimal cap_of(double latency_ms)
{
    return latency_ms > 0 ? iso_number(latency_ms) : ISO_UNKNOWN;
}

static enum iso_status fill_traffic(struct traffic_resolve *at, int32_t a, const char *path,
                                    struct iso_traffic *traffic, struct iso_error *reterr)
{
    const Isocost__V1__Traffic *message = at->r->model->workloads[a]->traffic;
    const struct iso_workload *workload = &at->r->problem->workloads[a];
    struct iso_source *sources =
        iso_arena_calloc(at->r->arena, message->n_sources, sizeof(*sources));

    if (!sources)
        return iso_resolve_full(reterr);
    *traffic = (struct iso_traffic){
        .id = message->id,
        .other = -1,
        .gb = {iso_number(message->gb_per_unit_hour), iso_number(message->gb_back_per_unit_hour)},
        .maximum_latency = cap_of(message->maximum_latency_ms),
        .n_sources = (int32_t)message->n_sources,
        .sources = sources,
    };
    for (size_t i = 0; i < message->n_sources; i++) {
        sources[i].place = place_of(at, message->sources[i]->region);
        sources[i].share = iso_number(message->sources[i]->share);
        if (sources[i].place < 0)
            return iso_resolve_full(reterr);
    }
    return fill_routes(at, path, workload->id, workload, traffic, reterr);
}

static enum iso_status fill_dependency(struct traffic_resolve *at, int32_t a, const char *path,
                                       const Isocost__V1__Dependency *message,
                                       struct iso_traffic *traffic, struct iso_error *reterr)
{
    const struct iso_problem *problem = at->r->problem;
    const struct iso_workload *workload = &problem->workloads[a];
    ISO_AUTO_MEM uint8_t *flags = iso_calloc((size_t)problem->n_regions, 1);

    if (!flags)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for traffic");
    *traffic = (struct iso_traffic){
        .id = message->id,
        .other = iso_names_find(&at->r->workloads, message->workload),
        .gb = {iso_number(message->gb_per_unit_hour), iso_number(message->gb_back_per_unit_hour)},
        .maximum_latency = cap_of(message->maximum_latency_ms),
        .n_sources = regions_of(problem, workload, flags),
    };
    struct iso_source *sources =
        iso_arena_calloc(at->r->arena, (size_t)traffic->n_sources, sizeof(*sources));
    if (!sources)
        return iso_resolve_full(reterr);
    for (int32_t region = 0, k = 0; region < problem->n_regions; region++)
        if (flags[region])
            sources[k++].place = region;
    traffic->sources = sources;
    return fill_routes(at, path, workload->id, &problem->workloads[traffic->other], traffic,
                       reterr);
}

static enum iso_status fill_workload(struct traffic_resolve *at, int32_t a,
                                     struct iso_workload *workload, struct iso_error *reterr)
{
    const Isocost__V1__Workload *message = at->r->model->workloads[a];
    size_t n = (message->traffic != NULL) + message->n_dependencies;
    struct iso_traffic *traffic = iso_arena_calloc(at->r->arena, n, sizeof(*traffic));
    char path[ISO_PATH_SIZE], place[ISO_PATH_SIZE];

    if (!traffic)
        return iso_resolve_full(reterr);
    iso_check_path(path, "model", "workloads", (size_t)a);
    workload->traffic = traffic;
    if (message->traffic) {
        snprintf(place, sizeof(place), "%.128s.traffic", path);
        ISO_TRY(fill_traffic(at, a, place, &traffic[workload->n_traffic++], reterr));
    }
    if (message->n_dependencies > 0) /* a tree over the whole problem settles them */
        iso_resolve_check_size(at->r, "workloads", a, "dependencies");
    for (size_t i = 0; i < message->n_dependencies; i++) {
        iso_check_path(place, path, "dependencies", i);
        ISO_TRY(fill_dependency(at, a, place, message->dependencies[i],
                                &traffic[workload->n_traffic++], reterr));
    }
    return ISO_OK;
}

enum iso_status iso_resolve_traffic(struct iso_resolve *r, struct iso_workload *workloads,
                                    struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    struct traffic_resolve at = {.r = r, .n_entries = model->n_egress_prices};

    at.sites.arena = r->arena;
    at.entries = iso_arena_calloc(r->arena, at.n_entries, sizeof(*at.entries));
    for (size_t i = 0; at.entries && i < at.n_entries; i++)
        at.entries[i] = (struct entry){
            model->egress_prices[i],
            iso_place_pattern_fold(model->egress_prices[i]->from, r->arena),
            iso_place_pattern_fold(model->egress_prices[i]->to, r->arena),
        };
    if (iso_arena_full(r->arena))
        return iso_resolve_full(reterr);
    enum iso_status status = ISO_OK;
    for (int32_t a = 0; a < r->problem->n_workloads && status == ISO_OK; a++)
        if (model->workloads[a]->traffic || model->workloads[a]->n_dependencies > 0)
            status = fill_workload(&at, a, &workloads[a], reterr);
    if (status == ISO_OK)
        status = iso_egress_pairs_tell(&at.pairs, r, reterr);
    iso_egress_pairs_fini(&at.pairs);
    ISO_TRY(status);
    r->problem->n_sites = at.sites.n;
    r->problem->site_names = at.sites.texts;
    return ISO_OK;
}
