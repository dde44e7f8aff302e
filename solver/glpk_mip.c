#include "glpk_mip.h"

#include <glpk.h>
#include <math.h>

#include "glpk_guard.h"

struct search {
    const struct iso_control *control;
    const struct iso_mip_limits *limits;
    double end, bound;
    int64_t nodes;
    enum iso_mip_outcome outcome;
};

/* Arrays for one column; owned by the caller of the guarded function. */
struct scratch {
    int *rows;
    double *coefficients;
    int32_t *column_of;
};

static void scratch_fini(struct scratch *scratch)
{
    free(scratch->rows);
    free(scratch->coefficients);
    free(scratch->column_of);
}

static enum iso_status scratch_init(struct scratch *scratch, const struct iso_mip *mip,
                                    struct iso_error *reterr)
{
    scratch->rows = iso_calloc((size_t)mip->n_rows + 2, sizeof(*scratch->rows));
    scratch->coefficients = iso_calloc((size_t)mip->n_rows + 2, sizeof(*scratch->coefficients));
    scratch->column_of = iso_calloc((size_t)mip->n_columns + 1, sizeof(*scratch->column_of));
    if (!scratch->rows || !scratch->coefficients || !scratch->column_of)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a mixed-integer program");
    return ISO_OK;
}

static void load_row(glp_prob *prob, int at, double lower, double upper)
{
    glp_set_row_bnds(prob, at, iso_glpk_bound_type(lower, upper), lower, upper);
}

static glp_prob *load(const struct iso_mip *mip, const uint8_t *active, double cutoff,
                      struct scratch *scratch)
{
    glp_prob *prob = glp_create_prob();
    bool cut = !isinf(cutoff);

    glp_set_obj_dir(prob, GLP_MIN);
    if (mip->n_rows + cut > 0)
        glp_add_rows(prob, mip->n_rows + cut);
    for (int32_t i = 0; i < mip->n_rows; i++)
        load_row(prob, i + 1, mip->rows[i].lower, mip->rows[i].upper);
    if (cut)
        load_row(prob, mip->n_rows + 1, -INFINITY, cutoff);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (active && !active[j])
            continue;
        int at = glp_add_cols(prob, 1), n = column->n_entries;
        for (int32_t k = 0; k < n; k++) {
            scratch->rows[k + 1] = mip->entries[column->first_entry + k].row + 1;
            scratch->coefficients[k + 1] = mip->entries[column->first_entry + k].coefficient;
        }
        if (cut && mip->objective[j] != 0) {
            scratch->rows[++n] = mip->n_rows + 1;
            scratch->coefficients[n] = mip->objective[j];
        }
        glp_set_mat_col(prob, at, n, scratch->rows, scratch->coefficients);
        glp_set_col_bnds(prob, at, iso_glpk_bound_type(column->lower, column->upper), column->lower,
                         column->upper);
        glp_set_col_kind(prob, at, column->integer ? GLP_IV : GLP_CV);
        glp_set_obj_coef(prob, at, mip->objective[j]);
        scratch->column_of[at] = j;
    }
    return prob;
}

static bool gap_reached(glp_tree *tree, const struct iso_mip_limits *limits)
{
    double relative = glp_ios_mip_gap(tree); /* DBL_MAX without a solution */

    if (relative > 1e300)
        return false;
    double value = fabs(glp_mip_obj_val(glp_ios_get_prob(tree)));
    return (limits->relative_gap > 0 && relative <= limits->relative_gap) ||
           (limits->absolute_gap > 0 && relative * value <= limits->absolute_gap);
}

static void on_tree(glp_tree *tree, void *context)
{
    struct search *search = context;
    int best = glp_ios_best_node(tree), total;

    if (best != 0) {
        double bound = glp_ios_node_bound(tree, best);
        if (bound > search->bound && bound < 1e300)
            search->bound = bound;
    }
    glp_ios_tree_size(tree, NULL, NULL, &total);
    search->nodes = total;
    if ((search->control->stop && search->control->stop(search->control->context)) ||
        search->control->now(search->control->context) > search->end ||
        (search->limits->nodes > 0 && total > search->limits->nodes)) {
        search->outcome = ISO_MIP_STOPPED;
        glp_ios_terminate(tree);
    } else if (gap_reached(tree, search->limits)) {
        search->outcome = ISO_MIP_GAP;
        glp_ios_terminate(tree);
    }
}

