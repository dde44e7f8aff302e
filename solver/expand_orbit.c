/* The way back from an orbit of caps: in each period, instances go to the first cap that has room,
 * and what covers them goes along. */
#include <stdlib.h>

#include "presolve.h"
#include "search.h"

/* Instances of one cell, period and offering that went to one cap. */
struct piece {
    int32_t period, cell, term, cap;
    int64_t count;
    iso_decimal uncovered;
};

struct dealer {
    const struct iso_orbit *orbit;
    int32_t period;
    int64_t *left; /* of each cap in the period at hand */
    int32_t n_pieces;
    struct piece *pieces;
};

static int32_t term_of(const struct iso_orbit *orbit, int32_t offering)
{
    for (int32_t k = 0; k < orbit->n_terms; k++)
        if (orbit->offerings[k] == offering)
            return k;
    return -1;
}

static void open_period(struct dealer *dealer, int32_t period)
{
    if (period == dealer->period)
        return;
    dealer->period = period;
    for (int32_t i = 0; i < dealer->orbit->n_limits; i++)
        dealer->left[i] = dealer->orbit->capacity[i];
}

/* The next piece of `count` instances. Where the cap that stands for all does not hold, neither do
 * the others, and what is beyond them stays with the last. */
static struct piece *deal(struct dealer *dealer, int32_t cell, int32_t term, int64_t count)
{
    struct piece piece = {.period = dealer->period, .cell = cell, .term = term};
    int32_t last = dealer->orbit->n_limits - 1;

    while (piece.cap < last && dealer->left[piece.cap] == 0)
        piece.cap++;
    int64_t room = dealer->left[piece.cap];
    piece.count = piece.cap < last && room < count ? room : count;
    dealer->left[piece.cap] = room > piece.count ? room - piece.count : 0;
    piece.uncovered = piece.count * ISO_DECIMAL_ONE;
    return iso_append(&dealer->pieces, &dealer->n_pieces, sizeof(piece), &piece)
               ? &dealer->pieces[dealer->n_pieces - 1]
               : NULL;
}

static int32_t twin_of(const struct iso_orbit *orbit, const struct piece *piece)
{
    return orbit->offerings[piece->cap * orbit->n_terms + piece->term];
}

static bool deal_uses(struct dealer *dealer, struct iso_plan *plan, int32_t *io_at, int32_t period,
                      const struct iso_use *before, int32_t n_before)
{
    for (; *io_at < n_before && before[*io_at].period == period; ++*io_at) {
        struct iso_use use = before[*io_at];
        int32_t term = term_of(dealer->orbit, use.offering);
        for (int64_t left = use.count; left > 0; left -= use.count) {
            use.count = left;
            if (term >= 0) {
                const struct piece *piece = deal(dealer, use.workload, term, left);
                if (!piece)
                    return false;
                use.count = piece->count;
                use.offering = twin_of(dealer->orbit, piece);
            }
            if (!iso_append(&plan->uses, &plan->n_uses, sizeof(use), &use))
                return false;
        }
    }
    return true;
}

/* A filling that goes to two caps is named twice, with entries of its own each time. */
static bool append_fill(struct iso_plan *plan, struct iso_fill fill, bool first)
{
    int32_t from = fill.first_entry;

    if (!first)
        fill.first_entry = plan->n_entries;
    for (int32_t e = 0; e < fill.n_entries && !first; e++) {
        struct iso_fill_entry entry = plan->entries[from + e];
        if (!iso_append(&plan->entries, &plan->n_entries, sizeof(entry), &entry))
            return false;
    }
    return iso_append(&plan->fills, &plan->n_fills, sizeof(fill), &fill);
}

static bool deal_fills(struct dealer *dealer, struct iso_plan *plan, int32_t *io_at, int32_t period,
                       const struct iso_fill *before, int32_t n_before, int32_t n_workloads)
{
    for (; *io_at < n_before && before[*io_at].period == period; ++*io_at) {
        struct iso_fill fill = before[*io_at];
        int32_t term = term_of(dealer->orbit, fill.offering);
        bool first = true;
        for (int64_t left = fill.instances; left > 0; left -= fill.instances) {
            fill.instances = left;
            if (term >= 0) {
                const struct piece *piece = deal(dealer, n_workloads + fill.team, term, left);
                if (!piece)
                    return false;
                fill.instances = piece->count;
                fill.offering = twin_of(dealer->orbit, piece);
            }
            if (!append_fill(plan, fill, first))
                return false;
            first = false;
        }
    }
    return true;
}

