/* The supervisor with the real isocost-solver: models in, verified plans out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/proto/arena.h"
#include "job_watch.h"
#include "snapshot_file.h"

struct fixture {
    struct iso_supervisor *supervisor;
    struct iso_arena *arena;
    struct watch watch;
};

static int start(void **state)
{
    static struct fixture fixture;
    static char path[4096];
    struct iso_error error = {0};
    const char *build = getenv("ISO_BUILD");
    const struct iso_supervisor_config config = {
        .solver_path = path, .n_solvers = 1, .queue_bound = 10};

    snprintf(path, sizeof(path), "%s/bin/isocost-solver", build ? build : "");
    if (iso_supervisor_start(&config, &fixture.supervisor, &error) != ISO_OK)
        fail_msg("%s", error.text);
    fixture.arena = iso_arena_new(64u << 20);
    watch_keep_plans(fixture.arena);
    *state = &fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    iso_supervisor_stop(fixture->supervisor, 0);
    watch_keep_plans(NULL);
    iso_arena_free(fixture->arena);
    return 0;
}

/* Runs one job to its end. */
static const Isocost__V1__Plan *run(struct fixture *fixture, enum iso_job_mode mode,
                                    const Isocost__V1__Model *model)
{
    watch_submit(
        fixture->supervisor, &fixture->watch,
        &(struct iso_job_request){.mode = mode, .model = model, .snapshot_fd = -1, .tier = ""});
    watch_wait(&fixture->watch);
    return fixture->watch.plan;
}

static const Isocost__V1__Plan *solve(struct fixture *fixture, const char *yaml)
{
    return run(fixture, ISO_JOB_SOLVE, watch_read_model(yaml, fixture->arena));
}

static double amount(const Google__Type__Money *money)
{
    assert_non_null(money);
    return (double)money->units + 1e-9 * money->nanos;
}

/* 2000 used at least cost: all 1500 of the cheaper cloud, 1500 * 0.4 = 600, and 500 of the other,
 * 500 * 0.5 = 250; together 850. One more of the cheaper cloud would save 0.5 - 0.4 = 0.1. */
static void the_two_clouds_of_the_seed_cost_850(void **state)
{
    struct fixture *fixture = *state;
    const Isocost__V1__Plan *plan =
        run(fixture, ISO_JOB_SOLVE, watch_read_example("seed-two-clouds.yaml", fixture->arena));

    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_int_equal(plan->termination->reason,
                     ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL);
    assert_true(amount(plan->cost) == 850);
    assert_true(amount(plan->objective) == 850);
    assert_int_equal(plan->n_lines, 2);
    assert_int_equal(plan->n_cost_by_provider, 2);
    for (size_t i = 0; i < plan->n_cost_by_provider; i++)
        assert_true(amount(plan->cost_by_provider[i]->cost) ==
                    (strcmp(plan->cost_by_provider[i]->name, "aws") == 0 ? 250 : 600));
    assert_true(plan->certificate->passed);
    assert_true(plan->certificate->rules_checked > 0);
    assert_string_equal(plan->tiers[0]->name, "money");
    assert_true(plan->tiers[0]->bound <= 850 && plan->tiers[0]->bound > 849.999);
    bool found = false;
    for (size_t i = 0; i < plan->n_binding_rules; i++) {
        const Isocost__V1__BindingRule *rule = plan->binding_rules[i];
        if (strcmp(rule->rule, "alibaba-instances") != 0)
            continue;
        found = true;
        assert_true(rule->value == 1500 && rule->limit == 1500);
        assert_true(amount(rule->worth) > 0.0999 && amount(rule->worth) < 0.1001);
    }
    assert_true(found);
    assert_true(plan->stats->cpu_seconds >= 0 && plan->stats->peak_memory_mib > 0);
}

/* See the file: ten instances for 3600 USD are needed, 3000 are allowed. */
static void a_budget_that_is_too_small_is_named_with_its_way_out(void **state)
{
    struct fixture *fixture = *state;
    const Isocost__V1__Plan *plan =
        run(fixture, ISO_JOB_SOLVE, watch_read_example("infeasible-budget.yaml", fixture->arena));

    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_int_equal(plan->termination->reason,
                     ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE);
    assert_null(plan->cost);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0]->n_rules, 2);
    for (size_t i = 0; i < 2; i++) {
        const Isocost__V1__ConflictRule *rule = plan->conflicts[0]->rules[i];
        bool budget = strcmp(rule->kind, "budget") == 0;
        assert_string_equal(rule->rule, budget ? "total" : "web");
        assert_string_equal(rule->text, budget ? "budget total allows at most 3000 USD"
                                               : "web must be served: up to 100 req/s");
    }
    bool found = false;
    for (size_t i = 0; i < plan->n_relaxations; i++) {
        const Isocost__V1__Relaxation *way = plan->relaxations[i];
        if (strcmp(way->rule, "total") != 0)
            continue;
        found = true;
        assert_string_equal(way->text, "raise budget total from 3000 to 3600 USD");
        assert_true(way->needed == 3600);
    }
    assert_true(found);
}

