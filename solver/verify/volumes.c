/* VOLUME lines of the bill, from the instances that the plan pays for:
 *
 *   S     = sum of (quantity - covered) * price_ot * h_t * rate, each rounded once, over the
 *           offerings and periods of the volume
 *   line  of each step that S reaches: quantity = the part of S in the step, cost = quantity *
 *           (factor - 1), rounded once */
#include "verifier.h"

/* What a line of instances costs in the flagged ones of its periods, each of which costs the same.
 */
static iso_wide paid_in(const struct iso_line *line, const uint8_t *periods)
{
    iso_wide sum = 0;

    for (int32_t t = line->period; t < line->period + line->n_periods; t++)
        sum += periods[t] ? line->cost / line->n_periods : 0;
    return sum;
}

enum iso_status iso_verify_volume_line(const struct iso_verifier *v, int32_t i,
                                       struct iso_line *ret_wanted)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_plan *plan = v->plan;
    int32_t at = 0, step = plan->lines[i].start, period = 0;
    iso_wide sum = 0;

    while (at < problem->n_volumes && step >= problem->volumes[at].n_steps)
        step -= problem->volumes[at++].n_steps;
    if (at == problem->n_volumes || step < 0)
        return iso_verify_fail(v, "lines", i, "start", "is %d; no price has such a step",
                               plan->lines[i].start);
    const struct iso_volume *volume = &problem->volumes[at];
    for (int32_t k = 0; k < plan->n_lines; k++) /* INSTANCE lines are checked by themselves */
        if (plan->lines[k].kind == ISO_LINE_INSTANCE && volume->offerings[plan->lines[k].offering])
            sum += paid_in(&plan->lines[k], volume->periods);
    while (!volume->periods[period])
        period++;
    iso_wide part = sum - volume->steps[step].from;
    if (step + 1 < volume->n_steps) {
        iso_wide width = (iso_wide)volume->steps[step + 1].from - volume->steps[step].from;
        part = part < width ? part : width;
    }
    *ret_wanted = (struct iso_line){.kind = ISO_LINE_VOLUME,
                                    .period = period,
                                    .cell = -1,
                                    .offering = -1,
                                    .product = -1,
                                    .start = plan->lines[i].start,
                                    .unit_price = volume->steps[step].factor - ISO_DECIMAL_ONE,
                                    .currency = problem->base_currency,
                                    .rate = ISO_DECIMAL_ONE,
                                    .n_periods = 1};
    if (part <= 0 || !iso_wide_to_decimal(part, &ret_wanted->quantity) ||
        !iso_decimal_multiply(ret_wanted->quantity, ret_wanted->unit_price, ISO_ROUND_HALF_EVEN,
                              &ret_wanted->cost))
        return iso_verify_fail(v, "lines", i, "quantity", "is no part of what is paid");
    return ISO_OK;
}

int64_t iso_verify_count_volume_lines(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    int64_t n = 0;

    for (int32_t i = 0; i < problem->n_volumes; i++) {
        const struct iso_volume *volume = &problem->volumes[i];
        iso_wide sum = 0;
        for (int32_t k = 0; k < v->plan->n_lines; k++) {
            const struct iso_line *line = &v->plan->lines[k];
            if (line->kind == ISO_LINE_INSTANCE && volume->offerings[line->offering])
                sum += paid_in(line, volume->periods);
        }
        for (int32_t k = 0; k < volume->n_steps; k++)
            n += sum > volume->steps[k].from;
    }
    return n;
}
