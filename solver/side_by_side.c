/* Components side by side: those that differ are given to the control all at once. */
#include "split.h"
#include "twin.h"

#define WORTHWHILE                                                                \
    20000 /* options times periods in all; below, starting a process takes longer \
           */
#define MOST_COMPONENTS 256 /* that are kept as parts at the same time */

struct parts {
    int32_t n;
    struct iso_part *items;
    const struct iso_problem **problems;
    int32_t *component;
    struct iso_plan **plans;
};

static void parts_fini(struct parts *parts)
{
    for (int32_t i = 0; i < parts->n; i++) {
        iso_part_fini(&parts->items[i]);
        iso_plan_free(parts->plans[i]);
    }
    free(parts->items);
    free(parts->problems);
    free(parts->component);
    free(parts->plans);
}

/* The components in order, but for those equal to the one before. */
static enum iso_status list_parts(struct parts *parts, const struct iso_problem *problem,
                                  const struct iso_split *split, const int32_t *order,
                                  struct iso_error *reterr)
{
    bool twins = !(problem->options.without & ISO_REDUCE_TWINS);

    for (int32_t i = 0; i < split->n_components; i++) {
        struct iso_part *part = &parts->items[parts->n];
        enum iso_status status = iso_part_init(part, problem, split, order[i], reterr);
        if (status != ISO_OK) {
            iso_part_fini(part);
            return status;
        }
        if (twins && parts->n > 0 && iso_parts_are_equal(part - 1, part)) {
            iso_part_fini(part);
            continue;
        }
        parts->component[parts->n] = order[i];
        parts->problems[parts->n++] = &part->problem;
    }
    return ISO_OK;
}

enum iso_status iso_solve_side_by_side(const struct iso_problem *problem,
                                       const struct iso_split *split, const int32_t *order,
                                       const struct iso_control *control, bool explain,
                                       struct iso_plan **ret_plans, struct iso_error *reterr)
{
    struct parts parts __attribute__((cleanup(parts_fini))) = {0};
    size_t n = (size_t)split->n_components;

    if (!control->solve_parts || split->n_components > MOST_COMPONENTS ||
        iso_problem_n_columns(problem) < WORTHWHILE)
        return ISO_OK;
    parts.items = iso_calloc(n, sizeof(*parts.items));
    parts.problems = iso_calloc(n, sizeof(*parts.problems));
    parts.component = iso_calloc(n, sizeof(*parts.component));
    parts.plans = iso_calloc(n, sizeof(*parts.plans));
    if (!parts.items || !parts.problems || !parts.component || !parts.plans)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for components side by side");
    ISO_TRY(list_parts(&parts, problem, split, order, reterr));
    if (parts.n < 2)
        return ISO_OK;
    ISO_TRY(control->solve_parts(control->context, parts.problems, parts.n, explain, parts.plans,
                                 reterr));
    for (int32_t i = 0; i < parts.n; i++)
        ret_plans[parts.component[i]] = ISO_STEAL(parts.plans[i]);
    return ISO_OK;
}
