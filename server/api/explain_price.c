/* How far a price may move before another plan is cheaper.
 *
 * Let l be a factor on the price of one offering, P(l) what the plan costs at that price, penalties
 * included, and V(l) what the best plan costs. Where the price enters nothing but the bill, P is
 * linear, P(l) = P(1) + (l - 1) c with c what the plan pays for the offering, and V is the least of
 * such lines, one for each plan there is, so it is concave. With the gap g that the model asks for,
 *
 *     f(l) = (1 - g) P(l) - V(l)
 *
 * is convex, and the plan is best within the gap where f(l) <= 0: in an interval around 1.
 *   - A solve at l with bound B(l) >= (1 - g) P(l) shows that l is in it, and all between 1 and l.
 *   - A plan Q with Q(l) < (1 - g) P(l) shows that l is not, and nothing beyond is. As Q is a line
 *     too, where the two lines cross is where it begins to be cheaper.
 * So the search begins at the far end and goes on to where the line of the plan found there crosses
 * (Newton's method for the zero of f, which from outside never steps over it); halfway, where lines
 * are not known whole or a solve shows neither. */
#include <math.h>

#include "explain.h"
#include "isocost/proto/money.h"
#include "line_reader.h"
#include "message_new.h"
#include "nearest.h"
#include "selector.h"

#define LOWEST 0.001
#define HIGHEST 1000
#define MOST_POINTS 40
#define NEAR 1e-4     /* factors that are so near, as a share, are not told apart */
#define GAP_SHARE 0.1 /* of the gap asked: what solves for an interval are made with */

struct search {
    struct iso_explanation *e;
    Isocost__V1__PriceRangeAnswer *answer;
    char *offering;
    double gap, solve_gap; /* asked; of solves at other prices */
    double value, slope;   /* P(1), c */
    double rounding;       /* of one price to 9 places, over the plan */
    bool out_of_time;
};

/* What was found at one factor. */
struct point {
    double factor, value, bound, slope; /* slope NAN: not known */
    bool known;
};

/* --- checks --- */

/* The id as the catalog has it; NULL when it is none or not there. */
static const char *fold(struct iso_explanation *e, const char *text)
{
    const char *id = iso_offering_id_fold(text, e->study->arena);

    return id && iso_flat_catalog_find(e->catalog, id) >= 0 ? id : NULL;
}

enum iso_status iso_check_price_range(struct iso_explanation *e, struct iso_error *reterr)
{
    const char *offering = e->asked->price_range->offering;

    (void)reterr;
    if (!fold(e, offering))
        iso_explain_wrong(
            e, "offering", "the plan's catalog has no offering \"%.160s\"%s", offering,
            e->catalog->n > 0 ? iso_nearest_names(offering, &e->catalog->rows[0].id, e->catalog->n,
                                                  sizeof(e->catalog->rows[0]), e->study->arena)
                              : "");
    return ISO_OK;
}

/* Whether the price enters nothing but the bill; otherwise what else. */
static const char *what_else(const struct iso_explanation *e)
{
    const Isocost__V1__Model *model = e->model;
    const Isocost__V1__Catalog *catalog = e->catalog->catalog;

    for (size_t i = 0; i < model->n_budgets; i++)
        if (!model->budgets[i]->disabled)
            return "a budget counts prices";
    for (size_t i = 0; i < model->n_volume_prices; i++)
        if (!model->volume_prices[i]->disabled)
            return "a price by volume counts prices";
    for (size_t i = 0; i < catalog->n_products; i++)
        if (catalog->products[i]->kind == ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_SPEND)
            return "a commitment of money is used up by prices";
    if (model->uncertainty && model->uncertainty->tail_weight > 0)
        return "the weight of the tail depends on all costs";
    if (model->options && model->options->opt_tier_tolerance_case &&
        model->options->tier_tolerance > 0)
        return "stages of the objective have a tolerance";
    return NULL;
}

/* --- lines --- */

/* Adds what a line pays for the offering, in the base currency. */
static void add_line(const struct search *s, const Isocost__V1__PlanLine *line, double *slope,
                     double *instance_hours)
{
    iso_decimal cost = 0;

    if (line->kind != ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE ||
        strcmp(line->offering, s->offering) != 0 || !line->cost ||
        iso_money_to_decimal(line->cost, &cost, NULL) != ISO_OK)
        return;
    *slope += iso_decimal_to_double(cost);
    *instance_hours += line->quantity * line->hours * line->rate * fmax(1, line->periods);
}

static enum iso_status read_plan(struct search *s, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_line_reader reader = iso_line_reader(s->e->given->lines);
    double instance_hours = 0;
    struct iso_bytes packed;

    if (!scratch)
        return iso_explain_no_memory(reterr);
    while (iso_line_reader_next(&reader, &packed)) {
        const Isocost__V1__PlanLine *line = iso_line_unpack(packed, scratch);
        if (!line)
            return iso_line_reader_fail(s->e->given->plan->id, scratch, reterr);
        add_line(s, line, &s->slope, &instance_hours);
    }
    s->value = iso_study_money(s->e->given->plan)->value;
    s->rounding = 1e-9 * instance_hours;
    return reader.damaged ? iso_line_reader_fail(s->e->given->plan->id, scratch, reterr) : ISO_OK;
}

