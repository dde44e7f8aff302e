/* Whole instances for one period of must-serve demands, hard caps and commitments.
 *
 * What is *scarce* - units of commitments that are held, and caps that would be exceeded - is dealt
 * out among the workloads; then each workload a stands alone with q_a steps missing, and a table
 * knows what covers them at least cost without anything scarce (horizon_table.c). A deal z costs
 *
 *   sum_a F_a(q_a(z)) + sum over scarce items of price_i z_i,   q_a(z) = Q_a - sum_i size_i z_i,
 *
 * so what a change saves is told by two places of the tables. The deal begins at the whole part of
 * the linear program's point, with what is left over given out where it saves most. Then workloads
 * exchange: one gives up an item, another takes one on the same scarce row and may give back one in
 * return; or an item is exchanged for what nobody uses. Whatever saves is done, until nothing does.
 *
 * Caps that the covers exceed become scarce themselves, and the deal is made again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon_hours.h"

#define WHOLE 1e-6    /* a value this far below a whole number counts as whole */
#define SAVES 1e-7    /* base currency for an hour; less is rounding */
#define UNCOVERED 1e6 /* for each step that nothing covers */
#define MOST_GIVES 16 /* items that a workload may give up */
#define MOST_TAKES 3  /* items on a row that a workload may take */
#define MOST_SCANS 12 /* over all pairs of workloads */
#define MOST_DEALS 5  /* with more and more caps scarce */

struct deal {
    struct iso_hours *hours;
    const struct iso_stock *stock;
    int32_t *missing; /* q_a */
};

struct gives {
    int32_t n, items[MOST_GIVES];
};

/* An item that is given up and one that is taken; -1: none. */
struct trade {
    int32_t out, in;
};

static double cover_cost(const struct deal *deal, int32_t a, int32_t missing)
{
    double least = deal->stock->tables[a].least[missing > 0 ? missing : 0];

    return isfinite(least) ? least : UNCOVERED * missing;
}

static void take(struct deal *deal, int32_t item, int64_t n)
{
    const struct iso_item *i = &deal->hours->items[item];

    iso_hours_take(deal->hours, item, n);
    deal->missing[i->workload] -= (int32_t)n * i->size;
}

/* Whether the caps of an item hold. */
static bool holds(const struct iso_hours *hours, int32_t item)
{
    const struct iso_item *i = &hours->items[item];

    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++) {
        int32_t row = hours->mip.entries[e].row;
        if (row >= hours->h->problem->n_workloads &&
            hours->slack[row] < -CLOSE_TO_NOTHING * (1 + fabs(hours->mip.rows[row].upper)))
            return false;
    }
    return true;
}

/* Whether the caps allow one more of an item. */
static bool has_room(const struct iso_hours *hours, int32_t item)
{
    const struct iso_item *i = &hours->items[item];

    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++) {
        const struct iso_mip_entry *entry = &hours->mip.entries[e];
        if (entry->row >= hours->h->problem->n_workloads &&
            hours->slack[entry->row] <
                entry->coefficient -
                    CLOSE_TO_NOTHING * (1 + fabs(hours->mip.rows[entry->row].upper)))
            return false;
    }
    return true;
}

/* Makes two trades, or none when the caps do not allow them. */
static bool exchange(struct deal *deal, const struct trade trades[2])
{
    bool fits = true;

    for (int k = 0; k < 2; k++) {
        if (trades[k].out >= 0)
            take(deal, trades[k].out, -1);
        if (trades[k].in >= 0)
            take(deal, trades[k].in, 1);
    }
    for (int k = 0; k < 2; k++)
        fits &= trades[k].in < 0 || holds(deal->hours, trades[k].in);
    for (int k = 0; k < 2 && !fits; k++) {
        if (trades[k].out >= 0)
            take(deal, trades[k].out, 1);
        if (trades[k].in >= 0)
            take(deal, trades[k].in, -1);
    }
    return fits;
}

static struct gives list_gives(const struct deal *deal, int32_t a)
{
    const struct iso_hours *hours = deal->hours;
    struct gives gives = {0};

    for (int32_t i = hours->first_item[a]; i < hours->first_item[a + 1] && gives.n < MOST_GIVES;
         i++)
        if (hours->count[i] > 0)
            gives.items[gives.n++] = i;
    return gives;
}

static int32_t size_of(const struct deal *deal, int32_t item)
{
    return item < 0 ? 0 : deal->hours->items[item].size;
}

