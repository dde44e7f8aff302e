#include "line_changes.h"

#include <stdlib.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "line_reader.h"
#include "message_new.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory to compare lines");
}

/* --- adding --- */

static struct iso_line_sum *find(struct iso_line_sums *sums, Isocost__V1__LineKind kind,
                                 const char *item, const char *user)
{
    char *key = iso_arena_printf(sums->arena, "%d\n%s\n%s", (int)kind, item, user);
    int32_t n_before = sums->keys.n;

    sums->keys.arena = sums->arena;
    int32_t place = key ? iso_names_add(&sums->keys, key) : -1;
    if (place < 0)
        return NULL;
    if (place < n_before)
        return &sums->sums[place];
    if (n_before == sums->room) {
        int32_t room = 2 * sums->room + 64;
        struct iso_line_sum *grown = iso_arena_calloc(sums->arena, (size_t)room, sizeof(*grown));
        if (!grown)
            return NULL;
        if (n_before > 0)
            memcpy(grown, sums->sums, (size_t)n_before * sizeof(*grown));
        sums->sums = grown;
        sums->room = room;
    }
    struct iso_line_sum *sum = &sums->sums[place];
    sum->kind = kind;
    sum->item = iso_arena_strdup(sums->arena, item);
    sum->user = iso_arena_strdup(sums->arena, user);
    return sum->item && sum->user ? sum : NULL;
}

/* Quantity times hours over all periods of the line; of what is paid once the quantity. */
static iso_wide amount_of(const Isocost__V1__PlanLine *line)
{
    iso_decimal quantity = 0, hours = 0;

    if (iso_decimal_from_double(line->quantity, &quantity, NULL) != ISO_OK ||
        iso_decimal_from_double(line->hours, &hours, NULL) != ISO_OK)
        return 0;
    return (iso_wide)quantity * (hours > 0 ? hours : ISO_DECIMAL_ONE) *
           (line->periods > 0 ? line->periods : 1);
}

static bool add(struct iso_line_sums *sums, const Isocost__V1__PlanLine *line, int side)
{
    const char *item = line->offering[0] ? line->offering : line->product;
    struct iso_line_sum *sum;
    iso_decimal cost = 0;

    if (line->kind == ISOCOST__V1__LINE_KIND__LINE_KIND_EGRESS)
        item = iso_arena_printf(sums->arena, "%s > %s", line->from, line->to);
    sum =
        item ? find(sums, line->kind, item, line->workload[0] ? line->workload : line->team) : NULL;
    if (!sum)
        return false;
    if (line->cost)
        iso_money_to_decimal(line->cost, &cost, NULL);
    sum->amount[side] += amount_of(line);
    sum->cost[side] += cost;
    return true;
}

enum iso_status iso_line_sums_add(struct iso_line_sums *sums, Isocost__V1__PlanLine *const *lines,
                                  size_t n, int side, struct iso_error *reterr)
{
    for (size_t i = 0; i < n; i++)
        if (!add(sums, lines[i], side))
            return no_memory(reterr);
    return ISO_OK;
}

enum iso_status iso_line_sums_add_packed(struct iso_line_sums *sums, struct iso_bytes lines,
                                         const char *plan_id, int side, struct iso_error *reterr)
{
    struct iso_line_reader reader = iso_line_reader(lines);
    struct iso_bytes packed;

    while (iso_line_reader_next(&reader, &packed)) {
        ISO_AUTO(iso_arena) scratch = iso_arena_new(64 * packed.n_bytes + (1u << 16));
        Isocost__V1__PlanLine *line = scratch ? iso_line_unpack(packed, scratch) : NULL;
        if (!line || !add(sums, line, side))
            return no_memory(reterr);
    }
    return reader.damaged ? iso_line_reader_fail(plan_id, sums->arena, reterr) : ISO_OK;
}

bool iso_line_sums_same_amounts(const struct iso_line_sums *sums)
{
    for (int32_t i = 0; i < sums->keys.n; i++)
        if (sums->sums[i].amount[0] != sums->sums[i].amount[1])
            return false;
    return true;
}

