/* The most valuable filling of an instance: the solver's tables and the verifier's own against
 * every filling there is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../solver/density.h"
#include "../../solver/filling_search.h"
#include "../../solver/pattern_table.h"
#include "../../solver/verify/pricing.h"

#define COPIES 5
#define OFFERINGS 3
#define N_POOLS 300

/* A pool of a few workloads on a few offerings, in up to four resources. */
struct pool {
    struct iso_problem problem;
    struct iso_offering offerings[OFFERINGS];
    struct iso_workload workloads[COPIES];
    struct iso_option options[COPIES][OFFERINGS];
    struct iso_team team;
    int32_t places[COPIES];
    struct iso_pattern_set set;
    double values[COPIES];
    long double worth[COPIES];
};

static uint64_t random_state;

static int32_t below(int32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int32_t)((random_state >> 33) % (uint64_t)n);
}

static int32_t alone(const struct pool *pool, int32_t w, int32_t o)
{
    const struct iso_workload *workload = &pool->workloads[w];
    int64_t most = workload->maximum_per_instance > 0 ? workload->maximum_per_instance : 1000;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (workload->need[k] > 0) {
            iso_decimal room = pool->offerings[o].capacity[k] - pool->team.overhead[k];
            if (room / workload->need[k] < most)
                most = room / workload->need[k];
        }
    return (int32_t)most;
}

/* Steps of `step` nano units: 0.5 divides all, a strange step divides nothing else. */
static void make_pool(struct pool *pool, uint64_t seed)
{
    static const int resources[] = {ISO_RESOURCE_VCPU, ISO_RESOURCE_MEMORY_GIB, ISO_RESOURCE_GPU,
                                    ISO_RESOURCE_LOCAL_DISK_GIB};

    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    int32_t n_resources = 2 + below(3);
    iso_decimal step = below(2) ? 500000000 : 333333337;
    memset(pool, 0, sizeof(*pool));
    pool->team.overhead[ISO_RESOURCE_VCPU] = below(2) * 100000000;
    for (int32_t o = 0; o < OFFERINGS; o++) {
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            pool->offerings[o].capacity[k] = 100000000;
        for (int32_t r = 0; r < n_resources; r++)
            pool->offerings[o].capacity[resources[r]] = (2 + below(10)) * step + below(3) * 7;
    }
    for (int32_t w = 0; w < COPIES; w++) {
        struct iso_workload *workload = &pool->workloads[w];
        for (int32_t r = 0; r < n_resources; r++)
            workload->need[resources[r]] = (r < 2 || below(3) == 0) * (1 + below(4)) * step;
        workload->replicas = true;
        workload->maximum_per_instance = below(4) == 0 ? 1 + below(2) : 0;
        workload->options = pool->options[w];
        for (int32_t o = 0; o < OFFERINGS; o++) {
            int32_t most = alone(pool, w, o);
            if (most > 0)
                pool->options[w][workload->n_options++] =
                    (struct iso_option){o, ISO_DECIMAL_ONE, most};
        }
        pool->places[w] = w;
        pool->values[w] = below(5) == 0 ? 0 : (1 + below(100)) * 0.01;
        pool->worth[w] = pool->values[w];
    }
    pool->set = (struct iso_pattern_set){.n_workloads = COPIES, .workloads = pool->places};
    pool->problem = (struct iso_problem){.n_offerings = OFFERINGS,
                                         .offerings = pool->offerings,
                                         .n_workloads = COPIES,
                                         .workloads = pool->workloads,
                                         .n_teams = 1,
                                         .teams = &pool->team};
}

/* The best of all fillings with workloads from w on. */
static double best_of_all(const struct pool *pool, int32_t o, int32_t w, const iso_decimal *room)
{
    iso_decimal left[ISO_N_RESOURCES];
    double best = 0;

    for (int32_t n = 0; w < COPIES && n <= alone(pool, w, o); n++) {
        bool fits = true;
        for (int k = 0; k < ISO_N_RESOURCES; k++) {
            left[k] = room[k] - n * pool->workloads[w].need[k];
            fits &= left[k] >= 0;
        }
        if (fits)
            best = fmax(best, n * pool->values[w] + best_of_all(pool, o, w + 1, left));
    }
    return best;
}

static double expected(const struct pool *pool, int32_t o)
{
    iso_decimal room[ISO_N_RESOURCES];

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        room[k] = pool->offerings[o].capacity[k] - pool->team.overhead[k];
    return best_of_all(pool, o, 0, room);
}

/* The worth of counts that fit; fails when they do not. */
static double worth_of(const struct pool *pool, int32_t o, const int32_t *counts)
{
    double value = 0;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        iso_decimal taken = pool->team.overhead[k];
        for (int32_t w = 0; w < COPIES; w++)
            taken += counts[w] * pool->workloads[w].need[k];
        assert_true(taken <= pool->offerings[o].capacity[k]);
    }
    for (int32_t w = 0; w < COPIES; w++) {
        assert_true(counts[w] <= alone(pool, w, o));
        value += counts[w] * pool->values[w];
    }
    return value;
}

