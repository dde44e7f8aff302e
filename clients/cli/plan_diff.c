#include "plan_diff.h"

#include <stddef.h>

#include "remote.h"
#include "study_stream.h"

const struct iso_option iso_plan_diff_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"time-limit", 0, ISO_OPTION_SECONDS, offsetof(struct iso_plan_diff_options, time_limit_s),
     "TIME", "for all solves together; default 5m"},
    {0}};

static bool differs(const Isocost__V1__PlanComparison *comparison)
{
    for (size_t i = 0; i + 1 < comparison->n_steps; i++)
        if (comparison->steps[i]->changed)
            return true;
    return comparison->line_change_count > 0;
}

static enum iso_exit_code show(struct iso_cli *cli, const Isocost__V1__PlanComparison *comparison)
{
    struct iso_view view = iso_cli_view(cli);

    if (cli->output == ISO_OUTPUT_CSV) {
        iso_comparison_view_csv(&view, comparison);
        return ISO_EXIT_OK;
    }
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &comparison->base);
    if (iso_comparison_view_print(&view, comparison))
        return ISO_EXIT_OK;
    fputs("isocost: out of memory\n", cli->err);
    return ISO_EXIT_OTHER;
}

enum iso_exit_code iso_plan_diff_run(struct iso_cli *cli, const void *values, int n,
                                     char **operands)
{
    Isocost__V1__ComparePlansRequest request = ISOCOST__V1__COMPARE_PLANS_REQUEST__INIT;
    const struct iso_plan_diff_options *options = values;
    struct iso_study_results results;

    (void)n;
    request.plan_id = operands[0];
    request.other_plan_id = operands[1];
    request.time_limit_seconds = options->time_limit_s;
    enum iso_exit_code code = iso_study_run(cli, &ISO_CLIENT_PLAN("ComparePlans", compare_plans),
                                            &request.base, &results);
    if (code != ISO_EXIT_OK || !results.comparison)
        return code;
    code = show(cli, results.comparison);
    if (code != ISO_EXIT_OK)
        return code;
    return differs(results.comparison) ? ISO_EXIT_DIFFERENT : ISO_EXIT_OK;
}
