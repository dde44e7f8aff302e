#include "resolve_egress.h"

#include <stdlib.h>

typedef struct iso_egress_pair Pair;

static size_t find_slot(const Pair *slots, size_t n_slots, int32_t from, int32_t to)
{
    uint64_t hash = ((uint64_t)(uint32_t)from << 32 | (uint32_t)to) * UINT64_C(0xff51afd7ed558ccd);
    size_t at = (size_t)(hash >> 32) & (n_slots - 1);

    while (slots[at].used && (slots[at].from != from || slots[at].to != to))
        at = (at + 1) & (n_slots - 1);
    return at;
}

static bool grow(struct iso_egress_pairs *pairs)
{
    size_t n_slots = pairs->n_slots ? 2 * pairs->n_slots : 64;
    Pair *slots = iso_calloc(n_slots, sizeof(*slots));

    for (size_t i = 0; i < pairs->n_slots && slots; i++)
        if (pairs->slots[i].used)
            slots[find_slot(slots, n_slots, pairs->slots[i].from, pairs->slots[i].to)] =
                pairs->slots[i];
    if (!slots)
        return false;
    free(pairs->slots);
    pairs->slots = slots;
    pairs->n_slots = n_slots;
    return true;
}

enum iso_status iso_egress_pairs_find(struct iso_egress_pairs *pairs, const struct iso_resolve *r,
                                      int32_t from, int32_t to, const char *from_name,
                                      const char *to_name,
                                      const struct iso_egress_tariff **ret_tariff,
                                      struct iso_error *reterr)
{
    if (2 * pairs->n >= pairs->n_slots && !grow(pairs))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for prices of egress");
    Pair *pair = &pairs->slots[find_slot(pairs->slots, pairs->n_slots, from, to)];
    if (!pair->used) {
        *pair = (Pair){.used = true, .from = from, .to = to};
        for (int32_t i = 0; i < r->n_tariffs && !pair->tariff; i++)
            if (iso_tariff_covers(&r->tariffs[i], from_name, to_name))
                pair->tariff = &r->tariffs[i];
        pairs->n++;
    }
    *ret_tariff = pair->tariff;
    return ISO_OK;
}

static int compare_notes(const void *a, const void *b)
{
    const struct iso_egress_note *left = a, *right = b;

    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return (left->to > right->to) - (left->to < right->to);
}

enum iso_status iso_egress_pairs_tell(const struct iso_egress_pairs *pairs, struct iso_resolve *r,
                                      struct iso_error *reterr)
{
    struct iso_egress_note *notes = iso_arena_calloc(r->arena, pairs->n, sizeof(*notes));
    bool steps = false;
    int32_t n = 0;

    if (!notes)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < pairs->n_slots; i++) {
        const struct iso_egress_tariff *tariff = pairs->slots[i].tariff;
        if (!tariff)
            continue;
        steps |= tariff->n_steps > 1;
        const char *text = tariff->n_steps > 1
                               ? iso_arena_printf(r->arena, "%s; the dearest of %d steps",
                                                  tariff->note, tariff->n_steps)
                               : tariff->note;
        if (!text)
            return iso_resolve_full(reterr);
        notes[n++] = (struct iso_egress_note){pairs->slots[i].from, pairs->slots[i].to, text,
                                              tariff->observed_ns};
    }
    if (n > 0)
        qsort(notes, (size_t)n, sizeof(*notes), compare_notes);
    if (steps)
        iso_resolve_warn(r, "price lists of egress have steps by volume; each GB is taken to cost "
                            "what it does in the dearest step, so the bill may be lower");
    r->out->egress_notes = notes;
    r->out->n_egress_notes = n;
    return ISO_OK;
}

const struct iso_egress_note *iso_egress_note_find(const struct iso_resolved *resolved,
                                                   int32_t from, int32_t to)
{
    const struct iso_egress_note key = {.from = from, .to = to};

    return resolved->n_egress_notes > 0
               ? bsearch(&key, resolved->egress_notes, (size_t)resolved->n_egress_notes,
                         sizeof(key), compare_notes)
               : NULL;
}
