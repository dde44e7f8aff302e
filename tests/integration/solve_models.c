/* solve_models [--cpu] [--listed N] [--snapshot FILE] [--past KIB] STRATEGY FILE...: solves packed
 * models in this process with a strategy forced, has each answer verified, and prints a JSON line a
 * model:
 *   {"reason": N, "verified": bool, "refusal": "...", "tiers": [[name, value, bound], ...],
 *    "proved": [bound, ...], "strategies": [name, ...], "resolve_cpu_s": S, "first_plan_cpu_s": S,
 *    "first_bound_cpu_s": S, "solve_cpu_s": S, "verify_cpu_s": S, "peak_mb": M, "solve_mb": M,
 *    "remembered": N, "capped": N}
 * with N of enum iso_reason; a bound is null when the model is infeasible, the times of the first
 * plan and of the first bound on money when none was told before the end. `proved` are bounds by
 * multipliers alone; `remembered` says how often something was found in the past so far, `capped`
 * in how many periods the proof has a multiplier of a limit, so that relaxing it would pay. The
 * peak is that of the process so far, `solve_mb` by how much the solver raised it. With --cpu time
 * limits are in CPU seconds, so that other work on the machine changes nothing. With --listed the
 * columns method lists all columns of instances only up to so many. With
 * --snapshot the models' selectors choose from a stored snapshot of prices. With --past each solve
 * knows what those before it found, as far as it takes at most so many KiB. A model that is not a
 * problem has reason 0, and the refusal says why. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "isocost/past.h"
#include "isocost/solve.h"
#include "isocost/verify.h"
#include "resolve.h"
#include "strategy.h"

#define ARENA_BYTES ((size_t)1 << 32)

static clockid_t limit_clock = CLOCK_MONOTONIC;
static double first_plan_s, first_bound_s; /* CPU; NAN = none told yet */
static int64_t most_listed;
static struct iso_snapshot *snapshot; /* NULL: none */
static struct iso_resolve_cache *cache;
static struct iso_past *past; /* NULL: each model is solved as if it were the first */

