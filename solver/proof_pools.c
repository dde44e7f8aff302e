/* Multipliers against every filling of every instance.
 *
 * What >= rows give for the best filling of one instance, less capped shares, may not be more than
 * the instance costs under the multipliers. For a factor f <= 1 the filling is worth at most f
 * times that. Offerings whose copies are worth the same share a table of fillings. */
#include <math.h>
#include <string.h>

#include "density.h"
#include "filling_search.h"
#include "pattern_table.h"
#include "priced.h"

#define MOST_GROUPS 64 /* tables of one pool and period; what is beyond is fitted one by one */

/* One pool in one period; offerings that its copies may use, in groups of equal values. */
struct fit {
    struct iso_priced *priced;
    int32_t team, period;
    int32_t n_groups, n_offerings;
    double *values;                  /* [group * n_workloads + place]; one more for scratch */
    int32_t *offerings, *group;      /* [n_offerings]; group -1: by itself */
    double *available, *floor_gain;  /* [n_offerings] */
    double *density;                 /* [n_offerings]: bound of density.h */
    int32_t *most, *counts, *member; /* scratch */
};

static const struct iso_pattern_set *set_of(const struct fit *fit)
{
    return &fit->priced->f->pools[fit->team];
}

void iso_priced_shrink(struct iso_priced *priced, double available, double gain)
{
    if (gain <= 0)
        return;
    double factor = available <= 0 ? 0 : available * (1 - ISO_PROOF_MARGIN) / gain;
    if (factor < priced->factor)
        priced->factor = factor;
}

/* What one copy of each workload of the pool is worth on an offering; false when none may use it.
 */
static bool values_on(const struct fit *fit, int32_t offering, double *values, int32_t *most)
{
    const struct iso_problem *problem = fit->priced->f->problem;
    const struct iso_pattern_set *set = set_of(fit);
    bool any = false;

    for (int32_t i = 0; i < set->n_workloads; i++) {
        const struct iso_workload *workload = &problem->workloads[set->workloads[i]];
        int32_t option = iso_workload_find_option(workload, offering);
        values[i] = 0;
        most[i] = option < 0 ? 0 : workload->options[option].most;
        if (option < 0)
            continue;
        any = true;
        values[i] =
            fmax(0, iso_priced_service(fit->priced, set->workloads[i], option, fit->period, 1));
    }
    return any;
}

static void shrink_for(const struct fit *fit, int32_t at, double best)
{
    iso_priced_shrink(fit->priced, fit->available[at],
                      best * (1 + ISO_PROOF_MARGIN) + fit->floor_gain[at]);
}

/* Fits an offering by itself; false when the search for its best filling ended too early. What is
 * worth little less than the instance changes nothing, so it need not be told apart. */
static bool fit_alone(const struct fit *fit, int32_t at, const double *values)
{
    double bound, worth = (fit->available[at] - fit->floor_gain[at]) * (1 - 1e-9);
    double value =
        iso_filling_best(fit->priced->f->problem, set_of(fit), fit->team, fit->offerings[at],
                         values, fit->most, worth, fit->counts, &bound);

    if (bound > fmax(value, fmax(0, worth)) && fit->n_groups < MOST_GROUPS)
        return false;
    shrink_for(fit, at, bound);
    return true;
}

/* Fits an offering by itself, or puts it into its group. */
static void place(struct fit *fit, int32_t offering)
{
    size_t n = (size_t)set_of(fit)->n_workloads;
    double *own = &fit->values[(size_t)fit->n_groups * n];
    int32_t at = fit->n_offerings;

    if (!values_on(fit, offering, own, fit->most))
        return;
    fit->offerings[at] = offering;
    fit->available[at] =
        iso_priced_instance(fit->priced, fit->priced->f->problem->n_workloads + fit->team, offering,
                            fit->period, &fit->floor_gain[at]);
    fit->group[at] = -1;
    if (n <= ISO_FEW_KINDS && fit_alone(fit, at, own))
        return;
    for (int32_t g = 0; g < fit->n_groups && fit->group[at] < 0; g++)
        if (memcmp(&fit->values[(size_t)g * n], own, n * sizeof(*own)) == 0)
            fit->group[at] = g;
    if (fit->group[at] < 0 && fit->n_groups == MOST_GROUPS) {
        fit_alone(fit, at, own);
        return;
    }
    if (fit->group[at] < 0)
        fit->group[at] = fit->n_groups++;
    fit->n_offerings++;
}

/* Whether only a table can tell that no filling is worth more than the instance. */
static bool is_close(const struct fit *fit, int32_t at)
{
    return fit->density[at] * (1 + 2 * ISO_PROOF_MARGIN) > fit->available[at] - fit->floor_gain[at];
}

