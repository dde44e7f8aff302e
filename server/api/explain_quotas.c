/* The fewest raises of caps that bring the cost near the best without any cap.
 *
 * Let V(S) be the best value with the caps of the set S lifted; it only falls when S grows. S is
 * good when V(S) <= (1 + x) V(all). Every good set has an element outside any set that is not good.
 * So: collect sets M that are not good, each grown until it would be good with any group of others;
 * choose the smallest set H that has an element outside each M (a smallest hitting set of the
 * complements); if H is good it is a smallest good set, as no smaller set hits them all; else it is
 * one more M. That is the search by implicit hitting sets (Moreno-Centeno and Karp, 2013). That a
 * set is not good is shown by the bound of its solve, that it is good by the plan found. Where a
 * solve shows neither, the set is passed over, and no longer counts for the least number. */
#include <math.h>
#include <stdio.h>

#include "explain.h"
#include "explain_caps.h"
#include "message_new.h"
#include "nearest.h"

#define MOST_SETS 1000

enum goodness { NOT_GOOD, GOOD, NOT_KNOWN };

struct quota_search {
    struct iso_explanation *e;
    struct iso_caps *caps;
    Isocost__V1__QuotaRaisesAnswer *answer;
    uint64_t all;
    const Isocost__V1__Plan *best; /* with all lifted */
    size_t n_hit, n_proved;        /* sets to hit: the first n_proved are certain */
    uint64_t hit[MOST_SETS];
    uint64_t found; /* a good set, while has_found */
    bool has_found;
    bool out_of_time;
    struct {
        uint64_t set;
        enum goodness goodness;
    } known[MOST_SETS];
    size_t n_known;
};

/* --- the question --- */

enum iso_status iso_check_quota_raises(struct iso_explanation *e, struct iso_error *reterr)
{
    const Isocost__V1__QuotaRaises *asked = e->asked->quota_raises;
    struct iso_caps *all, *one;
    char member[32];

    if (!(asked->within >= 0 && asked->within <= 10))
        iso_explain_wrong(e, "within", "%g; it must be in [0, 10], a share", asked->within);
    ISO_TRY(iso_caps_find(e, NULL, 0, &all, reterr));
    for (size_t i = 0; i < asked->n_only; i++) {
        ISO_TRY(iso_caps_find(e, &asked->only[i], 1, &one, reterr));
        snprintf(member, sizeof(member), "only[%zu]", i);
        if (one->n_all == 0)
            iso_explain_wrong(e, member,
                              "no quota with a value and no hard cap has the id \"%.100s\"%s",
                              asked->only[i],
                              iso_nearest_names(asked->only[i], &all->items[0].id, all->n,
                                                sizeof(all->items[0]), e->study->arena));
    }
    size_t n = asked->n_only > 0 ? asked->n_only : all->n_all;
    if (n > ISO_CAPS_MAX)
        iso_explain_wrong(e, "only", "the plan has %zu quotas and hard caps; name at most %d", n,
                          ISO_CAPS_MAX);
    return ISO_OK;
}

/* --- sets --- */

static int size_of(uint64_t set)
{
    return __builtin_popcountll(set);
}

/* A smallest set that hits the first n sets, no larger than `most`; depth first, on the elements of
 * a smallest set not hit yet, each left out for the branches after its own. Without recursion: the
 * chosen elements are a stack. */
struct branch {
    uint64_t chosen, barred, untried;
};

/* A set with fewest elements left that is not hit; 0: all are. */
static uint64_t next_to_hit(const uint64_t *sets, size_t n, uint64_t chosen, uint64_t barred,
                            bool *ret_hopeless)
{
    uint64_t smallest = 0;

    *ret_hopeless = false;
    for (size_t i = 0; i < n; i++) {
        uint64_t left = sets[i] & ~barred;
        if (sets[i] & chosen)
            continue;
        if (left == 0)
            *ret_hopeless = true;
        else if (smallest == 0 || size_of(left) < size_of(smallest))
            smallest = left;
    }
    return smallest;
}

static uint64_t smallest_hitting_set(const uint64_t *sets, size_t n)
{
    struct branch stack[ISO_CAPS_MAX + 1];
    uint64_t best = 0;
    int most = ISO_CAPS_MAX + 1, depth = 0;
    bool hopeless;

    stack[0] = (struct branch){0};
    stack[0].untried = next_to_hit(sets, n, 0, 0, &hopeless);
    if (stack[0].untried == 0)
        return 0;
    while (depth >= 0) {
        struct branch *at = &stack[depth];
        if (at->untried == 0 || depth + 1 >= most) {
            depth--;
            continue;
        }
        uint64_t element = at->untried & -at->untried;
        at->untried &= ~element;
        struct branch next = {.chosen = at->chosen | element, .barred = at->barred};
        at->barred |= element;
        next.untried = next_to_hit(sets, n, next.chosen, next.barred, &hopeless);
        if (hopeless)
            continue;
        if (next.untried == 0) {
            best = next.chosen;
            most = depth + 1;
            depth--; /* nothing smaller below */
        } else {
            stack[++depth] = next;
        }
    }
    return best;
}