static double price_of(const struct deal *deal, int32_t item)
{
    return item < 0 ? 0 : deal->hours->items[item].price;
}

/* What a workload's part of a trade costs more (or less) than now. */
static double change(const struct deal *deal, int32_t a, struct trade trade)
{
    int32_t missing = deal->missing[a] + size_of(deal, trade.out) - size_of(deal, trade.in);

    return cover_cost(deal, a, missing) - cover_cost(deal, a, deal->missing[a]) +
           price_of(deal, trade.in) - price_of(deal, trade.out);
}

/* --- with what nobody uses --- */

static bool trade_with_rest(struct deal *deal, int32_t a)
{
    const struct iso_hours *hours = deal->hours;
    struct gives gives = list_gives(deal, a);

    for (int32_t g = -1; g < gives.n; g++)
        for (int32_t i = hours->first_item[a] - 1; i < hours->first_item[a + 1]; i++) {
            struct trade trades[2] = {
                {g < 0 ? -1 : gives.items[g], i < hours->first_item[a] ? -1 : i}, {-1, -1}};
            if ((trades[0].in >= 0 && !deal->stock->scarce[trades[0].in]) ||
                trades[0].in == trades[0].out)
                continue;
            if (change(deal, a, trades[0]) < -SAVES && exchange(deal, trades))
                return true;
        }
    return false;
}

/* Gives out what is left over where it saves most. */
static void give_out(struct deal *deal)
{
    const struct iso_hours *hours = deal->hours;
    int32_t n_workloads = hours->h->problem->n_workloads;

    for (;;) {
        struct trade best[2] = {{-1, -1}, {-1, -1}};
        double least = -SAVES;
        for (int32_t i = 0; i < hours->first_item[n_workloads]; i++) {
            struct trade trade = {-1, i};
            double changed = deal->stock->scarce[i] && has_room(hours, i)
                                 ? change(deal, hours->items[i].workload, trade)
                                 : 0;
            if (changed < least) {
                least = changed;
                best[0] = trade;
            }
        }
        if (best[0].in < 0 || !exchange(deal, best))
            return;
    }
}

/* --- between workloads --- */

struct pair {
    struct deal *deal;
    int32_t a, b;
    struct gives gives_a, gives_b;
};

/* The items of a workload on a scarce row. */
static int32_t takes_of(const struct iso_stock *stock, int32_t n_workloads, int32_t place,
                        int32_t a, const int32_t **ret_items)
{
    int32_t group = place * n_workloads + a, n = stock->first[group + 1] - stock->first[group];

    *ret_items = &stock->items[stock->first[group]];
    return n < MOST_TAKES ? n : MOST_TAKES;
}

/* The scarce rows of an item, one after the other; -1 at the end. */
static int32_t next_place(const struct deal *deal, int32_t item, int32_t *io_entry)
{
    const struct iso_item *i = &deal->hours->items[item];

    while (*io_entry < i->n_entries) {
        int32_t row = deal->hours->mip.entries[i->first_entry + (*io_entry)++].row;
        if (deal->stock->place[row] >= 0)
            return deal->stock->place[row];
    }
    return -1;
}

/* b, which takes `in` for a's `out`, gives something back in return. */
static bool return_trade(struct pair *pair, int32_t out, int32_t in)
{
    struct deal *deal = pair->deal;
    int32_t n_workloads = deal->hours->h->problem->n_workloads;

    for (int32_t g = 0; g < pair->gives_b.n; g++) {
        int32_t back = pair->gives_b.items[g], entry = 0, place;
        double changed_b = change(deal, pair->b, (struct trade){back, in});
        while ((place = next_place(deal, back, &entry)) >= 0) {
            const int32_t *takes;
            int32_t n = takes_of(deal->stock, n_workloads, place, pair->a, &takes);
            for (int32_t k = 0; k < n; k++) {
                struct trade trades[2] = {{out, takes[k]}, {back, in}};
                if (changed_b + change(deal, pair->a, trades[0]) < -SAVES && exchange(deal, trades))
                    return true;
            }
        }
    }
    return false;
}