/* Today 12 of a run for 100 of 10 each. Ten are enough, on b for less: start 10 of b, stop 12 of a.
 * Costs are 10 * 0.4 * 720 = 2880. A limit asks for at most 8 of b, each above for 0.01 an hour:
 * 2 * 0.01 * 720 = 14.4, less than the 2 * 0.1 * 720 = 144 that 2 of a would cost more. */
static const char moving[] =
    "catalog:\n"
    "  offerings:\n"
    "    - {provider: aws, region: r1, type: a, purchase: on-demand,\n"
    "       price: 0.5 USD, observed_at: 2020-01-01T00:00:00Z}\n"
    "    - {provider: aws, region: r1, type: b, purchase: on-demand,\n"
    "       price: 0.4 USD, observed_at: 2020-01-01T00:00:00Z}\n"
    "periods: [{id: month, hours: 720}]\n"
    "teams: [{id: shop}]\n"
    "workloads:\n"
    "  - id: web\n"
    "    team: shop\n"
    "    must_serve: true\n"
    "    throughput: {rate: 100, performance: [{per_instance: 10}]}\n"
    "limits:\n"
    "  - {id: few-b, scope: {include: [{type: b}]}, maximum: 8,\n"
    "     policy: {kind: soft, price: 0.01 USD}}\n"
    "current:\n"
    "  instances:\n"
    "    - {offering: aws/r1/*/a/linux/on-demand, workload: web, count: 12}\n"
    "options: {gap: 0}\n";

static void actions_violations_and_ages_follow_from_the_lines(void **state)
{
    struct fixture *fixture = *state;
    const Isocost__V1__Plan *plan = solve(fixture, moving);

    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_true(amount(plan->cost) == 2880);
    assert_true(amount(plan->objective) == 2894.4);
    assert_int_equal(plan->n_violations, 1);
    assert_string_equal(plan->violations[0]->rule, "few-b");
    assert_string_equal(plan->violations[0]->period, "month");
    assert_true(plan->violations[0]->amount == 2);
    assert_true(amount(plan->violations[0]->penalty) == 14.4);
    assert_int_equal(plan->n_actions, 2);
    assert_int_equal(plan->actions[0]->kind, ISOCOST__V1__ACTION_KIND__ACTION_KIND_START);
    assert_string_equal(plan->actions[0]->target, "aws/r1/*/b/linux/on-demand");
    assert_string_equal(plan->actions[0]->user, "web");
    assert_true(plan->actions[0]->quantity == 10);
    assert_int_equal(plan->actions[1]->kind, ISOCOST__V1__ACTION_KIND__ACTION_KIND_STOP);
    assert_true(plan->actions[1]->quantity == 12);
    assert_int_equal(plan->n_cost_by_team, 1);
    assert_string_equal(plan->cost_by_team[0]->name, "shop");
    /* 2020 is at least five years ago: 5 * 8760 hours. */
    assert_true(plan->oldest_price_hours > 5 * 8760.0);
}

/* Ten instances for 720 hours at 1 USD are 7200. A commitment for 1440 hours costs 0.6 an hour and
 * 10 at the start, of which half its term falls inside: 10 * (0.6 * 720 + 5) = 4370 for ten. */
static const char committing[] =
    "catalog:\n"
    "  offerings:\n"
    "    - {provider: aws, region: r1, type: a, purchase: on-demand, price: 1 USD}\n"
    "  products:\n"
    "    - {id: ri, provider: aws, kind: unit, term_hours: 1440, hourly_fee: 0.6 USD,\n"
    "       upfront: 10 USD, eligible: {include: [{provider: aws}]}}\n"
    "periods: [{id: month, hours: 720}]\n"
    "workloads:\n"
    "  - id: web\n"
    "    must_serve: true\n"
    "    throughput: {rate: 100, performance: [{per_instance: 10}]}\n"
    "options: {gap: 0}\n";

