#include "column_classes.h"

#define MOST_GROUPS 8 /* of prices; with more of them, offerings of changing prices are alone */
#define MOST_HELD_AGAINST 16 /* others that an option is held against */

/* A class while its options are collected. */
struct open_class {
    int32_t like; /* an option of it */
    int32_t best; /* the one with the least price for what it serves */
    int32_t head; /* of those that stand for it, linked by `next`; -1: none yet */
};

struct maker {
    const struct iso_verifier *v;
    const struct iso_worth *unit;
    const struct iso_workload *workload;
    int32_t cell, period;       /* one of the price group */
    bool *varies;               /* n_offerings: alone, since its price changes too often */
    int32_t *next;              /* by option */
    int32_t *class_of;          /* by option: its place in `classes`, in the end its number */
    struct open_class *classes; /* as many as there are options at most */
    int32_t n_classes;
    int32_t *slots; /* hash table: a class, or -1 */
    size_t n_slots; /* a power of 2 */
};

/* --- when an option is like another one --- */

static uint64_t mix(uint64_t hash, int64_t number)
{
    return (hash ^ (uint64_t)number) * UINT64_C(0x100000001b3);
}

static const struct iso_verify_link *limits_of(const struct iso_verifier *v, int32_t offering,
                                               int32_t *ret_n)
{
    *ret_n = v->first_limit[offering + 1] - v->first_limit[offering];
    return &v->limits[v->first_limit[offering]];
}

/* The products that may cover an option: none when it is spot. */
static const struct iso_verify_link *products_of(const struct maker *maker, int32_t option,
                                                 int32_t *ret_n)
{
    const struct iso_verifier *v = maker->v;
    int32_t k = v->first_option[maker->cell] + option;

    *ret_n = v->problem->offerings[maker->workload->options[option].offering].spot
                 ? 0
                 : v->first_reach[k + 1] - v->first_reach[k];
    return &v->reach[v->first_reach[k]];
}

static uint64_t hash_of(const struct maker *maker, int32_t option)
{
    const struct iso_problem *problem = maker->v->problem;
    int32_t o = maker->workload->options[option].offering, n;
    uint64_t hash = iso_worth_hash(maker->unit, option);

    hash = mix(mix(hash, problem->offerings[o].currency), maker->varies[o] ? o : -1);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        hash = mix(hash, problem->budgets[b].offerings[o]);
    const struct iso_verify_link *links = limits_of(maker->v, o, &n);
    for (int32_t i = 0; i < n; i++)
        hash = mix(hash, links[i].index);
    links = products_of(maker, option, &n);
    for (int32_t i = 0; i < n; i++)
        hash = mix(hash, links[i].index);
    return hash ^ hash >> 32;
}

static bool are_same_links(const struct iso_verify_link *links, int32_t n,
                           const struct iso_verify_link *others, int32_t n_others)
{
    for (int32_t i = 0; i < n && n == n_others; i++)
        if (links[i].index != others[i].index)
            return false;
    return n == n_others;
}

static bool is_of_class(const struct maker *maker, int32_t option, int32_t other)
{
    const struct iso_problem *problem = maker->v->problem;
    int32_t o = maker->workload->options[option].offering;
    int32_t p = maker->workload->options[other].offering, n, n_others;

    if (!iso_worth_is_same(maker->unit, option, other) || maker->varies[o] || maker->varies[p] ||
        problem->offerings[o].currency != problem->offerings[p].currency)
        return false;
    for (int32_t b = 0; b < problem->n_budgets; b++)
        if (problem->budgets[b].offerings[o] != problem->budgets[b].offerings[p])
            return false;
    for (int32_t k = 0; k < problem->n_volumes; k++)
        if (problem->volumes[k].offerings[o] != problem->volumes[k].offerings[p])
            return false;
    const struct iso_verify_link *links = limits_of(maker->v, o, &n);
    const struct iso_verify_link *others = limits_of(maker->v, p, &n_others);
    if (!are_same_links(links, n, others, n_others))
        return false;
    links = products_of(maker, option, &n);
    others = products_of(maker, other, &n_others);
    return are_same_links(links, n, others, n_others);
}

/* --- when an option stands for another one of its class --- */

/* Sign of a / s_a - b / s_b. */
static int compare_shares(iso_decimal a, iso_decimal s_a, iso_decimal b, iso_decimal s_b)
{
    iso_wide left = (iso_wide)a * s_b, right = (iso_wide)b * s_a;

    return (left > right) - (left < right);
}

static iso_decimal price_of(const struct maker *maker, int32_t option)
{
    return iso_problem_price(maker->v->problem, maker->workload->options[option].offering,
                             maker->period);
}

static bool is_cheaper(const struct maker *maker, int32_t option, int32_t other)
{
    const struct iso_option *options = maker->workload->options;

    return compare_shares(price_of(maker, option), options[option].served, price_of(maker, other),
                          options[other].served) < 0;
}