/* --- is a set good? --- */

/* Compared with the plan that has all caps lifted, stage by stage. */
static enum goodness judge(const struct quota_search *q, const Isocost__V1__Plan *plan)
{
    if (!plan || !plan->termination)
        return NOT_KNOWN;
    if (plan->termination->reason == ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE)
        return NOT_GOOD;
    if (!iso_study_has_cost(plan))
        return NOT_KNOWN;
    for (size_t i = 0; i < plan->n_tiers; i++) {
        const Isocost__V1__Tier *tier = plan->tiers[i];
        bool money = strcmp(tier->name, "money") == 0;
        double most = money                  ? q->answer->target
                      : i < q->best->n_tiers ? q->best->tiers[i]->value
                                             : 0;
        most += iso_explain_tolerance(most);
        if (tier->bound > most)
            return NOT_GOOD;
        if (tier->value > most)
            return NOT_KNOWN;
        if (money)
            return GOOD;
    }
    return NOT_KNOWN;
}

static enum iso_status is_good(struct quota_search *q, uint64_t set, enum goodness *ret_goodness,
                               struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = NULL;
    struct iso_study_case solved = {0};

    *ret_goodness = set == q->all ? GOOD : NOT_KNOWN;
    if (set == q->all)
        return ISO_OK;
    for (size_t i = 0; i < q->n_known; i++)
        if (q->known[i].set == set) {
            *ret_goodness = q->known[i].goodness;
            return ISO_OK;
        }
    scratch = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    solved.model = iso_caps_lift(q->e, q->caps, set);
    if (!scratch || !solved.model)
        return iso_explain_no_memory(reterr);
    ISO_TRY(iso_explain_solve(q->e, &solved, 1, ISO_STUDY_TOTALS, scratch, reterr));
    q->out_of_time = q->out_of_time || !solved.plan;
    *ret_goodness = judge(q, solved.plan);
    if (q->n_known < MOST_SETS) {
        q->known[q->n_known].set = set;
        q->known[q->n_known++].goodness = *ret_goodness;
    }
    if (*ret_goodness == GOOD && (!q->has_found || size_of(set) < size_of(q->found))) {
        q->found = set;
        q->has_found = true;
    }
    return ISO_OK;
}

/* Adds groups of others to a set that is not good as long as it is certainly not good: halves
 * first, then halves of what did not go in. */
static enum iso_status grow(struct quota_search *q, uint64_t *set, struct iso_error *reterr)
{
    uint64_t groups[2 * ISO_CAPS_MAX];
    size_t n = 0;

    if (q->all & ~*set)
        groups[n++] = q->all & ~*set;
    while (n > 0 && !q->out_of_time) {
        uint64_t group = groups[--n], half = 0;
        enum goodness goodness = GOOD; /* all but what is tried: no need to ask */
        if ((*set | group) != q->all)
            ISO_TRY(is_good(q, *set | group, &goodness, reterr));
        if (goodness == NOT_GOOD) {
            *set |= group;
            continue;
        }
        if (size_of(group) < 2)
            continue;
        for (uint64_t rest = group; size_of(half) < size_of(group) / 2; rest &= rest - 1)
            half |= rest & -rest;
        groups[n++] = group & ~half;
        groups[n++] = half;
    }
    return ISO_OK;
}

/* Those to be hit that are certain come first. */
static void add_to_hit(struct quota_search *q, uint64_t set, bool proved)
{
    if (q->n_hit == MOST_SETS) {
        q->out_of_time = true;
        return;
    }
    q->hit[q->n_hit++] = set;
    if (!proved)
        return;
    q->hit[q->n_hit - 1] = q->hit[q->n_proved];
    q->hit[q->n_proved++] = set;
}

static enum iso_status search(struct quota_search *q, struct iso_error *reterr)
{
    while (!q->out_of_time) {
        uint64_t set = smallest_hitting_set(q->hit, q->n_hit);
        enum goodness goodness = GOOD;
        q->answer->at_least = size_of(smallest_hitting_set(q->hit, q->n_proved));
        if (q->has_found && size_of(q->found) <= q->answer->at_least)
            return ISO_OK;
        ISO_TRY(is_good(q, set, &goodness, reterr));
        if (q->out_of_time || goodness == GOOD)
            return ISO_OK;
        uint64_t grown = set;
        if (goodness == NOT_GOOD)
            ISO_TRY(grow(q, &grown, reterr));
        add_to_hit(q, q->all & ~grown, goodness == NOT_GOOD);
    }
    return ISO_OK;
}