static void commitments_are_told_with_what_lies_behind_the_horizon(void **state)
{
    struct fixture *fixture = *state;
    const Isocost__V1__Plan *plan = solve(fixture, committing);
    const Isocost__V1__PlanLine *instances = NULL;

    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_true(amount(plan->cost) == 4370);
    assert_int_equal(plan->n_commitments, 1);
    assert_string_equal(plan->commitments[0]->product, "ri");
    assert_string_equal(plan->commitments[0]->start_period, "month");
    assert_true(plan->commitments[0]->quantity == 10);
    assert_true(amount(plan->commitments[0]->upfront) == 100);
    assert_true(amount(plan->commitments[0]->hourly_fee) == 6);
    assert_true(plan->commitments[0]->hours_after_horizon == 720);
    assert_non_null(
        strstr(plan->warnings[plan->n_warnings - 1], "ri runs 720 hours past the horizon"));
    for (size_t i = 0; i < plan->n_lines; i++)
        if (plan->lines[i]->kind == ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE)
            instances = plan->lines[i];
    assert_non_null(instances);
    assert_int_equal(instances->n_coverage, 1);
    assert_string_equal(instances->coverage[0]->product, "ri");
    assert_true(instances->coverage[0]->instances == 10);
    assert_string_equal(instances->reason, "commitments cover its price");
    assert_int_equal(plan->n_actions, 1);
    assert_int_equal(plan->actions[0]->kind, ISOCOST__V1__ACTION_KIND__ACTION_KIND_BUY);
    assert_true(amount(plan->cost_by_team[0]->cost) == 4370);
    assert_string_equal(plan->cost_by_region[0]->name, "(shared)");
}

/* Two copies of 2 vCPU fit on an instance of 4, so three copies need two: 2 * 720 * 1 = 1440. */
static const char packing[] =
    "catalog:\n"
    "  offerings:\n"
    "    - {provider: aws, region: r1, type: a, purchase: on-demand, price: 1 USD,\n"
    "       resources: {vcpu: 4, memory_gib: 16}}\n"
    "periods: [{id: month, hours: 720}]\n"
    "teams: [{id: shop}]\n"
    "workloads:\n"
    "  - id: db\n"
    "    team: shop\n"
    "    must_serve: true\n"
    "    replicas: {count: 3, resources: {vcpu: 2, memory_gib: 4}}\n"
    "options: {gap: 0}\n";

static void pools_say_what_each_instance_holds(void **state)
{
    struct fixture *fixture = *state;
    const Isocost__V1__Plan *plan = solve(fixture, packing);
    int64_t instances = 0, copies = 0;

    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_true(amount(plan->cost) == 1440);
    assert_int_equal(plan->n_lines, 1);
    assert_string_equal(plan->lines[0]->team, "shop");
    assert_string_equal(plan->lines[0]->workload, "");
    for (size_t i = 0; i < plan->lines[0]->n_patterns; i++) {
        const Isocost__V1__Pattern *pattern = plan->lines[0]->patterns[i];
        assert_int_equal(pattern->n_entries, 1);
        assert_string_equal(pattern->entries[0]->workload, "db");
        assert_true(pattern->entries[0]->count <= 2);
        instances += pattern->instances;
        copies += pattern->instances * pattern->entries[0]->count;
    }
    assert_int_equal(instances, 2);
    assert_true(copies >= 3);
}

/* A snapshot of two offerings in a new file of `folder`; returns its descriptor. */
static int write_snapshot(const char *folder, iso_decimal price)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    char digest[ISO_DIGEST_TEXT_SIZE], path[512];
    struct iso_snapshot_offering offering = {.id = "aws/r1/*/a/linux/on-demand",
                                             .provider = "aws",
                                             .region = "r1",
                                             .zone = "*",
                                             .type = "a",
                                             .os = "linux",
                                             .native_id = "a",
                                             .family = "a",
                                             .arch = "x86_64",
                                             .tenancy = "shared",
                                             .gpu_model = "",
                                             .source = "",
                                             .labels = "",
                                             .purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND,
                                             .kind = 1,
                                             .status = 1,
                                             .price_unit = 1,
                                             .currency = "USD",
                                             .price = price,
                                             .lot = ISO_DECIMAL_ONE,
                                             .availability = ISO_DECIMAL_ONE};

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        offering.capacity[k] = ISO_UNKNOWN;
    assert_int_equal(iso_snapshot_add_offering(builder, &offering, NULL), ISO_OK);
    offering.id = "aws/r1/*/b/linux/on-demand";
    offering.type = offering.native_id = "b";
    offering.price = 2 * price;
    assert_int_equal(iso_snapshot_add_offering(builder, &offering, NULL), ISO_OK);
    assert_int_equal(iso_snapshot_write(builder, folder, digest, NULL), ISO_OK);
    snprintf(path, sizeof(path), "%s/%s.snap", folder, digest);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    return fd;
}

