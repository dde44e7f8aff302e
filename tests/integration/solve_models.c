/* solve_models STRATEGY FILE...: solves packed models in this process with a strategy forced, has
 * each answer verified, and prints a JSON line a model:
 *   {"reason": N, "verified": bool, "refusal": "...", "tiers": [[name, value, bound], ...],
 *    "strategies": [name, ...]}   with N of enum iso_reason;
 * a bound is null when the model is infeasible. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "isocost/solve.h"
#include "isocost/verify.h"
#include "resolve.h"
#include "strategy.h"

#define ARENA_BYTES ((size_t)1 << 30)

static double now(void *context)
{
    struct timespec at;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
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
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(64 << 20);
    Isocost__V1__Model *model = NULL;

    if (file && bytes)
        model = isocost__v1__model__unpack(NULL, fread(bytes, 1, 64 << 20, file), bytes);
    if (!model) {
        fprintf(stderr, "%s is not a model\n", path);
        exit(2);
    }
    fclose(file);
    free(bytes);
    return model;
}

static void print_answer(const struct iso_problem *problem, const struct iso_plan *plan)
{
    struct iso_verdict verdict;
    struct iso_error error = {0};
    bool verified = iso_verify(problem, plan, &verdict, &error) == ISO_OK;

    printf("{\"reason\": %d, \"verified\": %s, \"refusal\": \"%s\", \"tiers\": [",
           (int)plan->reason, verified ? "true" : "false", error.text);
    for (int32_t k = 0; k < plan->n_tiers; k++) {
        char name[ISO_TIER_NAME_SIZE];
        printf("%s[\"%s\", %.17g, ", k ? ", " : "",
               iso_tier_name(plan->tiers[k].kind, plan->tiers[k].priority, name),
               plan->tiers[k].value);
        printf(isfinite(plan->tiers[k].bound) ? "%.17g]" : "null]", plan->tiers[k].bound);
    }
    printf("], \"strategies\": [");
    for (int32_t i = 0; i < plan->n_components; i++)
        printf("%s\"%s\"", i ? ", " : "", plan->components[i].strategy);
    printf("]}\n");
}

static void solve(const char *path, enum iso_strategy strategy)
{
    const struct iso_control control = {.now = now};
    Isocost__V1__Model *model = read_model(path);
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    ISO_AUTO(iso_plan) plan = NULL;
    struct iso_violations violations = {.arena = arena};
    struct iso_resolved *resolved = NULL;
    struct iso_error error = {0};

    if (iso_resolve(model, NULL, arena, &violations, &resolved, &error) != ISO_OK) {
        fprintf(stderr, "%s: %s %s\n", path, error.field, error.text);
        exit(1);
    }
    resolved->problem.options.strategy = strategy;
    if (iso_solve(&resolved->problem, &control, &plan, &error) != ISO_OK) {
        fprintf(stderr, "%s: %s %s\n", path, error.field, error.text);
        exit(1);
    }
    print_answer(&resolved->problem, plan);
    isocost__v1__model__free_unpacked(model, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: solve_models STRATEGY FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        solve(argv[i], strategy_named(argv[1]));
    return 0;
}
