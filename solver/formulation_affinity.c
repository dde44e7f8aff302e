/* Together and apart: rows and columns about where workloads run. With b_ad = 1 when workload a
 * runs anything in domain d in any period, M = iso_problem_most_in_domain():
 *
 *   PRESENCE(a,d,t)    M_at b_ad - sum_{in d} s_at >= 0
 *   PRESENT(a,d)       sum_t sum_{in d} s_at - least_ad b_ad >= 0     workloads of together rules
 *   TOGETHER(a,r,d)    b_ad - b_a'd = 0                               a' the other workload
 *   APART(a,r,d,d')    b_ad + b_a'd' <= 1                             d, d' that may be one place
 *
 * least_ad is what the smallest option in d serves, so one whole instance is enough for PRESENT. */
#include <math.h>
#include <string.h>

#include "formulation.h"

static int32_t at(int32_t a, int level)
{
    return a * ISO_N_LEVELS + level;
}

static int32_t n_domains_of(const struct iso_formulation *f, int32_t a, int level)
{
    int32_t place = at(a, level);

    return f->presence_row[place] < 0
               ? 0
               : (f->presence_end[place] - f->presence_row[place]) / f->problem->n_periods;
}

/* The i-th domain in which a workload may run. */
static int32_t domain_of(const struct iso_formulation *f, int32_t a, int level, int32_t i)
{
    return f->mip.rows[f->presence_row[at(a, level)] + i * f->problem->n_periods].d;
}

static bool add(struct iso_formulation *f, int kind, int32_t a, int32_t b, int32_t c, int32_t d,
                double lower, double upper)
{
    return iso_mip_add_row(&f->mip, &(struct iso_mip_row){kind, a, b, c, d, lower, upper}) >= 0;
}

static bool add_presence_rows(struct iso_formulation *f, int32_t a, int level, int32_t *domains)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    f->presence_row[at(a, level)] = f->presence_end[at(a, level)] = -1;
    if (!iso_problem_is_placed(problem, a, (enum iso_level)level, false))
        return true;
    int32_t n = iso_workload_domains(problem, &problem->workloads[a], (enum iso_level)level, false,
                                     domains);
    f->capped[a] |= problem->workloads[a].replicas;
    f->presence_row[at(a, level)] = f->mip.n_rows;
    for (int32_t i = 0; i < n; i++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            ok &= add(f, ISO_ROW_PRESENCE, a, level, t, domains[i], 0, INFINITY);
    f->presence_end[at(a, level)] = f->mip.n_rows;
    for (int32_t i = 0; i < n && iso_problem_is_placed(problem, a, (enum iso_level)level, true);
         i++)
        ok &= add(f, ISO_ROW_PRESENT, a, level, -1, domains[i], 0, INFINITY);
    return ok && n >= 0;
}

bool iso_formulation_affinity_rows(struct iso_formulation *f, int32_t *domains)
{
    bool ok = true;

    for (int32_t a = 0; a < f->problem->n_workloads; a++)
        for (int level = 0; level < ISO_N_LEVELS; level++)
            ok &= add_presence_rows(f, a, level, domains);
    return ok;
}

/* Whether PRESENT rows follow the PRESENCE rows that end at `end`. */
static bool has_present_rows(const struct iso_formulation *f, int32_t end)
{
    return end < f->mip.n_rows && f->mip.rows[end].kind == ISO_ROW_PRESENT;
}

bool iso_formulation_presence_entries(struct iso_formulation *f, int32_t a, int32_t offering,
                                      int32_t period, double amount)
{
    bool ok = true;

    for (int level = 0; level < ISO_N_LEVELS; level++) {
        int32_t first = f->presence_row[at(a, level)], end = f->presence_end[at(a, level)];
        int32_t domain = iso_problem_domain(f->problem, offering, (enum iso_level)level);
        for (int32_t i = 0; i < n_domains_of(f, a, level); i++) {
            if (domain_of(f, a, level, i) != domain)
                continue;
            ok &= iso_mip_add_entry(&f->mip, first + i * f->problem->n_periods + period, -amount);
            if (has_present_rows(f, end))
                ok &= iso_mip_add_entry(&f->mip, end + i, amount);
        }
    }
    return ok;
}

/* What the smallest option of a workload in a domain serves. */
static double least_in(const struct iso_problem *problem, int32_t a, enum iso_level level,
                       int32_t domain)
{
    const struct iso_workload *workload = &problem->workloads[a];
    double least = INFINITY;

    for (int32_t i = 0; i < workload->n_options; i++)
        if (iso_problem_domain(problem, workload->options[i].offering, level) == domain)
            least = fmin(least, iso_value(workload->options[i].served));
    return least;
}