static double plan_at(const struct search *s, double factor)
{
    return s->value + (factor - 1) * s->slope;
}

static double slack(const struct search *s, double factor)
{
    return s->rounding + iso_explain_tolerance(plan_at(s, factor));
}

static bool stays(const struct search *s, const struct point *point)
{
    double value = plan_at(s, point->factor);
    return value - point->bound <= s->gap * fabs(value) + slack(s, point->factor);
}

static bool changes(const struct search *s, const struct point *point)
{
    double value = plan_at(s, point->factor);
    return point->value < value - s->gap * fabs(value) - slack(s, point->factor);
}

/* --- solves at other prices --- */

static enum iso_status make_case(struct search *s, double factor, struct iso_study_case *made,
                                 struct iso_error *reterr)
{
    Isocost__V1__SelectorTerm term = ISOCOST__V1__SELECTOR_TERM__INIT;
    Isocost__V1__PriceChange price = ISOCOST__V1__PRICE_CHANGE__INIT;
    Isocost__V1__Change change = ISOCOST__V1__CHANGE__INIT;
    const Isocost__V1__Model *changed;
    const char *why;
    char **names = iso_arena_calloc(s->e->study->arena, 1, sizeof(*names));
    Isocost__V1__SelectorTerm *kept = iso_arena_calloc(s->e->study->arena, 1, sizeof(*kept));
    Isocost__V1__Model *model;

    if (!names || !kept)
        return iso_explain_no_memory(reterr);
    names[0] = s->offering;
    term.offering = names;
    term.n_offering = 1;
    *kept = term; /* the model that comes out borrows it */
    price.offerings = kept;
    price.change_case = ISOCOST__V1__PRICE_CHANGE__CHANGE_FACTOR;
    price.factor = factor;
    change.change_case = ISOCOST__V1__CHANGE__CHANGE_PRICE;
    change.price = &price;
    ISO_TRY(iso_explain_change(s->e, &change, &changed, &why, reterr));
    model = changed ? iso_study_model(s->e->study, changed) : NULL;
    if (!model)
        return changed ? iso_explain_no_memory(reterr)
                       : iso_fail(reterr, ISO_E_INTERNAL, "", "a price cannot be changed: %s", why);
    model->options->opt_gap_case = ISOCOST__V1__OPTIONS__OPT_GAP_GAP;
    model->options->gap = s->solve_gap;
    made->model = model;
    return ISO_OK;
}

static enum iso_status note_point(struct search *s, const struct point *point,
                                  struct iso_error *reterr)
{
    Isocost__V1__PriceRangeAnswer *answer = s->answer;
    Isocost__V1__PricePoint *told;
    size_t place = answer->n_points;

    if (answer->n_points == MOST_POINTS)
        return ISO_OK;
    told = iso_message_new(s->e->study->arena, &isocost__v1__price_point__descriptor);
    if (!told)
        return iso_explain_no_memory(reterr);
    told->factor = point->factor;
    told->plan_objective = plan_at(s, point->factor);
    told->best_objective = point->value;
    told->bound = point->bound;
    for (; place > 0 && answer->points[place - 1]->factor > told->factor; place--)
        answer->points[place] = answer->points[place - 1];
    answer->points[place] = told;
    answer->n_points++;
    return ISO_OK;
}

/* What a solve found; lines are needed for the slope. */
static void read_point(const struct search *s, const struct iso_study_case *solved,
                       struct point *point)
{
    const Isocost__V1__Plan *plan = solved->plan;
    double slope = 0, hours = 0;

    point->known = iso_study_has_cost(plan) && iso_explain_same_service(s->e->given->plan, plan);
    if (!point->known)
        return;
    point->value = iso_study_money(plan)->value;
    point->bound = iso_study_money(plan)->bound;
    for (size_t i = 0; i < plan->n_lines; i++)
        add_line(s, plan->lines[i], &slope, &hours);
    point->slope = (size_t)plan->line_count == plan->n_lines ? slope / point->factor : NAN;
}

static enum iso_status solve_points(struct search *s, struct point *points, size_t n,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_study_case cases[8] = {0};

    ISO_ASSERT(n <= ISO_ARRAY_LENGTH(cases));
    if (!scratch)
        return iso_explain_no_memory(reterr);
    for (size_t i = 0; i < n; i++) {
        points[i].factor = round(points[i].factor * 1e9) / 1e9;
        ISO_TRY(make_case(s, points[i].factor, &cases[i], reterr));
    }
    ISO_TRY(iso_explain_solve(s->e, cases, n, ISO_STUDY_WHOLE, scratch, reterr));
    for (size_t i = 0; i < n; i++) {
        read_point(s, &cases[i], &points[i]);
        s->out_of_time = s->out_of_time || !points[i].known;
        if (points[i].known)
            ISO_TRY(note_point(s, &points[i], reterr));
    }
    return ISO_OK;
}