/* --- the answer --- */

/* With all caps lifted: the target, and a first good set, the caps that this plan goes beyond. */
static enum iso_status lift_all(struct quota_search *q, struct iso_error *reterr)
{
    struct iso_explanation *e = q->e;
    struct iso_study_case solved = {.model = iso_caps_lift(e, q->caps, q->all)};
    const Isocost__V1__Tier *money;
    double use;

    if (!solved.model)
        return iso_explain_no_memory(reterr);
    ISO_TRY(iso_explain_solve(e, &solved, 1, ISO_STUDY_WHOLE, e->study->arena, reterr));
    q->out_of_time = !solved.plan;
    if (!iso_study_has_cost(solved.plan))
        return ISO_OK;
    q->best = solved.plan;
    money = iso_study_money(solved.plan);
    q->answer->unlimited_cost = solved.plan->cost;
    q->answer->unlimited_bound = money->bound;
    q->answer->target = money->value + e->asked->quota_raises->within * fabs(money->value);
    q->found = q->all;
    q->has_found = true;
    for (size_t i = 0; i < q->caps->n; i++)
        if (iso_cap_use(e, &q->caps->items[i], solved.plan, &use) &&
            use <= q->caps->items[i].current)
            q->found &= ~(UINT64_C(1) << i);
    return ISO_OK;
}

static enum iso_status add_raise(struct quota_search *q, const struct iso_cap *cap,
                                 const Isocost__V1__Plan *plan, struct iso_error *reterr)
{
    Isocost__V1__QuotaRaise *raise =
        iso_message_new(q->e->study->arena, &isocost__v1__quota_raise__descriptor);

    if (!raise)
        return iso_explain_no_memory(reterr);
    raise->id = (char *)cap->id;
    raise->quota = cap->quota;
    raise->current = cap->current;
    if (plan && iso_cap_use(q->e, cap, plan, &raise->needed))
        raise->opt_needed_case = ISOCOST__V1__QUOTA_RAISE__OPT_NEEDED_NEEDED;
    q->answer->raises[q->answer->n_raises++] = raise;
    return ISO_OK;
}

/* The set that was found, with its plan. */
static enum iso_status tell(struct quota_search *q, Isocost__V1__Answer *given,
                            struct iso_error *reterr)
{
    Isocost__V1__QuotaRaisesAnswer *answer = q->answer;
    struct iso_study_case solved = {.model = iso_caps_lift(q->e, q->caps, q->found)};

    answer->found = true;
    answer->smallest = size_of(q->found) == answer->at_least;
    answer->raises = iso_arena_calloc(q->e->study->arena, q->caps->n + 1, sizeof(*answer->raises));
    if (!solved.model || !answer->raises)
        return iso_explain_no_memory(reterr);
    ISO_TRY(iso_explain_solve(q->e, &solved, 1, ISO_STUDY_WHOLE, q->e->study->arena, reterr));
    given->complete = answer->smallest && solved.plan;
    answer->effect = iso_explain_effect(q->e->given->plan, &solved, q->e->study->arena);
    if (!answer->effect)
        return iso_explain_no_memory(reterr);
    for (size_t i = 0; i < q->caps->n; i++)
        if (q->found >> i & 1)
            ISO_TRY(add_raise(q, &q->caps->items[i],
                              iso_study_has_cost(solved.plan) ? solved.plan : NULL, reterr));
    return ISO_OK;
}

enum iso_status iso_answer_quota_raises(struct iso_explanation *e, Isocost__V1__Answer *given,
                                        struct iso_error *reterr)
{
    const Isocost__V1__QuotaRaises *asked = e->asked->quota_raises;
    struct quota_search *q = iso_arena_calloc(e->study->arena, 1, sizeof(*q));

    if (!q)
        return iso_explain_no_memory(reterr);
    q->e = e;
    q->answer = iso_message_new(e->study->arena, &isocost__v1__quota_raises_answer__descriptor);
    if (!q->answer)
        return iso_explain_no_memory(reterr);
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_QUOTA_RAISES;
    given->quota_raises = q->answer;
    ISO_TRY(iso_caps_find(e, asked->only, asked->n_only, &q->caps, reterr));
    q->answer->candidate_count = (int32_t)q->caps->n;
    q->all = q->caps->n > 0 ? UINT64_MAX >> (64 - q->caps->n) : 0;
    ISO_TRY(lift_all(q, reterr));
    if (!q->best) {
        given->complete = !q->out_of_time;
        if (!q->out_of_time)
            iso_explain_note(
                given, "even without any quota or hard cap there is no plan; ask for repairs");
        return ISO_OK;
    }
    ISO_TRY(search(q, reterr));
    return tell(q, given, reterr);
}
