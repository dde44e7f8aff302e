/* The plain MIP as a file that another solver reads, so that anyone can check us. Nothing is
 * reduced: every option is a column, every maximal fill pattern too. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "glpk_mip.h"
#include "search.h"

#define EXPORT_PATTERNS 200000

static const char *cell_name(const struct iso_problem *problem, int32_t cell)
{
    return cell < problem->n_workloads ? problem->workloads[cell].id
                                       : problem->teams[cell - problem->n_workloads].id;
}

/* One case a kind of row, all in one place so that a new kind is seen to be missing: hence long. */
static void name_row(const struct iso_problem *p, const struct iso_mip_row *row, char *text)
{
    const size_t size = 256;

    switch (row->kind) {
    case ISO_ROW_DEMAND:
        snprintf(text, size, "demand(%s,%s)", p->workloads[row->a].id, p->periods[row->b].id);
        break;
    case ISO_ROW_LIMIT:
        snprintf(text, size, "limit(%s,%s)", p->limits[row->a].id, p->periods[row->b].id);
        break;
    case ISO_ROW_BUDGET:
        snprintf(text, size, "budget(%s,%d)", p->budgets[row->a].id, row->b);
        break;
    case ISO_ROW_COMMIT:
        snprintf(text, size, "commit(%s,%s)", p->products[row->a].id, p->periods[row->b].id);
        break;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
        snprintf(
            text, size, "%s(%s,%s,%s)", row->kind == ISO_ROW_SHARE_MAX ? "share_max" : "share_min",
            p->workloads[row->a].id, p->workloads[row->a].shares[row->b].id, p->periods[row->c].id);
        break;
    case ISO_ROW_SURVIVE:
        snprintf(text, size, "survive(%s,%s,%s,%d)", p->workloads[row->a].id,
                 p->workloads[row->a].survive[row->b].id, p->periods[row->c].id, row->d);
        break;
    case ISO_ROW_SPREAD:
        snprintf(text, size, "spread(%s,%s,%s,%d)", p->workloads[row->a].id,
                 p->workloads[row->a].spread[row->b].id, p->periods[row->c].id, row->d);
        break;
    case ISO_ROW_SPREAD_N:
        snprintf(text, size, "spread_count(%s,%s)", p->workloads[row->a].id,
                 p->workloads[row->a].spread[row->b].id);
        break;
    case ISO_ROW_MOVE:
        snprintf(text, size, "move(%s,%s)", cell_name(p, row->a), p->offerings[row->b].id);
        break;
    case ISO_ROW_MOVES:
        snprintf(text, size, "moves");
        break;
    case ISO_ROW_RAMP:
        snprintf(text, size, "change(%s,%s,%s)", p->workloads[row->a].id, p->offerings[row->b].id,
                 p->periods[row->c].id);
        break;
    case ISO_ROW_RAMP_CAP:
        snprintf(text, size, "%s(%s,%s)", row->c == 0 ? "starts" : "stops", p->workloads[row->a].id,
                 p->periods[row->b].id);
        break;
    case ISO_ROW_FLOW:
    case ISO_ROW_LEAVE:
        snprintf(text, size, "%s(%s,%s,%s,%d)", row->kind == ISO_ROW_FLOW ? "flow" : "leave",
                 p->workloads[row->a].id, p->workloads[row->a].traffic[row->b].id,
                 p->periods[row->c].id, row->d);
        break;
    case ISO_ROW_ARRIVAL:
    case ISO_ROW_ENTER:
        snprintf(text, size, "%s(%s,%s,%s,%s)", row->kind == ISO_ROW_ARRIVAL ? "arrival" : "enter",
                 p->workloads[row->a].id, p->workloads[row->a].traffic[row->b].id,
                 p->periods[row->c].id, p->region_names[row->d]);
        break;
    case ISO_ROW_JOIN:
        snprintf(text, size, "join(%s,%s,%s)", p->workloads[row->a].id,
                 p->workloads[row->a].traffic[row->b].id, p->periods[row->c].id);
        break;
    case ISO_ROW_PRESENCE:
        snprintf(text, size, "presence(%s,%d,%s,%d)", p->workloads[row->a].id, row->b,
                 p->periods[row->c].id, row->d);
        break;
    case ISO_ROW_APART:
        snprintf(text, size, "apart(%s,%s,%d,%d)", p->workloads[row->a].id,
                 p->workloads[row->a].affinities[row->b].id, row->c, row->d);
        break;
    case ISO_ROW_PRESENT:
        snprintf(text, size, "present(%s,%d,%d)", p->workloads[row->a].id, row->b, row->d);
        break;
    case ISO_ROW_TOGETHER:
        snprintf(text, size, "together(%s,%s,%d)", p->workloads[row->a].id,
                 p->workloads[row->a].affinities[row->b].id, row->d);
        break;
    case ISO_ROW_FAIR:
        snprintf(text, size, "loss(%s,%d)", p->workloads[row->a].id, row->b);
        break;
    case ISO_ROW_BEYOND:
    case ISO_ROW_BOX:
        snprintf(text, size, "%s(%s,%s)", row->kind == ISO_ROW_BEYOND ? "beyond" : "rise",
                 p->workloads[row->a].id, p->periods[row->b].id);
        break;
    case ISO_ROW_TAIL:
        snprintf(text, size, "tail(%s)", p->scenarios[row->a].id);
        break;
    case ISO_ROW_LINK_COVER:
        snprintf(text, size, "covered(%s,%s,%s)", cell_name(p, row->a), p->offerings[row->b].id,
                 p->periods[row->c].id);
        break;
    default:
        snprintf(text, size, "placed(%s,%s,%s)", p->workloads[row->a].id, p->offerings[row->b].id,
                 p->periods[row->c].id);
    }
}