/* a gives something up that b takes, with or without a return. */
static bool trade_between(struct pair *pair, bool both_ways)
{
    struct deal *deal = pair->deal;
    int32_t n_workloads = deal->hours->h->problem->n_workloads;

    for (int32_t g = 0; g < pair->gives_a.n; g++) {
        int32_t out = pair->gives_a.items[g], entry = 0, place;
        double changed_a = change(deal, pair->a, (struct trade){out, -1});
        while ((place = next_place(deal, out, &entry)) >= 0) {
            const int32_t *takes;
            int32_t n = takes_of(deal->stock, n_workloads, place, pair->b, &takes);
            for (int32_t k = 0; k < n; k++) {
                struct trade trades[2] = {{out, -1}, {-1, takes[k]}};
                if (changed_a + change(deal, pair->b, trades[1]) < -SAVES && exchange(deal, trades))
                    return true;
                if (both_ways && return_trade(pair, out, takes[k]))
                    return true;
            }
        }
    }
    return false;
}

static bool scan(struct deal *deal)
{
    int32_t n_workloads = deal->hours->h->problem->n_workloads;
    bool any = false;

    for (int32_t a = 0; a < n_workloads; a++) {
        while (trade_with_rest(deal, a))
            any = true;
        for (int32_t b = 0; b < n_workloads; b++) {
            struct pair pair = {deal, a, b, {0}, {0}};
            do {
                pair.gives_a = list_gives(deal, a);
                pair.gives_b = list_gives(deal, b);
            } while (a != b && trade_between(&pair, a < b) && (any = true));
        }
    }
    return any;
}

/* --- a period --- */

static void begin(struct deal *deal)
{
    struct iso_hours *hours = deal->hours;
    int32_t n_workloads = hours->h->problem->n_workloads;

    iso_hours_reset(hours);
    for (int32_t a = 0; a < n_workloads; a++)
        deal->missing[a] = iso_table_steps(&deal->stock->tables[a], hours->slack[a]);
    for (int32_t i = 0; i < hours->first_item[n_workloads]; i++)
        if (deal->stock->scarce[i])
            take(deal, i, (int64_t)floor(fmax(0, hours->x[i]) + WHOLE));
}

/* Limits that are exceeded, as bits. */
static uint64_t exceeded(const struct iso_hours *hours)
{
    int32_t n_workloads = hours->h->problem->n_workloads;
    uint64_t bits = 0;

    for (int32_t l = 0; l < hours->h->problem->n_limits; l++) {
        int32_t row = n_workloads + l;
        if (hours->slack[row] < -CLOSE_TO_NOTHING * (1 + fabs(hours->mip.rows[row].upper)))
            bits |= (uint64_t)1 << l;
    }
    return bits;
}

static uint64_t binding(const struct iso_hours *hours)
{
    uint64_t bits = 0;

    for (int32_t l = 0; l < hours->h->problem->n_limits; l++)
        if (hours->duals[hours->h->problem->n_workloads + l] < -SAVES)
            bits |= (uint64_t)1 << l;
    return bits;
}

void iso_hours_take(struct iso_hours *hours, int32_t item, int64_t n)
{
    const struct iso_item *i = &hours->items[item];

    hours->count[item] += n;
    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++)
        hours->slack[hours->mip.entries[e].row] -= (double)n * hours->mip.entries[e].coefficient;
}

void iso_hours_take_column(struct iso_hours *hours, int32_t column, int64_t n)
{
    const struct iso_slice_column *j = &hours->h->slice.columns[column];

    hours->paid[column] += n;
    for (int32_t e = j->first_entry; e < j->first_entry + j->n_entries; e++)
        hours->slack[hours->h->slice.entries[e].row] -=
            (double)n * hours->h->slice.entries[e].coefficient;
}

bool iso_hours_deal(struct iso_hours *hours)
{
    int32_t n_workloads = hours->h->problem->n_workloads;
    ISO_AUTO_MEM int32_t *missing = iso_calloc((size_t)n_workloads, sizeof(*missing));
    struct deal deal = {.hours = hours, .missing = missing};
    uint64_t barred = binding(hours), more;

    for (int try = 0; try < MOST_DEALS && missing; try++) {
        deal.stock = iso_stock_of(hours, barred);
        if (!deal.stock)
            return false;
        begin(&deal);
        give_out(&deal);
        for (int n = 0; n < MOST_SCANS && scan(&deal); n++)
            ;
        for (int32_t a = 0; a < n_workloads; a++)
            if (!iso_table_cover(hours, &deal.stock->tables[a], deal.missing[a]))
                return false;
        more = exceeded(hours) & ~barred;
        if (more == 0)
            return true;
        barred |= more;
    }
    return false;
}
