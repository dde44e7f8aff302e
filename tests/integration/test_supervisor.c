/* The supervisor against a fake solver that does as it is told, good and bad. The problem has one
 * best plan: 10 instances for 7200 USD; see fake_solver.c. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "job_watch.h"

#define FEASIBLE ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE
#define NO_PLAN_FOUND ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_NO_PLAN_FOUND

static char fake_solver[4096];
static struct iso_supervisor *running_now; /* of the test at hand; NULL: none, or stopped */

static void print_log(int level, const char *text)
{
    if (getenv("ISO_TEST_LOG"))
        fprintf(stderr, "%d %s\n", level, text);
}

static struct iso_supervisor *start_as(const struct iso_supervisor_config *config)
{
    struct iso_supervisor *supervisor = NULL;
    struct iso_error error = {0};
    if (iso_supervisor_start(config, &supervisor, &error) != ISO_OK)
        fail_msg("%s", error.text);
    running_now = supervisor;
    return supervisor;
}

static struct iso_supervisor *start(int n_solvers, int queue_bound, int recycle_after)
{
    return start_as(&(struct iso_supervisor_config){.solver_path = fake_solver,
                                                    .n_solvers = n_solvers,
                                                    .queue_bound = queue_bound,
                                                    .recycle_after = recycle_after,
                                                    .log = print_log});
}

static struct iso_supervisor_stats stats_of(struct iso_supervisor *supervisor)
{
    struct iso_supervisor_stats stats;
    iso_supervisor_stats(supervisor, &stats);
    return stats;
}

static void wait_for_kills(struct iso_supervisor *supervisor, int64_t n_kills)
{
    double until = watch_now() + 30;
    while (stats_of(supervisor).kills < n_kills && watch_now() < until)
        usleep(10000);
    assert_int_equal(stats_of(supervisor).kills, n_kills);
}

/* What a stop leaves behind: no child, no zombie, no descriptor. */
static void stop(struct iso_supervisor *supervisor)
{
    int pids[64];
    running_now = NULL;
    iso_supervisor_stop(supervisor, 0);
    assert_int_equal(watch_children(false, 64, pids), 0);
    assert_int_equal(watch_children(true, 64, pids), 0);
}

/* After a test that failed half way. */
static int stop_what_is_left(void **state)
{
    (void)state;
    iso_supervisor_stop(running_now, 0);
    running_now = NULL;
    return 0;
}

static void a_good_answer_comes_as_a_verified_plan(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_solve(supervisor, &watch, "good", 5);
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    assert_int_equal(watch.reason, FEASIBLE);
    assert_true(watch.cost == 7200);
    assert_int_equal(watch.n_lines, 1);
    assert_true(watch.cpu_seconds == 0.25);
    assert_int_equal(strncmp(watch.digest, "sha256:", 7), 0);
    assert_int_equal(stats_of(supervisor).solves, 1);
    stop(supervisor);
}

static void a_plan_that_the_verifier_rejects_is_never_answered(void **state)
{
    static const char *const parts[] = {"wrong", "too-few"};
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(parts); i++) {
        watch_solve(supervisor, &watch, parts[i], 5);
        watch_wait(&watch);
        assert_int_equal(watch.status, ISO_E_INTERNAL);
        assert_non_null(strstr(watch.text, "did not pass the verifier"));
        assert_int_equal(stats_of(supervisor).rejected_by_verifier, (int)i + 1);
        wait_for_kills(supervisor, (int64_t)i + 1);
    }
    watch_solve(supervisor, &watch, "good", 5);
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    stop(supervisor);
}

/* The incumbent has 11 instances: 11 * 720 = 7920. */
static void failures_after_an_incumbent_are_answered_with_it(void **state)
{
    static const struct {
        const char *part;
        int stopped_by;
        const char *warning;
    } cases[] = {
        {"incumbent-then-wrong", ISO_STOP_NONE, "did not pass the verifier"},
        {"incumbent-then-die", ISO_STOP_NONE, "died (signal 9)"},
        {"no-memory", ISO_STOP_MEMORY, "out of memory"},
    };
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        watch_solve(supervisor, &watch, cases[i].part, 5);
        watch_wait(&watch);
        assert_int_equal(watch.status, ISO_OK);
        assert_int_equal(watch.reason, FEASIBLE);
        assert_int_equal(watch.stopped_by, cases[i].stopped_by);
        assert_true(watch.cost == 7920);
        assert_non_null(strstr(watch.text, cases[i].warning));
    }
    stop(supervisor);
}