/* One growing of the tree; what its thread reads and writes. */
struct attempt {
    const struct iso_mip *mip;
    const uint8_t *active;
    double cutoff;
    struct scratch *scratch;
    struct search *search;
    bool plain; /* without presolve and cuts */
    struct iso_mip_result *result;
    double *x;
};

static void choose_parameters(const struct attempt *attempt, glp_iocp *ret_parameters)
{
    struct search *search = attempt->search;
    int cuts = attempt->plain || search->limits->no_cuts ? GLP_OFF : GLP_ON;

    glp_init_iocp(ret_parameters);
    ret_parameters->msg_lev = GLP_MSG_OFF;
    ret_parameters->presolve = attempt->plain ? GLP_OFF : GLP_ON;
    /* no cover cuts: GLPK 5.0 ends on an error when presolve leaves no column for them */
    ret_parameters->gmi_cuts = cuts;
    ret_parameters->mir_cuts = cuts;
    if (!search->limits->plans) { /* pseudo-costs raise the bound, but find few plans */
        ret_parameters->br_tech = GLP_BR_PCH;
        ret_parameters->bt_tech = GLP_BT_BPH;
    }
    ret_parameters->tol_int = 1e-6;
    ret_parameters->tol_obj = 1e-9;
    ret_parameters->cb_func = on_tree;
    ret_parameters->cb_info = search;
    double seconds = fmax(0, search->end - search->control->now(search->control->context));
    /* GLPK counts whole milliseconds and may end 2 early; then nobody would see that time was up.
     * A negative limit it takes for a bug of its caller. */
    ret_parameters->tm_lim = seconds > 1e6 ? INT32_MAX : (int)(seconds * 1000) + 3;
}

/* The relaxation, where presolve does not solve it. Gives a status of glp_intopt(). */
static int relax(glp_prob *prob, const glp_iocp *tree)
{
    glp_smcp parameters;

    glp_init_smcp(&parameters);
    parameters.msg_lev = GLP_MSG_OFF;
    parameters.tm_lim = tree->tm_lim;
    glp_scale_prob(prob, GLP_SF_AUTO);
    glp_adv_basis(prob, 0);
    int status = glp_simplex(prob, &parameters);
    if (status != 0)
        return status;
    return glp_get_status(prob) == GLP_OPT      ? 0
           : glp_get_status(prob) == GLP_NOFEAS ? GLP_ENOPFS
                                                : GLP_ENODFS;
}

static enum iso_status grow(void *context)
{
    struct attempt *attempt = context;
    struct iso_mip_result *result = attempt->result;
    struct search *search = attempt->search;
    glp_iocp parameters;

    ISO_GLPK_GUARD(NULL);
    glp_prob *prob = load(attempt->mip, attempt->active, attempt->cutoff, attempt->scratch);
    choose_parameters(attempt, &parameters);
    int status = attempt->plain ? relax(prob, &parameters) : 0;
    if (status == 0)
        status = glp_intopt(prob, &parameters);
    int solution = glp_mip_status(prob);

    result->has_x = solution == GLP_OPT || solution == GLP_FEAS;
    result->value = glp_mip_obj_val(prob);
    result->bound = search->bound;
    if (status != 0 && status != GLP_EMIPGAP && status != GLP_ENOPFS && status != GLP_ENODFS &&
        status != GLP_ESTOP && status != GLP_ETMLIM)
        search->outcome = ISO_MIP_STOPPED;
    else if (status == GLP_ETMLIM || (status == GLP_ENODFS && !result->has_x))
        search->outcome = ISO_MIP_STOPPED;
    for (int32_t j = 0; j < attempt->mip->n_columns; j++)
        attempt->x[j] = 0;
    for (int at = 1; at <= glp_get_num_cols(prob) && result->has_x; at++)
        attempt->x[attempt->scratch->column_of[at]] = glp_mip_col_val(prob, at);
    glp_delete_prob(prob);
    return ISO_OK;
}