static bool stands_for(const struct maker *maker, int32_t option, int32_t other)
{
    const struct iso_problem *problem = maker->v->problem;
    const struct iso_option *p = &maker->workload->options[option];
    const struct iso_option *o = &maker->workload->options[other];
    int32_t n;

    if (is_cheaper(maker, other, option))
        return false;
    const struct iso_verify_link *own = limits_of(maker->v, p->offering, &n);
    const struct iso_verify_link *others = limits_of(maker->v, o->offering, &n);
    for (int32_t i = 0; i < n; i++) {
        int sign = problem->limits[own[i].index].minimum ? -1 : 1;
        if (sign * compare_shares(own[i].weight, p->served, others[i].weight, o->served) > 0)
            return false;
    }
    own = products_of(maker, option, &n);
    others = products_of(maker, other, &n);
    for (int32_t i = 0; i < n; i++)
        if (compare_shares(own[i].weight, p->served, others[i].weight, o->served) > 0)
            return false;
    return true;
}

/* --- the classes of a workload in a price group --- */

/* The class of an option, which is new when there is none that it belongs to. */
static int32_t find_class(struct maker *maker, int32_t option)
{
    size_t at = hash_of(maker, option) & (maker->n_slots - 1);

    while (maker->slots[at] >= 0 &&
           !is_of_class(maker, option, maker->classes[maker->slots[at]].like))
        at = (at + 1) & (maker->n_slots - 1);
    if (maker->slots[at] < 0) {
        maker->classes[maker->n_classes] = (struct open_class){option, option, -1};
        maker->slots[at] = maker->n_classes++;
    }
    return maker->slots[at];
}

static void collect(struct maker *maker)
{
    int32_t n = maker->workload->n_options;

    maker->n_classes = 0;
    maker->n_slots = 16;
    while (maker->n_slots < 2 * (size_t)n)
        maker->n_slots *= 2;
    memset(maker->slots, 0xff, maker->n_slots * sizeof(*maker->slots));
    for (int32_t i = 0; i < n; i++) {
        struct open_class *class = &maker->classes[maker->class_of[i] = find_class(maker, i)];
        if (is_cheaper(maker, i, class->best))
            class->best = i;
    }
}

/* Puts an option among those that stand for its class, unless one of them stands for it; takes out
 * those that it stands for. The first one, which is the cheapest, stays the first. */
static void hold_against(struct maker *maker, struct open_class *class, int32_t option)
{
    int32_t *at = &class->head;

    for (int32_t k = 0; k < MOST_HELD_AGAINST && *at >= 0; k++) {
        if (stands_for(maker, *at, option))
            return;
        if (stands_for(maker, option, *at))
            *at = maker->next[*at];
        else
            at = &maker->next[*at];
    }
    at = class->head < 0 ? &class->head : &maker->next[class->head];
    maker->next[option] = *at;
    *at = option;
}

static void add_workload(struct maker *maker, struct iso_column_classes *classes)
{
    collect(maker);
    for (int32_t k = 0; k < maker->n_classes; k++)
        hold_against(maker, &maker->classes[k], maker->classes[k].best);
    for (int32_t i = 0; i < maker->workload->n_options; i++) {
        struct open_class *class = &maker->classes[maker->class_of[i]];
        if (i != class->best)
            hold_against(maker, class, i);
    }
    for (int32_t i = 0; i < maker->workload->n_options; i++)
        maker->class_of[i] += classes->n_classes;
    for (int32_t k = 0; k < maker->n_classes; k++) {
        for (int32_t i = maker->classes[k].head; i >= 0; i = maker->next[i])
            classes->options[classes->first_option[classes->n_classes + 1]++] = i;
        classes->n_classes++;
        classes->first_option[classes->n_classes + 1] = classes->first_option[classes->n_classes];
    }
}

/* --- price groups --- */

/* Whether the exceptions of two periods, by offering, are the same. */
static bool are_alike(const struct iso_price_exception *const *exceptions, const int32_t *first,
                      int32_t t, int32_t other)
{
    int32_t n = first[t + 1] - first[t];

    if (n != first[other + 1] - first[other])
        return false;
    for (int32_t i = 0; i < n; i++) {
        const struct iso_price_exception *a = exceptions[first[t] + i];
        const struct iso_price_exception *b = exceptions[first[other] + i];
        if (a->offering != b->offering || a->price != b->price)
            return false;
    }
    return true;
}

/* Groups the periods, of which `periods` gets one of each group. When there would be too many there
 * is one of all, and what has exceptions varies. */