/* The bounds of density.h come first: on catalogs of all sizes nearly all machines are too dear by
 * them, and the largest would make the grid of a table coarse. */
static enum iso_status fit_group(struct fit *fit, int32_t group, struct iso_error *reterr)
{
    const struct iso_problem *problem = fit->priced->f->problem;
    size_t n = (size_t)set_of(fit)->n_workloads;
    double *values = &fit->values[(size_t)group * n];
    ISO_AUTO_MEM double *scratch = iso_calloc(n, sizeof(*scratch));
    ISO_AUTO(iso_pattern_table) table = NULL;
    int32_t n_members = 0;

    if (!scratch)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    for (int32_t at = 0; at < fit->n_offerings; at++) {
        if (fit->group[at] != group)
            continue;
        fit->density[at] =
            iso_density_bound(problem, set_of(fit), fit->team, values, fit->offerings[at]);
        if (is_close(fit, at))
            fit->member[n_members++] = fit->offerings[at];
        else
            shrink_for(fit, at, fit->density[at]);
    }
    if (n_members == 0)
        return ISO_OK;
    ISO_TRY(iso_pattern_table_new(problem, set_of(fit), fit->team, values, fit->member, n_members,
                                  NULL, &table, reterr));
    for (int32_t at = 0; at < fit->n_offerings; at++) {
        double bound, worth = fit->available[at] - fit->floor_gain[at];
        if (fit->group[at] != group || !is_close(fit, at))
            continue;
        bound = iso_pattern_table_bound(table, fit->offerings[at]);
        if (bound * (1 + 2 * ISO_PROOF_MARGIN) > worth) {
            values_on(fit, fit->offerings[at], scratch, fit->most);
            /* what is worth little less changes nothing, so it need not be told apart */
            iso_pattern_table_best(table, fit->offerings[at], fit->most, worth * (1 - 1e-9), true,
                                   fit->counts, &bound);
        }
        shrink_for(fit, at, bound);
    }
    return ISO_OK;
}

static enum iso_status fit_period(struct fit *fit, int32_t period, struct iso_error *reterr)
{
    const struct iso_problem *problem = fit->priced->f->problem;

    fit->period = period;
    fit->n_groups = fit->n_offerings = 0;
    for (int32_t o = 0; o < problem->n_offerings; o++)
        place(fit, o);
    for (int32_t g = 0; g < fit->n_groups; g++)
        ISO_TRY(fit_group(fit, g, reterr));
    return ISO_OK;
}

static void fit_fini(struct fit *fit)
{
    free(fit->values);
    free(fit->offerings);
    free(fit->group);
    free(fit->available);
    free(fit->floor_gain);
    free(fit->density);
    free(fit->most);
    free(fit->counts);
    free(fit->member);
}

static enum iso_status fit_team(struct fit *fit, struct iso_error *reterr)
{
    const struct iso_problem *problem = fit->priced->f->problem;
    size_t n = (size_t)set_of(fit)->n_workloads, n_offerings = (size_t)problem->n_offerings;

    if (n == 0)
        return ISO_OK;
    fit->values = iso_calloc((MOST_GROUPS + 1) * n, sizeof(*fit->values));
    fit->offerings = iso_calloc(n_offerings, sizeof(*fit->offerings));
    fit->group = iso_calloc(n_offerings, sizeof(*fit->group));
    fit->available = iso_calloc(n_offerings, sizeof(*fit->available));
    fit->floor_gain = iso_calloc(n_offerings, sizeof(*fit->floor_gain));
    fit->density = iso_calloc(n_offerings, sizeof(*fit->density));
    fit->most = iso_calloc(n, sizeof(*fit->most));
    fit->counts = iso_calloc(n, sizeof(*fit->counts));
    fit->member = iso_calloc(n_offerings, sizeof(*fit->member));
    if (!fit->values || !fit->offerings || !fit->group || !fit->available || !fit->floor_gain ||
        !fit->density || !fit->most || !fit->counts || !fit->member)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    for (int32_t t = 0; t < problem->n_periods; t++)
        ISO_TRY(fit_period(fit, t, reterr));
    return ISO_OK;
}

enum iso_status iso_priced_fit_pools(struct iso_priced *priced, struct iso_error *reterr)
{
    for (int32_t g = 0; g < priced->f->problem->n_teams; g++) {
        struct fit fit __attribute__((cleanup(fit_fini))) = {.priced = priced, .team = g};
        ISO_TRY(fit_team(&fit, reterr));
    }
    return ISO_OK;
}