/* Errors: ISO_E_NOMEM; ISO_E_BACKEND: GLPK ended on an internal error. */
static enum iso_status grow_apart(struct attempt *attempt)
{
    attempt->search->bound = -INFINITY;
    attempt->search->outcome = ISO_MIP_SOLVED;
    *attempt->result = (struct iso_mip_result){.bound = -INFINITY};
    return iso_glpk_apart(grow, attempt);
}

enum iso_status iso_mip_solve(const struct iso_mip *mip, const uint8_t *active, double cutoff,
                              const struct iso_mip_limits *limits,
                              const struct iso_control *control, struct iso_mip_result *ret_result,
                              double *ret_x, struct iso_error *reterr)
{
    struct scratch scratch __attribute__((cleanup(scratch_fini))) = {0};
    struct search search = {.control = control,
                            .limits = limits,
                            .end = control->now(control->context) + limits->seconds};
    struct iso_mip_result result;
    struct attempt attempt = {mip, active, cutoff, &scratch, &search, false, &result, ret_x};

    ISO_TRY(scratch_init(&scratch, mip, reterr));
    enum iso_status status = grow_apart(&attempt);
    if (status == ISO_E_BACKEND) { /* presolve's, mostly; see glpk_mip.h */
        attempt.plain = true;
        status = grow_apart(&attempt);
    }
    if (status == ISO_E_NOMEM)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the thread of a tree");
    if (status != ISO_OK)
        search.outcome = ISO_MIP_STOPPED;
    result.outcome = search.outcome;
    result.nodes = search.nodes;
    if (result.outcome == ISO_MIP_SOLVED)
        result.bound = result.has_x ? result.value : INFINITY;
    *ret_result = result;
    return ISO_OK;
}

static enum iso_status write_named(const struct iso_mip *mip, double constant,
                                   enum iso_mip_format format, const char *path,
                                   void (*name)(void *, bool, int32_t, char *), void *context,
                                   struct scratch *scratch, struct iso_error *reterr)
{
    char buffer[256];

    ISO_GLPK_GUARD(reterr);
    glp_prob *prob = load(mip, NULL, INFINITY, scratch);
    glp_set_prob_name(prob, "isocost");
    glp_set_obj_name(prob, "objective");
    glp_set_obj_coef(prob, 0, constant);
    for (int32_t i = 0; i < mip->n_rows; i++) {
        name(context, true, i, buffer);
        glp_set_row_name(prob, i + 1, buffer);
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        name(context, false, j, buffer);
        glp_set_col_name(prob, j + 1, buffer);
    }
    /* a free row would take the objective's place in an MPS file */
    int n_free = 0;
    for (int32_t i = 0; i < mip->n_rows; i++)
        if (isinf(mip->rows[i].lower) && isinf(mip->rows[i].upper))
            scratch->rows[++n_free] = i + 1;
    if (n_free > 0)
        glp_del_rows(prob, n_free, scratch->rows);
    int status = format == ISO_MIP_MPS ? glp_write_mps(prob, GLP_MPS_FILE, NULL, path)
                                       : glp_write_lp(prob, NULL, path);
    glp_delete_prob(prob);
    if (status != 0)
        return iso_fail(reterr, ISO_E_IO, "", "the plain MIP could not be written");
    return ISO_OK;
}

enum iso_status iso_mip_write(const struct iso_mip *mip, double constant,
                              enum iso_mip_format format, const char *path,
                              void (*name)(void *context, bool row, int32_t index, char *buffer),
                              void *context, struct iso_error *reterr)
{
    struct scratch scratch __attribute__((cleanup(scratch_fini))) = {0};

    ISO_TRY(scratch_init(&scratch, mip, reterr));
    return write_named(mip, constant, format, path, name, context, &scratch, reterr);
}
