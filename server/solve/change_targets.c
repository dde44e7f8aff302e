/* What changes of a model can name. */
#include <stdio.h>
#include <string.h>

#include "changes.h"
#include "message_new.h"
#include "names.h"

#define TARGETS_MAX 1000

/* Distinct texts in order of adding. */
static void add(struct iso_names *names, const char *text)
{
    if (text && text[0] && names->n < TARGETS_MAX)
        iso_names_add(names, text);
}

static void add_ids(struct iso_names *names, const void *list, size_t n, size_t id_offset)
{
    char *const *messages;

    memcpy(&messages, list, sizeof(messages));
    for (size_t i = 0; i < n; i++)
        add(names, *(char *const *)(const void *)(messages[i] + id_offset));
}

static void add_workload_rules(struct iso_names *names, const Isocost__V1__Workload *w)
{
    add_ids(names, &w->shares, w->n_shares, offsetof(Isocost__V1__ShareRule, id));
    add_ids(names, &w->survive, w->n_survive, offsetof(Isocost__V1__SurviveRule, id));
    add_ids(names, &w->spread, w->n_spread, offsetof(Isocost__V1__SpreadRule, id));
    add_ids(names, &w->together, w->n_together, offsetof(Isocost__V1__AffinityRule, id));
    add_ids(names, &w->apart, w->n_apart, offsetof(Isocost__V1__AffinityRule, id));
    add_ids(names, &w->dependencies, w->n_dependencies, offsetof(Isocost__V1__Dependency, id));
    add(names, w->ramp ? w->ramp->id : NULL);
    add(names, w->traffic ? w->traffic->id : NULL);
}

static void add_place(struct iso_names *names, const char *provider, const char *region)
{
    add(names, provider);
    if (region && region[0] && strcmp(region, "*") != 0 && names->n < TARGETS_MAX) {
        const char *place = iso_arena_printf(names->arena, "%s/%s", provider, region);
        add(names, place);
    }
}

/* A region of a term with several providers may be of any of them, so it is named for none. */
static void add_places(struct iso_names *names, const Isocost__V1__Catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_offerings; i++)
        add_place(names, catalog->offerings[i]->provider, catalog->offerings[i]->region);
    for (size_t i = 0; i < catalog->n_selectors; i++)
        for (size_t k = 0; k < catalog->selectors[i]->n_include; k++) {
            const Isocost__V1__SelectorTerm *term = catalog->selectors[i]->include[k];
            for (size_t p = 0; p < term->n_provider; p++)
                add(names, term->provider[p]);
            for (size_t r = 0; term->n_provider == 1 && r < term->n_region; r++)
                add_place(names, term->provider[0], term->region[r]);
        }
}

static void give(const struct iso_names *names, size_t *ret_n, char ***ret_texts)
{
    *ret_n = (size_t)names->n;
    *ret_texts = (char **)(void *)names->texts;
}

Isocost__V1__ChangeTargets *iso_change_targets(const Isocost__V1__Model *model,
                                               struct iso_arena *arena)
{
    enum { WORKLOADS, PERIODS, LIMITS, BUDGETS, RULES, COMMITMENTS, PAIRS, PLACES, N };
    Isocost__V1__ChangeTargets *targets =
        iso_message_new(arena, &isocost__v1__change_targets__descriptor);
    struct iso_names names[N] = {0};
    const Isocost__V1__Model *m = model;

    for (int i = 0; i < N; i++)
        names[i].arena = arena;
    add_ids(&names[WORKLOADS], &m->workloads, m->n_workloads, offsetof(Isocost__V1__Workload, id));
    add_ids(&names[PERIODS], &m->periods, m->n_periods, offsetof(Isocost__V1__Period, id));
    add_ids(&names[LIMITS], &m->limits, m->n_limits, offsetof(Isocost__V1__Limit, id));
    add_ids(&names[BUDGETS], &m->budgets, m->n_budgets, offsetof(Isocost__V1__Budget, id));
    add_ids(&names[RULES], &m->limits, m->n_limits, offsetof(Isocost__V1__Limit, id));
    add_ids(&names[RULES], &m->budgets, m->n_budgets, offsetof(Isocost__V1__Budget, id));
    add_ids(&names[RULES], &m->volume_prices, m->n_volume_prices,
            offsetof(Isocost__V1__VolumePrice, id));
    for (size_t i = 0; i < m->n_workloads; i++)
        add_workload_rules(&names[RULES], m->workloads[i]);
    if (m->catalog) {
        add_ids(&names[COMMITMENTS], &m->catalog->products, m->catalog->n_products,
                offsetof(Isocost__V1__CommitmentProduct, id));
        add_places(&names[PLACES], m->catalog);
    }
    if (m->currency)
        add_ids(&names[PAIRS], &m->currency->rates, m->currency->n_rates,
                offsetof(Isocost__V1__ExchangeRate, pair));
    if (!targets || iso_arena_full(arena))
        return NULL;
    give(&names[WORKLOADS], &targets->n_workloads, &targets->workloads);
    give(&names[PERIODS], &targets->n_periods, &targets->periods);
    give(&names[LIMITS], &targets->n_limits, &targets->limits);
    give(&names[BUDGETS], &targets->n_budgets, &targets->budgets);
    give(&names[RULES], &targets->n_rules, &targets->rules);
    give(&names[COMMITMENTS], &targets->n_commitments, &targets->commitments);
    give(&names[PAIRS], &targets->n_pairs, &targets->pairs);
    give(&names[PLACES], &targets->n_places, &targets->places);
    return targets;
}