/* --- telling --- */

static iso_wide difference(const struct iso_line_sum *sum)
{
    iso_wide cost = sum->cost[1] - sum->cost[0];
    return cost < 0 ? -cost : cost;
}

static int compare(const void *a, const void *b)
{
    const struct iso_line_sum *left = a, *right = b;
    int order;

    if (difference(left) != difference(right))
        return difference(left) > difference(right) ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    order = strcmp(left->item, right->item);
    return order != 0 ? order : strcmp(left->user, right->user);
}

static bool is_there(const struct iso_line_sum *sum, int side)
{
    return sum->amount[side] != 0 || sum->cost[side] != 0;
}

static Isocost__V1__LineChangeKind kind_of(const struct iso_line_sum *sum)
{
    if (!is_there(sum, 0))
        return ISOCOST__V1__LINE_CHANGE_KIND__LINE_CHANGE_KIND_NEW;
    if (!is_there(sum, 1))
        return ISOCOST__V1__LINE_CHANGE_KIND__LINE_CHANGE_KIND_GONE;
    if (sum->amount[0] == sum->amount[1])
        return ISOCOST__V1__LINE_CHANGE_KIND__LINE_CHANGE_KIND_COST;
    return sum->amount[0] < sum->amount[1] ? ISOCOST__V1__LINE_CHANGE_KIND__LINE_CHANGE_KIND_MORE
                                           : ISOCOST__V1__LINE_CHANGE_KIND__LINE_CHANGE_KIND_LESS;
}

static Google__Type__Money *money_of(iso_wide amount, const char *currency, struct iso_arena *arena)
{
    iso_decimal narrow = amount < 0 ? -ISO_DECIMAL_MAX : ISO_DECIMAL_MAX;

    iso_wide_to_decimal(amount, &narrow);
    return iso_money_from_decimal(narrow, currency, arena);
}

/* Of 1e-18, to 9 places unless that is out of range. */
static double amount_as_double(iso_wide amount)
{
    iso_decimal rounded;

    return iso_wide_to_decimal(iso_wide_divide(amount, ISO_DECIMAL_ONE, ISO_ROUND_HALF_EVEN),
                               &rounded)
               ? iso_decimal_to_double(rounded)
               : (double)amount * 1e-18;
}

static Isocost__V1__LineChange *tell(const struct iso_line_sum *sum, const char *currency,
                                     struct iso_arena *arena)
{
    Isocost__V1__LineChange *told = iso_message_new(arena, &isocost__v1__line_change__descriptor);

    if (!told)
        return NULL;
    told->change = kind_of(sum);
    told->kind = sum->kind;
    told->item = (char *)sum->item;
    told->user = (char *)sum->user;
    told->amount_before = amount_as_double(sum->amount[0]);
    told->amount_after = amount_as_double(sum->amount[1]);
    told->cost_before = money_of(sum->cost[0], currency, arena);
    told->cost_after = money_of(sum->cost[1], currency, arena);
    return told->cost_before && told->cost_after ? told : NULL;
}

Isocost__V1__LineChange **iso_line_sums_changes(struct iso_line_sums *sums, const char *currency,
                                                size_t most, size_t *ret_n)
{
    size_t n_all = (size_t)sums->keys.n, n = 0;
    struct iso_line_sum *sorted = iso_arena_calloc(sums->arena, n_all + 1, sizeof(*sorted));
    Isocost__V1__LineChange **told;

    for (size_t i = 0; sorted && i < n_all; i++) {
        const struct iso_line_sum *sum = &sums->sums[i];
        if (sum->amount[0] != sum->amount[1] || sum->cost[0] != sum->cost[1])
            sorted[n++] = *sum;
    }
    told = sorted ? iso_arena_calloc(sums->arena, n + 1, sizeof(*told)) : NULL;
    if (!told)
        return NULL;
    qsort(sorted, n, sizeof(*sorted), compare);
    for (size_t i = 0; i < n && i < most; i++) {
        told[i] = tell(&sorted[i], currency, sums->arena);
        if (!told[i])
            return NULL;
    }
    *ret_n = n;
    return told;
}