/* Likewise of columns: hence long. */
static void name_column(const struct iso_formulation *f, const struct iso_mip_column *column,
                        char *text)
{
    const struct iso_problem *p = f->problem;
    const size_t size = 256;

    switch (column->kind) {
    case ISO_COLUMN_USE:
    case ISO_COLUMN_PLACE:
        snprintf(text, size, "%s(%s,%s,%s)", column->kind == ISO_COLUMN_USE ? "use" : "place",
                 p->workloads[column->a].id,
                 p->offerings[p->workloads[column->a].options[column->b].offering].id,
                 p->periods[column->c].id);
        break;
    case ISO_COLUMN_PATTERN:
        snprintf(text, size, "fill(%s,%s,%s,%d)", p->teams[column->a].id,
                 p->offerings[f->pools[column->a].lists[column->b].offering].id,
                 p->periods[column->c].id, column->d);
        break;
    case ISO_COLUMN_COVER:
        snprintf(text, size, "cover(%s,%s,%s,%s)", p->products[column->a].id,
                 cell_name(p, column->b), p->offerings[column->c].id, p->periods[column->d].id);
        break;
    case ISO_COLUMN_BUY:
        snprintf(text, size, "buy(%s,%s)", p->products[column->a].id,
                 p->periods[p->products[column->a].starts[column->b].period].id);
        break;
    case ISO_COLUMN_UNSERVED:
        snprintf(text, size, "unserved(%s,%s)", p->workloads[column->a].id,
                 p->periods[column->b].id);
        break;
    case ISO_COLUMN_DOMAIN:
        snprintf(text, size, "domain(%s,%s,%d)", p->workloads[column->a].id,
                 p->workloads[column->a].spread[column->b].id, column->c);
        break;
    case ISO_COLUMN_RAMP:
        snprintf(text, size, "%s(%s,%s,%s)", column->d == 0 ? "starts" : "stops",
                 p->workloads[column->a].id, p->offerings[column->b].id, p->periods[column->c].id);
        break;
    case ISO_COLUMN_FLOW: {
        const struct iso_traffic *traffic = &p->workloads[column->a].traffic[column->b];
        const struct iso_route *route = &traffic->routes[column->d];
        snprintf(text, size, "flow(%s,%s,%s,%s,%s)", p->workloads[column->a].id, traffic->id,
                 iso_problem_place_name(p, traffic->sources[route->source].place),
                 p->region_names[route->region], p->periods[column->c].id);
        break;
    }
    case ISO_COLUMN_PRESENCE:
        snprintf(text, size, "runs_in(%s,%d,%d)", p->workloads[column->a].id, column->b, column->c);
        break;
    case ISO_COLUMN_START:
    case ISO_COLUMN_STOP:
        snprintf(text, size, "%s(%s,%s)", column->kind == ISO_COLUMN_START ? "start" : "stop",
                 cell_name(p, column->a), p->offerings[column->b].id);
        break;
    case ISO_COLUMN_BEYOND:
    case ISO_COLUMN_ABOVE_RISE:
        snprintf(text, size, "%s(%s,%s)",
                 column->kind == ISO_COLUMN_BEYOND ? "beyond" : "above_rise",
                 p->workloads[column->a].id, p->periods[column->b].id);
        break;
    case ISO_COLUMN_RISE:
        snprintf(text, size, "rise(%s)", p->workloads[column->a].id);
        break;
    case ISO_COLUMN_TAIL:
        snprintf(text, size, "tail(%s)", p->scenarios[column->a].id);
        break;
    case ISO_COLUMN_AT_RISK:
        snprintf(text, size, "at_risk");
        break;
    case ISO_COLUMN_WORST:
        snprintf(text, size, "worst(%d,%d)", column->a, column->b);
        break;
    case ISO_COLUMN_ABOVE_WORST:
        snprintf(text, size, "above_worst(%s,%d)", p->workloads[column->a].id, column->b);
        break;
    case ISO_COLUMN_MOVES:
        snprintf(text, size, "moves");
        break;
    case ISO_COLUMN_OVER_LIMIT:
        snprintf(text, size, "over(%s,%s)", p->limits[column->a].id, p->periods[column->b].id);
        break;
    case ISO_COLUMN_OVER_BUDGET:
        snprintf(text, size, "over(%s,%d)", p->budgets[column->a].id, column->b);
        break;
    }
}