static enum iso_status group_periods(struct iso_column_classes *classes, struct maker *maker,
                                     int32_t periods[MOST_GROUPS])
{
    const struct iso_problem *problem = maker->v->problem;
    int32_t n_periods = problem->n_periods, n = problem->n_price_exceptions;
    ISO_AUTO_MEM int32_t *first = iso_calloc((size_t)n_periods + 2, sizeof(*first));
    ISO_AUTO_MEM const struct iso_price_exception **exceptions =
        iso_calloc((size_t)n, sizeof(*exceptions));

    if (!first || !exceptions)
        return ISO_E_NOMEM;
    for (int32_t i = 0; i < n; i++)
        first[problem->price_exceptions[i].period + 2]++;
    for (int32_t t = 0; t < n_periods; t++)
        first[t + 2] += first[t + 1];
    for (int32_t i = 0; i < n; i++) /* first[t + 1] grows to the end of t */
        exceptions[first[problem->price_exceptions[i].period + 1]++] =
            &problem->price_exceptions[i];
    for (int32_t t = 0; t < n_periods; t++) {
        int32_t group = 0;
        while (group < classes->n_groups && !are_alike(exceptions, first, t, periods[group]))
            group++;
        if (group == MOST_GROUPS) {
            memset(classes->group_of, 0, (size_t)n_periods * sizeof(*classes->group_of));
            classes->n_groups = 1;
            for (int32_t i = 0; i < n; i++)
                maker->varies[problem->price_exceptions[i].offering] = true;
            return ISO_OK;
        }
        if (group == classes->n_groups)
            periods[classes->n_groups++] = t;
        classes->group_of[t] = group;
    }
    return ISO_OK;
}

/* Makes room for as many classes and options as there may be. */
static bool make_room(struct iso_column_classes *classes, const struct iso_problem *problem)
{
    size_t n_groups = (size_t)classes->n_groups, n_options = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n_options += problem->workloads[a].replicas ? 0 : (size_t)problem->workloads[a].n_options;
    classes->first_class =
        iso_calloc((size_t)problem->n_workloads * n_groups + 1, sizeof(*classes->first_class));
    classes->first_option = iso_calloc(n_options * n_groups + 2, sizeof(*classes->first_option));
    classes->options = iso_calloc(n_options * n_groups, sizeof(*classes->options));
    classes->class_of = iso_calloc(n_options * n_groups, sizeof(*classes->class_of));
    classes->first_of = iso_calloc((size_t)problem->n_workloads, sizeof(*classes->first_of));
    return classes->first_class && classes->first_option && classes->options && classes->class_of &&
           classes->first_of;
}

static enum iso_status make_all(struct iso_column_classes *classes, struct maker *maker,
                                const struct iso_worth *units)
{
    const struct iso_problem *problem = maker->v->problem;
    int32_t periods[MOST_GROUPS] = {0}, *first_class;

    ISO_TRY(group_periods(classes, maker, periods));
    if (!make_room(classes, problem))
        return ISO_E_NOMEM;
    first_class = classes->first_class;
    maker->class_of = classes->class_of;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        classes->first_of[a] = (size_t)(maker->class_of - classes->class_of);
        maker->unit = &units[a];
        maker->workload = &problem->workloads[a];
        maker->cell = a;
        for (int32_t group = 0; group < classes->n_groups; group++) {
            maker->period = periods[group];
            if (!maker->workload->replicas) {
                add_workload(maker, classes);
                maker->class_of += maker->workload->n_options;
            }
            *++first_class = classes->n_classes;
        }
    }
    return ISO_OK;
}

enum iso_status iso_column_classes_new(const struct iso_verifier *v, const struct iso_worth *units,
                                       struct iso_column_classes **ret_classes)
{
    const struct iso_problem *problem = v->problem;
    size_t most = 0, n_slots = 16;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        if ((size_t)problem->workloads[a].n_options > most)
            most = (size_t)problem->workloads[a].n_options;
    while (n_slots < 2 * most)
        n_slots *= 2;
    ISO_AUTO_MEM bool *varies = iso_calloc((size_t)problem->n_offerings, sizeof(*varies));
    ISO_AUTO_MEM int32_t *next = iso_calloc(most, sizeof(*next));
    ISO_AUTO_MEM struct open_class *open = iso_calloc(most, sizeof(*open));
    ISO_AUTO_MEM int32_t *slots = iso_calloc(n_slots, sizeof(*slots));
    struct iso_column_classes *classes = iso_calloc(1, sizeof(*classes));
    struct maker maker = {.v = v, .varies = varies, .next = next, .classes = open, .slots = slots};

    if (classes)
        classes->group_of = iso_calloc((size_t)problem->n_periods, sizeof(*classes->group_of));
    if (!varies || !next || !open || !slots || !classes || !classes->group_of ||
        make_all(classes, &maker, units) != ISO_OK) {
        iso_column_classes_free(classes);
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    }
    *ret_classes = classes;
    return ISO_OK;
}

void iso_column_classes_free(struct iso_column_classes *classes)
{
    if (!classes)
        return;
    free(classes->group_of);
    free(classes->first_class);
    free(classes->first_option);
    free(classes->options);
    free(classes->first_of);
    free(classes->class_of);
    free(classes);
}