static void a_child_that_dies_or_speaks_nonsense_is_one_callers_error(void **state)
{
    static const struct {
        const char *part, *text;
        int n_kills;
    } cases[] = {
        {"abort", "died (signal 6)", 0}, {"exit", "ended (exit status 0)", 0},
        {"garbage", "nonsense", 1},      {"huge", "nonsense", 1},
        {"wrong-id", "nonsense", 1},
    };
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;
    int64_t n_kills = 0;

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        watch_solve(supervisor, &watch, cases[i].part, 5);
        watch_wait(&watch);
        assert_int_equal(watch.status, ISO_E_UNAVAILABLE);
        assert_non_null(strstr(watch.text, cases[i].text));
        assert_non_null(strstr(watch.text, "try again"));
        n_kills += cases[i].n_kills;
        wait_for_kills(supervisor, n_kills);
        watch_solve(supervisor, &watch, "good", 5);
        watch_wait(&watch);
        assert_int_equal(watch.status, ISO_OK);
    }
    stop(supervisor);
}

static void an_answer_after_the_end_kills_the_child_and_hurts_nobody(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_solve(supervisor, &watch, "twice", 5);
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    wait_for_kills(supervisor, 1);
    stop(supervisor);
}

/* The child ignores the stop, so the answer is the newest incumbent: 11 * 720 = 7920. */
static void a_stop_is_answered_at_once_and_a_deaf_child_is_killed(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_submit(supervisor, &watch,
                 &(struct iso_job_request){.model = watch_model("incumbent-then-hang", 5),
                                           .snapshot_fd = -1,
                                           .incumbents = true});
    watch_wait_progress(&watch, 0, 2);
    double begin = watch_now();
    iso_job_stop(watch.job, ISO_STOP_CANCEL);
    watch_wait(&watch);
    assert_true(watch_now() - begin < 2); /* 0.1 s promised; the machine may be busy */
    assert_int_equal(watch.status, ISO_OK);
    assert_int_equal(watch.reason, FEASIBLE);
    assert_int_equal(watch.stopped_by, ISO_STOP_CANCEL);
    assert_true(watch.cost == 7920);
    wait_for_kills(supervisor, 1);
    stop(supervisor);
}

static void an_obedient_child_lives_on_after_a_stop(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_submit(supervisor, &watch,
                 &(struct iso_job_request){
                     .model = watch_model("improve", 5), .snapshot_fd = -1, .incumbents = true});
    watch_wait_progress(&watch, 0, 2);
    assert_string_equal(watch.last_tier, "money");
    iso_job_stop(watch.job, ISO_STOP_CANCEL);
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    assert_int_equal(watch.stopped_by, ISO_STOP_CANCEL);
    assert_true(watch.cost <= watch.incumbent_cost);
    usleep(1200000);
    assert_int_equal(stats_of(supervisor).kills, 0);
    assert_int_equal(stats_of(supervisor).respawns, 0);
    stop(supervisor);
}

static void a_stop_before_any_plan(void **state)
{
    static const struct {
        const char *part;
        enum iso_stop why;
        enum iso_status status;
    } cases[] = {
        {"hang", ISO_STOP_CANCEL, ISO_E_CANCELLED},
        {"wait", ISO_STOP_CANCEL, ISO_E_CANCELLED},
        {"hang", ISO_STOP_DEADLINE, ISO_OK},
        {"wait", ISO_STOP_DEADLINE, ISO_OK},
    };
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        watch_solve(supervisor, &watch, cases[i].part, 5);
        watch_wait_progress(&watch, 1, 0);
        iso_job_stop(watch.job, cases[i].why);
        watch_wait(&watch);
        assert_int_equal(watch.status, cases[i].status);
        if (cases[i].status != ISO_OK)
            continue;
        assert_int_equal(watch.reason, NO_PLAN_FOUND);
        assert_int_equal(watch.stopped_by, cases[i].why);
        assert_int_equal(watch.n_lines, 0);
    }
    stop(supervisor);
}

