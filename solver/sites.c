#include "sites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLACK 1e-9 /* relative to a row's side */
#define WHOLE 1e-6

/* What the copies on one offering count in; [place] has entries from first[place] on. */
struct counted {
    struct iso_mip_entry *entries;
    int32_t n_entries;
    int32_t *first, *count;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the sites of a pool");
}

/* Asks the formulation for the entries of one copy. */
static bool count_copy(struct iso_formulation *f, int32_t workload, int32_t option, int32_t period,
                       bool placed, struct counted *counted)
{
    struct iso_mip *mip = &f->mip;
    int32_t first_entry = mip->n_entries, n = 0;

    if (iso_mip_add_column(mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return false;
    bool ok = iso_formulation_service_entries(f, workload, option, period, 1);
    for (int32_t k = first_entry; k < mip->n_entries && ok; k++) {
        if (placed && mip->rows[mip->entries[k].row].kind != ISO_ROW_DEMAND)
            continue;
        ok = iso_append(&counted->entries, &counted->n_entries, sizeof(*counted->entries),
                        &mip->entries[k]);
        n++;
    }
    mip->n_columns--;
    mip->n_entries = first_entry;
    return ok && n > 0;
}

/* What the copies on the offering of a list count in. */
static bool count_list(struct iso_sites *sites, struct iso_formulation *f, int32_t team,
                       int32_t list, int32_t period, struct counted *counted)
{
    const struct iso_pattern_set *set = &f->pools[team];
    int32_t at = list * f->problem->n_periods + period;

    for (int32_t i = 0; i < sites->n; i++) {
        int32_t w = set->workloads[i];
        int32_t option =
            iso_workload_find_option(&f->problem->workloads[w], set->lists[list].offering);
        bool placed = f->place_row[team][at * sites->n + i] >= 0;
        counted->first[i] = counted->n_entries;
        sites->has_placed |= placed;
        if (option >= 0 && !count_copy(f, w, option, period, placed, counted))
            return false;
        counted->count[i] = counted->n_entries - counted->first[i];
    }
    return true;
}

/* Whether copies count alike where both are known. */
static bool is_alike(const struct iso_sites *sites, int32_t site, const struct counted *counted)
{
    for (int32_t i = 0; i < sites->n; i++) {
        int32_t at = site * sites->n + i, n = counted->count[i];
        if (n == 0 || sites->count[at] == 0)
            continue;
        if (n != sites->count[at])
            return false;
        for (int32_t k = 0; k < n; k++) {
            const struct iso_mip_entry *own = &sites->entries[sites->first[at] + k];
            const struct iso_mip_entry *other = &counted->entries[counted->first[i] + k];
            if (own->row != other->row || own->coefficient != other->coefficient)
                return false;
        }
    }
    return true;
}

/* Puts a list into the first site that counts alike, or into a new one; counted[] are its own. */
static bool join(struct iso_sites *sites, int32_t list, const struct counted *counted)
{
    int32_t s = 0, none = 0;

    while (s < sites->n_sites && !is_alike(sites, s, counted))
        s++;
    for (int32_t i = 0; i < sites->n && s == sites->n_sites; i++) {
        int32_t n_first = s * sites->n + i, n_count = n_first;
        if (!iso_append(&sites->first, &n_first, sizeof(none), &none) ||
            !iso_append(&sites->count, &n_count, sizeof(none), &none))
            return false;
    }
    sites->n_sites += s == sites->n_sites;
    sites->site[list] = s;
    for (int32_t i = 0; i < sites->n; i++) {
        int32_t at = s * sites->n + i;
        if (sites->count[at] > 0)
            continue;
        sites->first[at] = sites->n_entries;
        sites->count[at] = counted->count[i];
        for (int32_t k = 0; k < counted->count[i]; k++)
            if (!iso_append(&sites->entries, &sites->n_entries, sizeof(*sites->entries),
                            &counted->entries[counted->first[i] + k]))
                return false;
    }
    return true;
}

enum iso_status iso_sites_init(struct iso_sites *sites, struct iso_search *search, int32_t team,
                               int32_t period, struct iso_error *reterr)
{
    const struct iso_pattern_set *set = &search->formulation->pools[team];
    size_t n = (size_t)set->n_workloads;
    ISO_AUTO_MEM int32_t *first = iso_calloc(n, sizeof(*first));
    ISO_AUTO_MEM int32_t *count = iso_calloc(n, sizeof(*count));
    bool ok = true;

    *sites = (struct iso_sites){.n = set->n_workloads};
    sites->site = iso_calloc((size_t)set->n_lists, sizeof(*sites->site));
    if (!first || !count || !sites->site)
        return no_memory(reterr);
    for (int32_t l = 0; l < set->n_lists && ok; l++) {
        struct counted counted = {.first = first, .count = count};
        ok = count_list(sites, search->formulation, team, l, period, &counted) &&
             join(sites, l, &counted);
        free(counted.entries);
    }
    return ok ? ISO_OK : no_memory(reterr);
}

void iso_sites_fini(struct iso_sites *sites)
{
    free(sites->site);
    free(sites->first);
    free(sites->count);
    free(sites->entries);
    *sites = (struct iso_sites){0};
}

double iso_sites_worth(const struct iso_sites *sites, const double *duals, int32_t site,
                       int32_t place)
{
    int32_t at = site * sites->n + place;
    double worth = 0;

    for (int32_t k = sites->first[at]; k < sites->first[at] + sites->count[at]; k++)
        worth += duals[sites->entries[k].row] * sites->entries[k].coefficient;
    return worth;
}

void iso_sites_add(const struct iso_sites *sites, int32_t site, int32_t place, double times,
                   double *activity)
{
    int32_t at = site * sites->n + place;

    for (int32_t k = sites->first[at]; k < sites->first[at] + sites->count[at]; k++)
        activity[sites->entries[k].row] += times * sites->entries[k].coefficient;
}

double iso_sites_broken(const struct iso_sites *sites, const struct iso_mip *mip, int32_t site,
                        int32_t place, double times, const double *activity)
{
    int32_t at = site * sites->n + place;
    double broken = 0;

    for (int32_t k = sites->first[at]; k < sites->first[at] + sites->count[at]; k++) {
        const struct iso_mip_entry *entry = &sites->entries[k];
        const struct iso_mip_row *row = &mip->rows[entry->row];
        double value = activity[entry->row] + times * entry->coefficient;
        if (value < row->lower - SLACK * (1 + fabs(row->lower)))
            broken += row->lower - value;
        if (value > row->upper + SLACK * (1 + fabs(row->upper)))
            broken += value - row->upper;
    }
    return broken;
}

/* The site where one more copy mends most; -1 when there is none. */
static int32_t best_site(const struct iso_sites *sites, const struct iso_mip *mip, int32_t place,
                         const double *rest, const double *activity)
{
    int32_t best = -1;
    double most = 0, most_rest = -INFINITY;

    for (int32_t s = 0; s < sites->n_sites; s++) {
        double mended = iso_sites_broken(sites, mip, s, place, 0, activity) -
                        iso_sites_broken(sites, mip, s, place, 1, activity);
        double own = rest[s * sites->n + place];
        if (mended <= SLACK || mended < most - SLACK || (mended < most + SLACK && own <= most_rest))
            continue;
        best = s;
        most = mended;
        most_rest = own;
    }
    return best;
}

bool iso_sites_round(const struct iso_sites *sites, const struct iso_mip *mip, const double *held,
                     const double *relaxed, double *activity, int64_t *ret_more)
{
    int32_t n = sites->n;
    ISO_AUTO_MEM double *rest = iso_calloc((size_t)(sites->n_sites * n), sizeof(*rest));
    bool met = rest;

    for (int32_t at = 0; at < sites->n_sites * n && rest; at++) {
        double whole = fmax(held[at], floor(relaxed[at] + WHOLE));
        ret_more[at] = (int64_t)(whole - held[at]);
        rest[at] = relaxed[at] - whole;
        iso_sites_add(sites, at / n, at % n, whole - held[at], activity);
    }
    for (int32_t i = 0; i < n && met; i++)
        for (;;) {
            int32_t s = best_site(sites, mip, i, rest, activity);
            if (s < 0)
                break;
            ret_more[s * n + i]++;
            rest[s * n + i]--;
            iso_sites_add(sites, s, i, 1, activity);
        }
    for (int32_t at = 0; at < sites->n_sites * n && met; at++)
        met = iso_sites_broken(sites, mip, at / n, at % n, 0, activity) == 0;
    return met;
}