/* Names hold only what every reader of MPS and LP files takes. */
static void name_of(void *context, bool row, int32_t index, char *buffer)
{
    const struct iso_formulation *f = context;

    if (row)
        name_row(f->problem, &f->mip.rows[index], buffer);
    else
        name_column(f, &f->mip.columns[index], buffer);
    for (char *c = buffer; *c; c++) {
        if (*c == '*')
            *c = '#';
        else if (*c == '-')
            *c = '~';
        else if (!isalnum((unsigned char)*c) && !strchr("(),./_#~", *c))
            *c = '_';
    }
}

enum iso_status iso_export_mip(const struct iso_problem *problem, const struct iso_tier *tier,
                               enum iso_mip_format format, const char *path,
                               struct iso_error *reterr)
{
    struct iso_reduction reduction __attribute__((cleanup(iso_reduction_fini))) = {0};
    struct iso_formulation formulation __attribute__((cleanup(iso_formulation_fini))) = {0};

    if (iso_has_branches(problem))
        return iso_fail(reterr, ISO_E_LIMIT, "",
                        "limits with or_nothing and prices by volume are settled by a tree of "
                        "programs, and are not written as one");
    ISO_TRY(iso_reduction_init(&reduction, problem, false, reterr));
    ISO_TRY(iso_formulation_init(&formulation, problem, &reduction, true, EXPORT_PATTERNS, reterr));
    for (int32_t g = 0; g < problem->n_teams; g++)
        for (int32_t l = 0; l < formulation.pools[g].n_lists; l++)
            if (!formulation.pools[g].lists[l].complete)
                return iso_fail(
                    reterr, ISO_E_LIMIT, "model",
                    "team %s has more than %d fill patterns; a plain MIP of it would be "
                    "too large",
                    problem->teams[g].id, EXPORT_PATTERNS);
    iso_formulation_objective(&formulation, tier);
    return iso_mip_write(&formulation.mip, iso_formulation_constant(&formulation, tier->kind),
                         format, path, name_of, &formulation, reterr);
}