static const char selecting[] = "catalog: {selectors: [{}]}\n"
                                "periods: [{id: hour, hours: 1}]\n"
                                "workloads:\n"
                                "  - id: web\n"
                                "    must_serve: true\n"
                                "    throughput: {rate: 100, performance: [{per_instance: 10}]}\n"
                                "options: {gap: 0}\n";

/* Ten of the cheaper one: 10 * price. The first snapshot is asked again after the second. */
static void snapshots_travel_as_descriptors(void **state)
{
    struct fixture *fixture = *state;
    static const int places[] = {0, 0, 1, 0};
    char folder[] = "/tmp/isocost-test-XXXXXX";
    int fds[2];

    assert_non_null(mkdtemp(folder));
    fds[0] = write_snapshot(folder, ISO_DECIMAL_ONE);
    fds[1] = write_snapshot(folder, 3 * ISO_DECIMAL_ONE);
    assert_int_equal(rmdir(folder), 0);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(places); i++) {
        watch_submit(fixture->supervisor, &fixture->watch,
                     &(struct iso_job_request){.model = watch_read_model(selecting, fixture->arena),
                                               .snapshot_fd = fds[places[i]]});
        watch_wait(&fixture->watch);
        assert_int_equal(fixture->watch.status, ISO_OK);
        assert_true(fixture->watch.cost == (places[i] == 0 ? 10 : 30));
        assert_string_equal(fixture->watch.plan->lines[0]->offering, "aws/r1/*/a/linux/on-demand");
    }
    close(fds[0]);
    close(fds[1]);
}

static void a_model_that_makes_no_sense_is_refused_with_its_fields(void **state)
{
    struct fixture *fixture = *state;
    Isocost__V1__Model *model = watch_read_model(moving, fixture->arena);
    static char elsewhere[] = "aws/r9/*/z/linux/on-demand";

    model->current->instances[0]->offering = elsewhere;
    run(fixture, ISO_JOB_SOLVE, model);
    assert_int_equal(fixture->watch.status, ISO_E_INVALID);
    assert_int_equal(fixture->watch.n_violations, 1);
    assert_non_null(strstr(fixture->watch.field, "current.instances[0].offering"));
}

static void validation_counts_and_export_writes(void **state)
{
    struct fixture *fixture = *state;
    Isocost__V1__Model *model = watch_read_model(moving, fixture->arena);

    run(fixture, ISO_JOB_VALIDATE, model);
    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_true(fixture->watch.columns == 2); /* two offerings in one period */
    run(fixture, ISO_JOB_EXPORT_MPS, model);
    assert_int_equal(fixture->watch.status, ISO_OK);
    assert_non_null(strstr(fixture->watch.file, "NAME"));
    watch_submit(
        fixture->supervisor, &fixture->watch,
        &(struct iso_job_request){
            .mode = ISO_JOB_EXPORT_LP, .model = model, .snapshot_fd = -1, .tier = "beauty"});
    watch_wait(&fixture->watch);
    assert_int_equal(fixture->watch.status, ISO_E_INVALID);
    assert_string_equal(fixture->watch.field, "tier");
}

static void equal_models_give_equal_plan_digests(void **state)
{
    struct fixture *fixture = *state;
    char first[80];

    solve(fixture, moving);
    snprintf(first, sizeof(first), "%s", fixture->watch.digest);
    assert_int_equal(strncmp(first, "sha256:", 7), 0);
    solve(fixture, moving);
    assert_string_equal(fixture->watch.digest, first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_two_clouds_of_the_seed_cost_850),
        TEST(a_budget_that_is_too_small_is_named_with_its_way_out),
        TEST(actions_violations_and_ages_follow_from_the_lines),
        TEST(commitments_are_told_with_what_lies_behind_the_horizon),
        TEST(pools_say_what_each_instance_holds),
        TEST(snapshots_travel_as_descriptors),
        TEST(a_model_that_makes_no_sense_is_refused_with_its_fields),
        TEST(validation_counts_and_export_writes),
        TEST(equal_models_give_equal_plan_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