static double read_clock(clockid_t clock)
{
    struct timespec at;

    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static double now(void *context)
{
    (void)context;
    return read_clock(limit_clock);
}

static void note_incumbent(void *context, const struct iso_plan *plan)
{
    (void)context;
    (void)plan;
    if (isnan(first_plan_s))
        first_plan_s = read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static void note_progress(void *context, const struct iso_progress *progress)
{
    (void)context;
    if (isnan(first_bound_s) && progress->tier == ISO_TIER_MONEY && isfinite(progress->bound))
        first_bound_s = read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static double peak_mb(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static enum iso_strategy strategy_named(const char *name)
{
    for (int i = 0; i < ISO_N_STRATEGIES; i++)
        if (strcmp(name, iso_strategy_name((enum iso_strategy)i)) == 0)
            return (enum iso_strategy)i;
    fprintf(stderr, "no strategy is called %s\n", name);
    exit(2);
}

static Isocost__V1__Model *read_model(const char *path)
{
    struct stat facts = {0};
    FILE *file = fopen(path, "rb");
    size_t size = stat(path, &facts) == 0 ? (size_t)facts.st_size : 0;
    unsigned char *bytes = malloc(size + 1);
    Isocost__V1__Model *model = NULL;

    if (file && bytes)
        model = isocost__v1__model__unpack(NULL, fread(bytes, 1, size, file), bytes);
    if (!model) {
        fprintf(stderr, "%s is not a model\n", path);
        exit(2);
    }
    fclose(file);
    free(bytes);
    return model;
}

static void print_time(const char *name, double at, double begin_s)
{
    if (isnan(at))
        printf("\"%s\": null, ", name);
    else
        printf("\"%s\": %.4f, ", name, at - begin_s);
}

/* Periods in which the proof has a multiplier of some limit: relaxing it there would pay. */
static int32_t count_capped(const struct iso_problem *problem, const struct iso_plan *plan)
{
    ISO_AUTO_MEM bool *capped = iso_calloc((size_t)problem->n_periods, sizeof(*capped));
    int32_t n = 0;

    for (int32_t i = 0; i < plan->n_duals && capped; i++)
        if (plan->duals[i].kind == ISO_ROW_LIMIT && plan->duals[i].value != 0)
            capped[plan->duals[i].b] = true;
    for (int32_t t = 0; t < problem->n_periods && capped; t++)
        n += capped[plan->n_leads ? plan->leads[t].period : t];
    return n;
}

static void print_answer(const struct iso_problem *problem, const struct iso_plan *plan,
                         double resolve_s, double begin_s, double begin_mb)
{
    double end_s = read_clock(CLOCK_PROCESS_CPUTIME_ID), end_mb = peak_mb();
    struct iso_verdict verdict;
    struct iso_error error = {0};
    bool verified = iso_verify(problem, plan, &verdict, &error) == ISO_OK;

    printf("{\"reason\": %d, \"verified\": %s, \"refusal\": \"%s\", \"tiers\": [",
           (int)plan->reason, verified ? "true" : "false", error.text);
    for (int32_t k = 0; k < plan->n_tiers; k++) {
        char name[ISO_TIER_NAME_SIZE];
        printf("%s[\"%s\", %.17g, ", k ? ", " : "", iso_tier_name(&plan->tiers[k], name),
               plan->tiers[k].value);
        printf(isfinite(plan->tiers[k].bound) ? "%.17g]" : "null]", plan->tiers[k].bound);
    }
    printf("], \"proved\": [");
    for (int32_t k = 0; k < plan->n_tiers; k++)
        printf(isfinite(plan->tiers[k].checked_bound) ? "%s%.17g" : "%snull", k ? ", " : "",
               plan->tiers[k].checked_bound);
    printf("], \"strategies\": [");
    for (int32_t i = 0; i < plan->n_components; i++)
        printf("%s\"%s\"", i ? ", " : "", plan->components[i].strategy);
    printf("], ");
    print_time("resolve_cpu_s", resolve_s, 0);
    print_time("first_plan_cpu_s", first_plan_s, begin_s);
    print_time("first_bound_cpu_s", first_bound_s, begin_s);
    print_time("solve_cpu_s", end_s, begin_s);
    print_time("verify_cpu_s", read_clock(CLOCK_PROCESS_CPUTIME_ID), end_s);
    printf("\"capped\": %d, ", count_capped(problem, plan));
    printf("\"peak_mb\": %.1f, \"solve_mb\": %.1f, \"remembered\": %lld}\n", end_mb,
           end_mb - begin_mb, past ? (long long)iso_past_count(past).n_found : 0);
}

static void solve(const char *path, enum iso_strategy strategy)
{
    const struct iso_control control = {
        .past = past, .now = now, .incumbent = note_incumbent, .progress = note_progress};
    Isocost__V1__Model *model = read_model(path);
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    ISO_AUTO(iso_plan) plan = NULL;
    struct iso_violations violations = {.arena = arena};
    struct iso_resolved *resolved = NULL;
    struct iso_error error = {0};
    double resolving_s = read_clock(CLOCK_PROCESS_CPUTIME_ID);

    if (iso_resolve(model, snapshot, 0, cache, arena, &violations, &resolved, &error) != ISO_OK) {
        printf("{\"reason\": 0, \"verified\": false, \"refusal\": \"%s %s\", \"tiers\": [], "
               "\"strategies\": []}\n",
               error.field, error.text);
        isocost__v1__model__free_unpacked(model, NULL);
        return;
    }
    resolved->problem.options.strategy = strategy;
    resolved->problem.options.most_listed = most_listed;
    first_plan_s = first_bound_s = NAN;
    double begin_s = read_clock(CLOCK_PROCESS_CPUTIME_ID), begin_mb = peak_mb();
    if (iso_solve(&resolved->problem, &control, &plan, &error) != ISO_OK) {
        fprintf(stderr, "%s: %s %s\n", path, error.field, error.text);
        exit(1);
    }
    print_answer(&resolved->problem, plan, begin_s - resolving_s, begin_s, begin_mb);
    isocost__v1__model__free_unpacked(model, NULL);
}

static void map_snapshot(const char *path)
{
    struct iso_error error = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || iso_snapshot_map(fd, &snapshot, &error) != ISO_OK) {
        fprintf(stderr, "%s is not a snapshot: %s\n", path, error.text);
        exit(2);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    int first = 1;

    if (first < argc && strcmp(argv[first], "--cpu") == 0) {
        limit_clock = CLOCK_PROCESS_CPUTIME_ID;
        first++;
    }
    if (first + 1 < argc && strcmp(argv[first], "--listed") == 0) {
        most_listed = strtoll(argv[first + 1], NULL, 10);
        first += 2;
    }
    if (first + 1 < argc && strcmp(argv[first], "--snapshot") == 0) {
        map_snapshot(argv[first + 1]);
        first += 2;
    }
    if (first + 1 < argc && strcmp(argv[first], "--past") == 0) {
        past = iso_past_new((size_t)strtoll(argv[first + 1], NULL, 10) << 10);
        first += 2;
    }
    if (argc < first + 2) {
        fprintf(stderr, "usage: solve_models [--cpu] [--listed N] [--snapshot FILE] [--past KIB] "
                        "STRATEGY FILE...\n");
        return 2;
    }
    cache = iso_resolve_cache_new(ISO_RESOLVE_CACHE_BYTES);
    for (int i = first + 1; i < argc; i++)
        solve(argv[i], strategy_named(argv[first]));
    iso_resolve_cache_free(cache);
    iso_past_free(past);
    iso_snapshot_free(snapshot);
    return 0;
}