static void a_deadline_is_answered_before_it_passes(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_submit(supervisor, &watch,
                 &(struct iso_job_request){.model = watch_model("incumbent-then-hang", 5),
                                           .snapshot_fd = -1,
                                           .deadline_s = 1});
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    assert_int_equal(watch.reason, FEASIBLE);
    assert_int_equal(watch.stopped_by, ISO_STOP_DEADLINE);
    assert_true(watch.cost == 7920);
    wait_for_kills(supervisor, 1);
    stop(supervisor);
}

static void a_child_that_overruns_its_time_limit_is_killed(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    double begin = watch_now();
    watch_solve(supervisor, &watch, "hang", 0.2);
    watch_wait(&watch);
    assert_true(watch_now() - begin >= 0.2);
    assert_int_equal(watch.status, ISO_OK);
    assert_int_equal(watch.reason, NO_PLAN_FOUND);
    assert_int_equal(watch.stopped_by, ISO_STOP_TIME);
    wait_for_kills(supervisor, 1);
    stop(supervisor);
}

static void what_the_child_refuses_is_told_field_by_field(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_solve(supervisor, &watch, "refuse", 5);
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_E_INVALID);
    assert_int_equal(watch.n_violations, 1);
    assert_string_equal(watch.field, "model.workloads[0].allowed");
    assert_string_equal(watch.text, "nothing is allowed");
    assert_int_equal(stats_of(supervisor).kills, 0);
    stop(supervisor);
}

static void progress_comes_every_second_even_from_a_silent_child(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_solve(supervisor, &watch, "hang", 5);
    watch_wait_progress(&watch, 2, 0);
    assert_true(watch.last_seconds >= 1.5 && watch.last_seconds < 15);
    iso_job_stop(watch.job, ISO_STOP_CANCEL);
    watch_wait(&watch);
    stop(supervisor);
}

static void a_full_queue_refuses_and_a_stopped_job_leaves_it(void **state)
{
    struct iso_supervisor *supervisor = start(1, 1, 0);
    struct watch running[2], waiting;
    struct iso_job *refused = NULL;
    struct iso_error error = {0};

    (void)state;
    /* With one solver, one interactive job may run beside one batch job. */
    watch_solve(supervisor, &running[0], "hang", 5);
    watch_wait_progress(&running[0], 1, 0);
    watch_solve(supervisor, &running[1], "hang", 5);
    watch_wait_progress(&running[1], 1, 0);
    watch_solve(supervisor, &waiting, "good", 5);
    watch_wait_progress(&waiting, 1, 0);
    assert_int_equal(stats_of(supervisor).queue_depth, 1);
    assert_int_equal(stats_of(supervisor).solvers_busy, 2);
    assert_int_equal(iso_supervisor_submit(supervisor,
                                           &(struct iso_job_request){
                                               .model = watch_model("good", 5), .snapshot_fd = -1},
                                           &refused, &error),
                     ISO_E_LIMIT);
    iso_job_stop(waiting.job, ISO_STOP_CANCEL);
    watch_wait(&waiting);
    assert_int_equal(waiting.status, ISO_E_CANCELLED);
    for (int i = 0; i < 2; i++) {
        iso_job_stop(running[i].job, ISO_STOP_CANCEL);
        watch_wait(&running[i]);
    }
    stop(supervisor);
}

/* A limit above 5 s is batch. Two solvers: the second batch job waits, the interactive one runs. */
static void batch_jobs_never_hold_the_last_solver(void **state)
{
    struct iso_supervisor *supervisor = start(2, 10, 0);
    struct watch batch[2], interactive;

    (void)state;
    for (int i = 0; i < 2; i++) {
        watch_solve(supervisor, &batch[i], "hang", 60);
        watch_wait_progress(&batch[i], 1, 0);
    }
    assert_int_equal(stats_of(supervisor).solvers_busy, 1);
    watch_solve(supervisor, &interactive, "good", 5);
    watch_wait(&interactive);
    assert_int_equal(interactive.status, ISO_OK);
    assert_int_equal(stats_of(supervisor).queue_depth, 1);
    for (int i = 0; i < 2; i++) {
        iso_job_stop(batch[i].job, ISO_STOP_CANCEL);
        watch_wait(&batch[i]);
    }
    stop(supervisor);
}

