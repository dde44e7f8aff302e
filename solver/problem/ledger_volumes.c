/* VOLUME lines of the bill: of each step, what it changes of the part of the volume that lies in
 * it.
 *
 *   S    = sum of the INSTANCE lines that count
 *   cost = part * (factor - 1),  part = S from the step's begin up to the next step's */
#include "ledger_sums.h"

static iso_wide volume_of(const struct iso_ledger *ledger, const struct iso_volume *volume)
{
    iso_wide sum = 0;

    for (int32_t i = 0; i < ledger->n_lines; i++) {
        const struct iso_line *line = &ledger->lines[i];
        if (line->kind == ISO_LINE_INSTANCE && volume->offerings[line->offering])
            sum += (iso_wide)iso_line_share(line) * iso_line_count(line, volume->periods);
    }
    return sum;
}

static int32_t first_period(const struct iso_problem *problem, const struct iso_volume *volume)
{
    int32_t t = 0;

    while (t < problem->n_periods && !volume->periods[t])
        t++;
    return t;
}

enum iso_status iso_ledger_volumes(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;
    int32_t number = 0;

    for (int32_t i = 0; i < problem->n_volumes; i++) {
        const struct iso_volume *volume = &problem->volumes[i];
        iso_wide sum = volume_of(ledger, volume);
        for (int32_t k = 0; k < volume->n_steps; k++, number++) {
            iso_wide end = k + 1 < volume->n_steps && sum > volume->steps[k + 1].from
                               ? volume->steps[k + 1].from
                               : sum;
            struct iso_line line = {.kind = ISO_LINE_VOLUME,
                                    .period = first_period(problem, volume),
                                    .cell = -1,
                                    .offering = -1,
                                    .product = -1,
                                    .start = number,
                                    .unit_price = volume->steps[k].factor - ISO_DECIMAL_ONE,
                                    .currency = problem->base_currency,
                                    .rate = ISO_DECIMAL_ONE};
            if (end <= volume->steps[k].from)
                continue;
            if (!iso_wide_to_decimal(end - volume->steps[k].from, &line.quantity) ||
                !iso_decimal_multiply(line.quantity, line.unit_price, ISO_ROUND_HALF_EVEN,
                                      &line.cost))
                return iso_ledger_out_of_range(reterr, "lines");
            if (iso_ledger_add(ledger, &line) != ISO_OK)
                return iso_ledger_no_memory(reterr);
        }
    }
    return ISO_OK;
}