/* Entries of b_ad in the TOGETHER and APART rows in which it stands; the rows are made by the side
 * that owns the rule, before its own columns, and found by the other through `first_rule_row`. */
static bool add_rule_rows(struct iso_formulation *f, int32_t a, int32_t r)
{
    const struct iso_affinity *rule = &f->problem->workloads[a].affinities[r];
    int32_t mine = n_domains_of(f, a, rule->level), its = n_domains_of(f, rule->other, rule->level);
    bool ok = true;

    for (int32_t i = 0; i < mine && rule->other != a; i++) {
        int32_t d = domain_of(f, a, rule->level, i);
        if (!rule->apart)
            ok &= add(f, ISO_ROW_TOGETHER, a, r, -1, d, 0, 0);
        for (int32_t k = 0; k < its && rule->apart; k++) {
            int32_t other = domain_of(f, rule->other, rule->level, k);
            if (iso_problem_domains_meet(f->problem, rule->level, d, other))
                ok &= add(f, ISO_ROW_APART, a, r, d, other, -INFINITY, 1);
        }
    }
    for (int32_t k = 0; k < its && rule->other != a && !rule->apart; k++) {
        int32_t d = domain_of(f, rule->other, rule->level, k);
        bool shared = false;
        for (int32_t i = 0; i < mine; i++)
            shared |= domain_of(f, a, rule->level, i) == d;
        if (!shared) /* the other may not run where this one cannot */
            ok &= add(f, ISO_ROW_TOGETHER, a, r, -1, d, 0, 0);
    }
    return ok;
}

/* Entries of b_ad in TOGETHER and APART rows from `first_rule_row` on. */
static bool add_rule_entries(struct iso_formulation *f, int32_t first_rule_row, int32_t a,
                             enum iso_level level, int32_t domain)
{
    struct iso_mip *mip = &f->mip;
    bool ok = true;

    for (int32_t i = first_rule_row; i < mip->n_rows; i++) {
        const struct iso_mip_row *row = &mip->rows[i];
        const struct iso_affinity *rule = &f->problem->workloads[row->a].affinities[row->b];
        int32_t owned = row->kind == ISO_ROW_APART ? row->c : row->d;
        if (rule->level != level)
            continue;
        if (row->a == a && owned == domain)
            ok &= iso_mip_add_entry(mip, i, 1);
        if (rule->other == a && row->d == domain)
            ok &= iso_mip_add_entry(mip, i, rule->apart ? 1 : -1);
    }
    return ok;
}

static bool add_presence_columns(struct iso_formulation *f, int32_t first_rule_row, int32_t a,
                                 int level)
{
    const struct iso_problem *problem = f->problem;
    int32_t first = f->presence_row[at(a, level)], end = f->presence_end[at(a, level)];
    bool ok = true;

    for (int32_t i = 0; i < n_domains_of(f, a, level); i++) {
        int32_t domain = domain_of(f, a, level, i);
        ok &= iso_mip_add_column(&f->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PRESENCE,
                                                                   .a = a,
                                                                   .b = level,
                                                                   .c = domain,
                                                                   .d = -1,
                                                                   .upper = 1,
                                                                   .integer = true}) >= 0;
        for (int32_t t = 0; t < problem->n_periods; t++)
            ok &= iso_mip_add_entry(&f->mip, first + i * problem->n_periods + t,
                                    iso_value(iso_problem_most_in_domain(problem, a, t)));
        if (has_present_rows(f, end))
            ok &= iso_mip_add_entry(&f->mip, end + i,
                                    -least_in(problem, a, (enum iso_level)level, domain));
        ok &= add_rule_entries(f, first_rule_row, a, (enum iso_level)level, domain);
    }
    return ok;
}

bool iso_formulation_affinity_columns(struct iso_formulation *f)
{
    int32_t first_rule_row = f->mip.n_rows;
    bool ok = true;

    for (int32_t a = 0; a < f->problem->n_workloads; a++)
        for (int32_t r = 0; r < f->problem->workloads[a].n_affinities; r++)
            ok &= add_rule_rows(f, a, r);
    for (int32_t a = 0; a < f->problem->n_workloads; a++)
        for (int level = 0; level < ISO_N_LEVELS; level++)
            ok &= add_presence_columns(f, first_rule_row, a, level);
    return ok;
}