/* As in a worker, which has nobody to keep a solver for. */
static void batch_jobs_have_all_solvers_where_there_are_no_others(void **state)
{
    struct iso_supervisor *supervisor =
        start_as(&(struct iso_supervisor_config){.solver_path = fake_solver,
                                                 .n_solvers = 2,
                                                 .batch_only = true,
                                                 .queue_bound = 10,
                                                 .log = print_log});
    struct watch batch[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        watch_solve(supervisor, &batch[i], "hang", 60);
        watch_wait_progress(&batch[i], 1, 0);
    }
    assert_int_equal(stats_of(supervisor).solvers_busy, 2);
    assert_int_equal(stats_of(supervisor).queue_depth, 1);
    for (int i = 0; i < 3; i++) {
        iso_job_stop(batch[i].job, ISO_STOP_CANCEL);
        watch_wait(&batch[i]);
    }
    stop(supervisor);
}

static void children_are_replaced_after_so_many_solves(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, /* recycle_after= */ 2);
    struct watch watch;

    (void)state;
    for (int i = 0; i < 8; i++) {
        watch_solve(supervisor, &watch, "good", 5);
        watch_wait(&watch);
        assert_int_equal(watch.status, ISO_OK);
    }
    double until = watch_now() + 30;
    while (stats_of(supervisor).respawns < 2 && watch_now() < until)
        usleep(10000);
    assert_true(stats_of(supervisor).respawns >= 2);
    assert_int_equal(stats_of(supervisor).kills, 0);
    stop(supervisor);
}

static void validation_and_export_are_jobs_too(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_submit(supervisor, &watch,
                 &(struct iso_job_request){
                     .mode = ISO_JOB_VALIDATE, .model = watch_model("good", 5), .snapshot_fd = -1});
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    assert_true(watch.columns == 1);
    watch_submit(supervisor, &watch,
                 &(struct iso_job_request){.mode = ISO_JOB_EXPORT_MPS,
                                           .model = watch_model("good", 5),
                                           .snapshot_fd = -1,
                                           .tier = "money"});
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    assert_string_equal(watch.file, "NAME model\n");
    stop(supervisor);
}

static void a_solver_that_cannot_be_started_is_told_at_start(void **state)
{
    static const char *const paths[] = {"/nonexistent/isocost-solver", "relative", "/dev/null"};
    int before = watch_count_descriptors();

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(paths); i++) {
        struct iso_supervisor *supervisor = NULL;
        struct iso_error error = {0};
        const struct iso_supervisor_config config = {.solver_path = paths[i], .n_solvers = 1};
        assert_int_not_equal(iso_supervisor_start(&config, &supervisor, &error), ISO_OK);
        assert_null(supervisor);
        assert_int_not_equal(error.text[0], 0);
    }
    assert_int_equal(watch_count_descriptors(), before);
}

static void solvers_that_end_at_once_refuse_jobs_instead_of_keeping_them(void **state)
{
    const struct iso_supervisor_config config = {
        .solver_path = "/bin/false", .n_solvers = 1, .queue_bound = 10};
    double until = watch_now() + 30;
    struct watch watch;

    (void)state;
    assert_int_equal(iso_supervisor_start(&config, &running_now, NULL), ISO_OK);
    do {
        watch_solve(running_now, &watch, "good", 5);
        watch_wait(&watch);
        assert_int_equal(watch.status, ISO_E_UNAVAILABLE);
    } while (!strstr(watch.text, "as soon as they start") && watch_now() < until);
    assert_non_null(strstr(watch.text, "as soon as they start"));
    stop(running_now);
}