static int by_place(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;
    const int32_t keys[][2] = {
        {a->period, b->period}, {a->cell, b->cell}, {a->term, b->term}, {a->cap, b->cap}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

/* Fillings of one place that went to one cap are one piece to what covers them. */
static void join_pieces(struct dealer *dealer)
{
    int32_t n = 0;

    if (dealer->n_pieces > 0)
        qsort(dealer->pieces, (size_t)dealer->n_pieces, sizeof(*dealer->pieces), by_place);
    for (int32_t i = 0; i < dealer->n_pieces; i++) {
        if (n > 0 && by_place(&dealer->pieces[n - 1], &dealer->pieces[i]) == 0)
            dealer->pieces[n - 1].uncovered += dealer->pieces[i].uncovered;
        else
            dealer->pieces[n++] = dealer->pieces[i];
    }
    dealer->n_pieces = n;
}

/* The first piece of a place. */
static struct piece *find_pieces(const struct dealer *dealer, const struct iso_cover *cover,
                                 int32_t term)
{
    struct piece key = {.period = cover->period, .cell = cover->cell, .term = term, .cap = -1};
    int32_t low = 0, high = dealer->n_pieces;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (by_place(&dealer->pieces[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return &dealer->pieces[low];
}

/* What a product covers goes to the pieces of its place, as much as each has left. */
static bool deal_covers(struct dealer *dealer, struct iso_plan *plan)
{
    int32_t n_before = plan->n_covers;
    ISO_AUTO_MEM struct iso_cover *before = plan->covers;

    plan->covers = NULL;
    plan->n_covers = 0;
    join_pieces(dealer);
    for (int32_t i = 0; i < n_before; i++) {
        struct iso_cover cover = before[i];
        int32_t term = term_of(dealer->orbit, cover.offering);
        struct piece *piece = term >= 0 ? find_pieces(dealer, &cover, term) : NULL;
        for (iso_decimal left = cover.instances; left > 0; left -= cover.instances) {
            cover.instances = left;
            if (piece) {
                while (piece->uncovered == 0)
                    piece++;
                cover.instances = left < piece->uncovered ? left : piece->uncovered;
                cover.offering = twin_of(dealer->orbit, piece);
                piece->uncovered -= cover.instances;
            }
            if (!iso_append(&plan->covers, &plan->n_covers, sizeof(cover), &cover))
                return false;
        }
    }
    return true;
}

static bool deal_instances(struct dealer *dealer, const struct iso_problem *problem,
                           struct iso_plan *plan)
{
    int32_t n_uses = plan->n_uses, n_fills = plan->n_fills, use = 0, fill = 0;
    ISO_AUTO_MEM struct iso_use *uses = plan->uses;
    ISO_AUTO_MEM struct iso_fill *fills = plan->fills;

    plan->uses = NULL;
    plan->fills = NULL;
    plan->n_uses = plan->n_fills = 0;
    for (int32_t t = 0; t < problem->n_periods; t++) {
        open_period(dealer, t);
        if (!deal_uses(dealer, plan, &use, t, uses, n_uses) ||
            !deal_fills(dealer, plan, &fill, t, fills, n_fills, problem->n_workloads))
            return false;
    }
    return true;
}

/* A binding cap that stood for all binds each of them: they are all full. */
static bool share_bindings(const struct iso_presolve *presolve, const struct iso_orbit *orbit,
                           struct iso_plan *plan)
{
    int32_t n = plan->n_bindings;

    for (int32_t i = 0; i < n; i++) {
        struct iso_binding binding = plan->bindings[i];
        if (binding.rule.kind != ISO_RULE_LIMIT || binding.rule.a != orbit->limits[0])
            continue;
        for (int32_t m = 0; m < orbit->n_limits; m++) {
            binding.rule.a = orbit->limits[m];
            binding.value = binding.limit =
                iso_decimal_to_double(presolve->original->limits[orbit->limits[m]].bound);
            if (m == 0)
                plan->bindings[i] = binding;
            else if (!iso_append(&plan->bindings, &plan->n_bindings, sizeof(binding), &binding))
                return false;
        }
    }
    return true;
}

bool iso_expand_orbit(const struct iso_presolve *presolve, const struct iso_orbit *orbit,
                      struct iso_plan *plan)
{
    ISO_AUTO_MEM int64_t *left = iso_calloc((size_t)orbit->n_limits, sizeof(*left));
    struct dealer dealer = {.orbit = orbit, .period = -1, .left = left};

    iso_plan_sort(plan);
    bool ok = left && deal_instances(&dealer, presolve->original, plan) &&
              deal_covers(&dealer, plan) && share_bindings(presolve, orbit, plan) &&
              iso_expand_duals(plan, ISO_ROW_LIMIT, orbit->limits, orbit->n_limits);
    free(dealer.pieces);
    return ok;
}
