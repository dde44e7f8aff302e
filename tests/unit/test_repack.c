/* Ruin and recreate on a pool whose best packing is known. */
#include <stdlib.h>

#include "../support/solved_fixture.h"

#include "../../solver/repack.h"
#include "../../solver/search.h"

#define COPIES 12

/* A "wide" holds 8 vCPU and 16 GiB at 1.00. Two copies of a (3 vCPU, 2 GiB) and two of b or c (1
 * vCPU, 6 GiB each) fill it; three of a, or three of the others, do not fit (9 vCPU; 18 GiB). Six
 * of a, three of b and three of c take three, of which one holds both b and c. */
#define KIND(id, count, vcpu, memory)                                                         \
    "  - {id: " id ", must_serve: true, replicas: {count: " count ", resources: {vcpu: " vcpu \
    ", memory_gib: " memory "}}}\n"
#define MODEL                                                                               \
    "catalog: {offerings: [{provider: aws, type: wide, purchase: on-demand, price: 1 USD, " \
    "resources: {vcpu: 8, memory_gib: 16}}]}\n"                                             \
    "periods: [{id: hour, hours: 1}]\nworkloads:\n" KIND("a", "6", "3", "2")                \
        KIND("b", "3", "1", "6") KIND("c", "3", "1", "6")

/* A search whose best plan has every copy on an instance of its own. */
struct pool {
    struct fixture fixture;
    struct iso_control control;
    struct iso_reduction reduction;
    struct iso_formulation formulation;
    struct iso_plan *plan;
    struct iso_search search;
    double *duals;
};

static void place_alone(struct pool *pool, int32_t workload, double times)
{
    struct iso_formulation *f = &pool->formulation;
    int32_t before = f->mip.n_columns, counts[3] = {0};
    bool is_new;

    counts[workload] = 1;
    int32_t pattern = iso_pattern_add(&f->pools[0], &f->pools[0].lists[0], counts, &is_new);
    assert_true(pattern >= 0 && is_new);
    assert_int_equal(iso_formulation_add_pattern(f, 0, 0, pattern, 0, &pool->fixture.error),
                     ISO_OK);
    assert_int_equal(iso_search_grow(&pool->search, before, &pool->fixture.error), ISO_OK);
    pool->search.best[before] = times;
}

static void pool_init(struct pool *pool)
{
    struct iso_error *error = &pool->fixture.error;

    *pool = (struct pool){.control.now = steady_seconds};
    fixture_good(&pool->fixture, MODEL, NULL);
    const struct iso_problem *problem = pool->fixture.problem;
    assert_int_equal(iso_reduction_init(&pool->reduction, problem, false, error), ISO_OK);
    assert_int_equal(
        iso_formulation_init(&pool->formulation, problem, &pool->reduction, true, 0, error),
        ISO_OK);
    pool->plan = iso_plan_new();
    assert_non_null(pool->plan);
    pool->search = (struct iso_search){.problem = problem,
                                       .control = &pool->control,
                                       .formulation = &pool->formulation,
                                       .plan = pool->plan,
                                       .end_s = INFINITY,
                                       .tier = ISO_TIER_MONEY,
                                       .stage = {.kind = ISO_TIER_MONEY},
                                       .tier_bound = -INFINITY,
                                       .has_best = true,
                                       .best_value = COPIES};
    pool->search.best = calloc((size_t)pool->formulation.mip.n_columns + 1, sizeof(double));
    pool->search.money = calloc((size_t)pool->formulation.mip.n_columns + 1, sizeof(double));
    pool->duals = calloc((size_t)pool->formulation.mip.n_rows, sizeof(double));
    assert_true(pool->search.best && pool->search.money && pool->duals);
    iso_formulation_objective(&pool->formulation, &pool->search.stage);
    for (int32_t i = 0; i < pool->formulation.mip.n_rows; i++)
        pool->duals[i] = pool->formulation.mip.rows[i].kind == ISO_ROW_DEMAND ? 0.25 : 0;
    place_alone(pool, 0, 6);
    place_alone(pool, 1, 3);
    place_alone(pool, 2, 3);
}

static void pool_fini(struct pool *pool)
{
    free(pool->search.best);
    free(pool->search.money);
    free(pool->duals);
    iso_plan_free(pool->plan);
    iso_formulation_fini(&pool->formulation);
    iso_reduction_fini(&pool->reduction);
    fixture_fini(&pool->fixture);
}

/* From 12 instances to three, told after every round that saves: what is told becomes columns that
 * there were not when the pool was read. */
static void what_is_packed_after_columns_came_in_is_a_plan(void **state)
{
    ISO_AUTO(iso_repack) repack = NULL;
    struct pool pool;
    (void)state;

    pool_init(&pool);
    int32_t before = pool.formulation.mip.n_columns, told = 0;
    assert_int_equal(
        iso_repack_new(&pool.search, 0, 0, pool.duals, 1, &repack, &pool.fixture.error), ISO_OK);
    assert_non_null(repack);
    assert_int_equal(iso_repack_n_instances(repack), COPIES);
    for (int round = 0; round < 2000; round++) {
        if (iso_repack_rounds(repack, 1, 0) <= 0)
            continue;
        assert_int_equal(iso_repack_offer(repack, &pool.fixture.error), ISO_OK);
        told++;
        if (fabs(pool.search.best_value - iso_repack_n_instances(repack)) > 1e-9)
            fail_msg("%d instances were not taken", iso_repack_n_instances(repack));
    }
    if (told <= 1 || pool.formulation.mip.n_columns <= before)
        fail_msg("told %d, %d of %d columns", told, before, pool.formulation.mip.n_columns);
    assert_int_equal(iso_repack_n_instances(repack), 3);
    pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_after_columns_came_in_is_a_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