/* --- the search --- */

/* Where the line of what was found meets (1 - g) P; NAN when it is not known or does not. */
static double crossing(const struct search *s, const struct point *found)
{
    double share = 1 - s->gap;
    double slope = share * s->slope - found->slope;
    double height = found->value - share * plan_at(s, found->factor);

    return isfinite(slope) && slope != 0 ? found->factor + height / slope : NAN;
}

/* One side: from `far`, where the search begins, to the end of the interval. `*inside` is known to
 * be in it (1 at first), `*outside` becomes the factor beyond which nothing is, or stays 0. */
static enum iso_status search_side(struct search *s, double far, double *inside, double *outside,
                                   struct iso_error *reterr)
{
    double next = far, edge = far; /* nearest factor that is not known to be inside */

    for (int i = 0; i < MOST_POINTS / 2; i++) {
        struct point point = {.factor = next};
        double meets = NAN;
        ISO_TRY(solve_points(s, &point, 1, reterr));
        if (!point.known)
            return ISO_OK;
        if (stays(s, &point)) {
            *inside = point.factor;
            if (point.factor == far)
                return ISO_OK;
        } else if (changes(s, &point)) {
            meets = crossing(s, &point);
            bool between = meets > fmin(1, point.factor) && meets < fmax(1, point.factor);
            meets = between ? meets : NAN;
            *outside = edge = between ? meets : point.factor;
        } else {
            edge = point.factor;
        }
        if (fabs(edge - *inside) <= NEAR * edge)
            return ISO_OK;
        next = isfinite(meets) ? meets : sqrt(*inside * edge);
    }
    return ISO_OK;
}

static enum iso_status search_interval(struct search *s, struct iso_error *reterr)
{
    Isocost__V1__PriceRangeAnswer *answer = s->answer;

    answer->interval = true;
    s->solve_gap = s->gap * GAP_SHARE;
    ISO_TRY(search_side(s, LOWEST, &answer->stays_from, &answer->changes_below, reterr));
    if (s->slope == 0) { /* what is not used costs no more, and nothing gets cheaper */
        answer->stays_to = HIGHEST;
        return ISO_OK;
    }
    return search_side(s, HIGHEST, &answer->stays_to, &answer->changes_above, reterr);
}

static enum iso_status try_prices(struct search *s, struct iso_error *reterr)
{
    struct point points[] = {{.factor = 0.5}, {.factor = 0.8},  {.factor = 0.9},
                             {.factor = 1.1}, {.factor = 1.25}, {.factor = 2}};

    return solve_points(s, points, ISO_ARRAY_LENGTH(points), reterr);
}

static enum iso_status start(struct search *s, struct iso_error *reterr)
{
    struct iso_explanation *e = s->e;
    const char *id = fold(e, e->asked->price_range->offering);
    int64_t row = id ? iso_flat_catalog_find(e->catalog, id) : -1;

    s->answer = iso_message_new(e->study->arena, &isocost__v1__price_range_answer__descriptor);
    s->offering = iso_arena_strdup(e->study->arena, id ? id : "");
    if (!s->answer || !s->offering || row < 0)
        return iso_explain_no_memory(reterr);
    s->answer->points =
        iso_arena_calloc(e->study->arena, MOST_POINTS + 1, sizeof(*s->answer->points));
    s->answer->price = e->catalog->catalog->offerings[row]->price;
    s->answer->stays_from = s->answer->stays_to = 1;
    s->gap = s->solve_gap = iso_explain_gap(e);
    return s->answer->points ? read_plan(s, reterr) : iso_explain_no_memory(reterr);
}

enum iso_status iso_answer_price_range(struct iso_explanation *e, Isocost__V1__Answer *given,
                                       struct iso_error *reterr)
{
    const Isocost__V1__Plan *plan = e->given->plan;
    struct search s = {.e = e};
    const char *other = what_else(e);

    if (!iso_study_has_cost(plan)) {
        iso_explain_note(given, "the plan runs nothing; ask for repairs");
        return ISO_OK;
    }
    ISO_TRY(start(&s, reterr));
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_PRICE_RANGE;
    given->price_range = s.answer;
    const struct point now = {
        .factor = 1, .value = iso_study_money(plan)->value, .bound = iso_study_money(plan)->bound};
    if (!other && !stays(&s, &now))
        other = "the plan was not proved best within the gap asked";
    ISO_TRY(other ? try_prices(&s, reterr) : search_interval(&s, reterr));
    given->complete = !s.out_of_time;
    if (!other)
        return ISO_OK;
    const char *note = iso_arena_printf(
        e->study->arena, "%s, so only what is best at the prices tried is certain", other);
    if (!note)
        return iso_explain_no_memory(reterr);
    iso_explain_note(given, note);
    return ISO_OK;
}