static void stopping_the_supervisor_answers_everyone(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch with_plan, without, waiting;
    int before = watch_count_descriptors();

    (void)state;
    watch_submit(supervisor, &with_plan,
                 &(struct iso_job_request){.model = watch_model("incumbent-then-hang", 5),
                                           .snapshot_fd = -1,
                                           .incumbents = true});
    watch_wait_progress(&with_plan, 0, 1);
    watch_solve(supervisor, &without, "hang", 5);
    watch_wait_progress(&without, 1, 0);
    watch_solve(supervisor, &waiting, "good", 5);
    stop(supervisor);
    assert_true(watch_count_descriptors() < before);
    watch_wait(&with_plan);
    watch_wait(&without);
    watch_wait(&waiting);
    assert_int_equal(with_plan.status, ISO_OK);
    assert_int_equal(with_plan.reason, FEASIBLE);
    assert_int_equal(without.status, ISO_E_UNAVAILABLE);
    assert_int_equal(waiting.status, ISO_E_UNAVAILABLE);
}

static void a_job_released_at_once_is_done_all_the_same(void **state)
{
    struct iso_supervisor *supervisor = start(1, 10, 0);
    struct watch watch;

    (void)state;
    watch_solve(supervisor, &watch, "good", 5);
    iso_job_release(watch.job);
    watch.job = NULL;
    watch_wait(&watch);
    assert_int_equal(watch.status, ISO_OK);
    stop(supervisor);
}

/* A small generator of our own, so that a seed gives the same run everywhere. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* 200 jobs in waves of 8 while children are killed at random: every caller gets the right plan or a
 * clear error, and nothing is left over. */
static void random_kills_lose_no_caller_and_leak_nothing(void **state)
{
    enum { N_JOBS = 200, WAVE = 8, N_PIDS = 16 };
    static struct watch watches[WAVE];
    uint32_t seed = 20240607;
    int before = watch_count_descriptors(), n_plans = 0, pids[N_PIDS];
    struct iso_supervisor *supervisor = start(2, N_JOBS, 0);

    (void)state;
    for (int done = 0; done < N_JOBS; done += WAVE) {
        for (int i = 0; i < WAVE; i++)
            watch_solve(supervisor, &watches[i], "good", 5);
        int n = watch_children(false, N_PIDS, pids);
        if (n > 0)
            kill(pids[next_random(&seed) % (uint32_t)n], SIGKILL);
        for (int i = 0; i < WAVE; i++)
            n_plans += watch_plan_or_kill(&watches[i], 7200);
    }
    /* One kill a wave can cost at most one job. */
    assert_true(n_plans >= N_JOBS - N_JOBS / WAVE);
    assert_int_equal(stats_of(supervisor).rejected_by_verifier, 0);
    stop(supervisor);
    assert_int_equal(watch_count_descriptors(), before);
}

#define TEST(name) cmocka_unit_test_teardown(name, stop_what_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_answer_comes_as_a_verified_plan),
        TEST(a_plan_that_the_verifier_rejects_is_never_answered),
        TEST(failures_after_an_incumbent_are_answered_with_it),
        TEST(a_child_that_dies_or_speaks_nonsense_is_one_callers_error),
        TEST(an_answer_after_the_end_kills_the_child_and_hurts_nobody),
        TEST(a_stop_is_answered_at_once_and_a_deaf_child_is_killed),
        TEST(an_obedient_child_lives_on_after_a_stop),
        TEST(a_stop_before_any_plan),
        TEST(a_deadline_is_answered_before_it_passes),
        TEST(a_child_that_overruns_its_time_limit_is_killed),
        TEST(what_the_child_refuses_is_told_field_by_field),
        TEST(progress_comes_every_second_even_from_a_silent_child),
        TEST(a_full_queue_refuses_and_a_stopped_job_leaves_it),
        TEST(batch_jobs_never_hold_the_last_solver),
        TEST(batch_jobs_have_all_solvers_where_there_are_no_others),
        TEST(children_are_replaced_after_so_many_solves),
        TEST(validation_and_export_are_jobs_too),
        TEST(a_solver_that_cannot_be_started_is_told_at_start),
        TEST(solvers_that_end_at_once_refuse_jobs_instead_of_keeping_them),
        TEST(stopping_the_supervisor_answers_everyone),
        TEST(a_job_released_at_once_is_done_all_the_same),
        TEST(random_kills_lose_no_caller_and_leak_nothing),
    };
    const char *build = getenv("ISO_BUILD");
    snprintf(fake_solver, sizeof(fake_solver), "%s/tests/integration/fake_solver",
             build ? build : "");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