static void the_solver_finds_the_most_valuable_filling(void **state)
{
    static const int32_t all[] = {0, 1, 2};
    struct pool pool;

    (void)state;
    for (uint64_t seed = 1; seed <= N_POOLS; seed++) {
        ISO_AUTO(iso_pattern_table) table = NULL;
        struct iso_error error;
        make_pool(&pool, seed);
        assert_int_equal(iso_pattern_table_new(&pool.problem, &pool.set, 0, pool.values, all,
                                               OFFERINGS, NULL, &table, &error),
                         ISO_OK);
        for (int32_t o = 0; o < OFFERINGS; o++) {
            int32_t counts[COPIES], most[COPIES];
            double bound, best = expected(&pool, o);
            for (int32_t w = 0; w < COPIES; w++)
                most[w] = alone(&pool, w, o);
            double value = iso_pattern_table_best(table, o, most, 0, true, counts, &bound);
            if (fabs(value - best) > 1e-9 || bound < best - 1e-9 ||
                iso_pattern_table_bound(table, o) < best - 1e-9)
                fail_msg("seed %d, offering %d: %g, bound %g; best is %g", (int)seed, o, value,
                         bound, best);
            assert_true(fabs(worth_of(&pool, o, counts) - value) < 1e-9);
        }
    }
}

static void a_search_of_one_offering_finds_the_same(void **state)
{
    struct pool pool;

    (void)state;
    for (uint64_t seed = 1; seed <= N_POOLS; seed++)
        for (int32_t o = 0; o < OFFERINGS; o++) {
            int32_t counts[COPIES], most[COPIES];
            double bound, above;
            make_pool(&pool, seed);
            double best = expected(&pool, o);
            for (int32_t w = 0; w < COPIES; w++)
                most[w] = alone(&pool, w, o);
            double value = iso_filling_best(&pool.problem, &pool.set, 0, o, pool.values, most, 0,
                                            counts, &bound);
            if (fabs(value - best) > 1e-9 || fabs(bound - best) > 1e-9)
                fail_msg("seed %d, offering %d: %g, bound %g; best is %g", (int)seed, o, value,
                         bound, best);
            assert_true(fabs(worth_of(&pool, o, counts) - value) < 1e-9);
            /* what is worth no more than asked is not told, and bounded all the same */
            value = iso_filling_best(&pool.problem, &pool.set, 0, o, pool.values, most, best + 1,
                                     counts, &above);
            assert_true(value == 0 && above >= best - 1e-9 && above <= best + 1 + 1e-9);
        }
}

static void the_verifier_bounds_fillings_by_itself_and_tightly(void **state)
{
    static const int32_t all[] = {0, 1, 2};
    struct pool pool;

    (void)state;
    for (uint64_t seed = 1; seed <= N_POOLS; seed++) {
        make_pool(&pool, seed);
        struct iso_content_grid *grid =
            iso_content_grid_new(&pool.problem, 0, pool.places, COPIES, pool.worth, all, OFFERINGS);
        assert_non_null(grid);
        for (int32_t o = 0; o < OFFERINGS; o++) {
            double best = expected(&pool, o);
            double bound = (double)iso_content_grid_best(grid, o, 0);
            double above = (double)iso_content_grid_best(grid, o, best / 2);
            if (fabs(bound - best) > 1e-9 || fabs(above - best) > 1e-9)
                fail_msg("seed %d, offering %d: %g and %g; best is %g", (int)seed, o, bound, above,
                         best);
        }
        iso_content_grid_free(grid);
    }
}

/* 8 vCPU and 32 GiB; a copy of 2 vCPU and 4 GiB is worth 3, one of 1 vCPU and 8 GiB is worth 2. By
 * vCPU alone: shares 1/4 and 1/8, so 12 and 16; by memory alone: 1/8 and 1/4, so 24 and 8; by both:
 * mean share 3/16 of either, so 16 and 32/3. The least of 16, 24 and 16 is 16; the best filling, 3
 * and 2 copies, is worth 13. A third copy, of 9 vCPU, does not fit and counts for nothing. */
static void a_filling_is_worth_no_more_than_its_densest_copies(void **state)
{
    const iso_decimal unit = ISO_DECIMAL_ONE;
    const iso_decimal needs[][2] = {{2 * unit, 4 * unit}, {unit, 8 * unit}, {9 * unit, unit}};
    const double values[] = {3, 2, 100};
    const long double worth[] = {3, 2, 100};
    int32_t places[] = {0, 1, 2};
    struct iso_workload workloads[3] = {0};
    struct iso_offering offering = {0};
    struct iso_team team = {0};
    struct iso_problem problem = {.n_workloads = 3,
                                  .workloads = workloads,
                                  .n_offerings = 1,
                                  .offerings = &offering,
                                  .n_teams = 1,
                                  .teams = &team};
    struct iso_pattern_set set = {.n_workloads = 3, .workloads = places};

    (void)state;
    for (int w = 0; w < 3; w++) {
        workloads[w].need[ISO_RESOURCE_VCPU] = needs[w][0];
        workloads[w].need[ISO_RESOURCE_MEMORY_GIB] = needs[w][1];
    }
    offering.capacity[ISO_RESOURCE_VCPU] = 8 * unit;
    offering.capacity[ISO_RESOURCE_MEMORY_GIB] = 32 * unit;
    assert_float_equal(iso_density_bound(&problem, &set, 0, values, 0), 16, 1e-9);
    assert_float_equal((double)iso_verify_content_density(&problem, 0, 0, places, 3, worth), 16,
                       1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filling_is_worth_no_more_than_its_densest_copies),
        cmocka_unit_test(the_solver_finds_the_most_valuable_filling),
        cmocka_unit_test(a_search_of_one_offering_finds_the_same),
        cmocka_unit_test(the_verifier_bounds_fillings_by_itself_and_tightly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
