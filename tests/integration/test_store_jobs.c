/* The queue, on SQLite and on PostgreSQL: who is next, who may end a job, when it is given up. */
#include <time.h>

#include "store_fixture.h"

#define FAILED ISOCOST__V1__PLAN_STATE__PLAN_STATE_FAILED

static void limit(struct fixture *f, struct iso_job_limits limits)
{
    if (limits.lease_s == 0)
        limits.lease_s = 30;
    iso_store_set_job_limits(f->store, &limits);
}

/* As if the process had been killed and another came. */
static void restart(struct fixture *f)
{
    const struct iso_job_limits limits = f->store->limits;

    iso_store_close(f->store);
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, NULL), ISO_OK);
    iso_store_set_job_limits(f->store, &limits);
}

static void sleep_s(double seconds)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

/* The id of the plan whose job was claimed; "" when none waits. */
static const char *claim(struct fixture *f, struct iso_job_record *job)
{
    bool found = false;

    *job = (struct iso_job_record){0};
    assert_int_equal(iso_store_claim_job(f->store, f->arena, &found, job, &f->error), ISO_OK);
    return found ? job->object_id : "";
}

static enum iso_status queue(struct fixture *f, const char *tenant, const char *id, int priority)
{
    struct iso_principal who = {.project = "web", .subject = "someone", .roles = ISO_ROLE_PLANNER};
    struct iso_plan_record record = plan_named(id, "", QUEUED), stored;
    bool existing;

    snprintf(who.tenant, sizeof(who.tenant), "%s", tenant);
    memset(&f->error, 0, sizeof(f->error));
    return iso_store_create_plan(f->store, &who, &record, priority, bytes_of("m"), &audit, f->arena,
                                 &existing, &stored, &f->error);
}

static int state_of(struct fixture *f, const char *id)
{
    struct iso_plan_record record;

    assert_int_equal(iso_store_get_plan(f->store, &alice, id, false, f->arena, &record, NULL),
                     ISO_OK);
    return record.state;
}

static void jobs_are_claimed_oldest_first_and_once(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;
    struct iso_plan_record read;

    create_ok(f, "p1", QUEUED);
    create_ok(f, "p2", QUEUED);
    assert_string_equal(claim(f, &job), "p1");
    assert_int_equal(job.attempt, 1);
    assert_string_equal(job.model_digest, "sha256:m");
    assert_string_equal(job.principal.tenant, "acme");
    assert_string_equal(job.principal.project, "web");
    assert_string_equal(job.principal.subject, "alice");
    assert_int_equal(job.principal.roles, ISO_ROLE_PLANNER);
    assert_int_equal(iso_store_get_plan(f->store, &alice, "p1", false, f->arena, &read, NULL),
                     ISO_OK);
    assert_int_equal(read.state, RUNNING);
    assert_true(read.start_ns > 0);
    assert_string_equal(claim(f, &job), "p2");
    assert_string_equal(claim(f, &job), "");
}

static void higher_priorities_are_claimed_first(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    assert_int_equal(queue(f, "a", "low", -1), ISO_OK);
    assert_int_equal(queue(f, "a", "normal", 0), ISO_OK);
    assert_int_equal(queue(f, "b", "high", 5), ISO_OK);
    assert_string_equal(claim(f, &job), "high");
    assert_int_equal(job.priority, 5);
    assert_string_equal(claim(f, &job), "normal");
    assert_string_equal(claim(f, &job), "low");
}

static void end_as(struct fixture *f, const struct iso_job_record *job, int plan_state)
{
    struct iso_plan_record record = plan_named(job->object_id, "", plan_state);

    record.end_ns = 1;
    assert_int_equal(
        iso_store_update_plan(f->store, &job->principal, &record, job->attempt, &audit, &f->error),
        ISO_OK);
}

/* One solver, so nothing runs at a claim: turns alone decide. a has queued first and most. */
static void tenants_take_turns(void **state)
{
    static const char *const expected[] = {"a1", "b1", "c1", "a2", "b2", "a3", "a4"};
    struct fixture *f = *state;
    struct iso_job_record job;

    for (int i = 1; i <= 4; i++)
        assert_int_equal(queue(f, "a", (char[]){'a', (char)('0' + i), '\0'}, 0), ISO_OK);
    assert_int_equal(queue(f, "b", "b1", 0), ISO_OK);
    assert_int_equal(queue(f, "b", "b2", 0), ISO_OK);
    assert_int_equal(queue(f, "c", "c1", 0), ISO_OK);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(expected); i++) {
        assert_string_equal(claim(f, &job), expected[i]);
        end_as(f, &job, DONE);
    }
}

/* Two of a run; whoever has the fewest running is next. */
static void the_tenant_with_the_fewest_running_is_next(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    for (int i = 1; i <= 3; i++)
        assert_int_equal(queue(f, "a", (char[]){'a', (char)('0' + i), '\0'}, 0), ISO_OK);
    claim(f, &job);
    claim(f, &job);
    assert_int_equal(queue(f, "b", "b1", 0), ISO_OK);
    assert_int_equal(queue(f, "b", "b2", 0), ISO_OK);
    assert_string_equal(claim(f, &job), "b1");
    assert_string_equal(claim(f, &job), "b2");
    assert_string_equal(claim(f, &job), "a3");
}

static void a_tenant_runs_no_more_than_its_limit(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record first, job;

    limit(f, (struct iso_job_limits){.running_of_tenant = 1});
    assert_int_equal(queue(f, "a", "a1", 0), ISO_OK);
    assert_int_equal(queue(f, "a", "a2", 0), ISO_OK);
    assert_string_equal(claim(f, &first), "a1");
    assert_string_equal(claim(f, &job), "");
    end_as(f, &first, DONE);
    assert_string_equal(claim(f, &job), "a2");
}

static void a_full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    limit(f, (struct iso_job_limits){.queued = 3, .queued_of_tenant = 2});
    assert_int_equal(queue(f, "a", "a1", 0), ISO_OK);
    assert_int_equal(queue(f, "a", "a2", 0), ISO_OK);
    assert_int_equal(queue(f, "a", "a3", 0), ISO_E_LIMIT);
    assert_string_equal(f->error.text,
                        "2 plans of tenant a wait already, as many as it may have; try "
                        "again when some have run");
    assert_int_equal(queue(f, "b", "b1", 0), ISO_OK);
    assert_int_equal(queue(f, "b", "b2", 0), ISO_E_LIMIT);
    assert_string_equal(
        f->error.text,
        "3 plans wait already, as many as the queue holds; try again when some have run");
    assert_int_equal(count(f, "SELECT count(*) FROM plan"), 3); /* the refused ones left nothing */
    assert_string_equal(claim(f, &job), "a1");                  /* what runs does not wait */
    assert_int_equal(queue(f, "b", "b2", 0), ISO_OK);
}

static void only_the_attempt_that_holds_a_plan_may_end_it(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    create_ok(f, "p1", QUEUED);
    assert_string_equal(claim(f, &job), "p1");
    restart(f);
    sleep_s(0.05);
    assert_string_equal(claim(f, &job), "p1");
    assert_int_equal(job.attempt, 2);

    assert_int_equal(end_plan(f, "p1", 1, DONE), ISO_E_CONFLICT);
    assert_string_equal(f->error.text, "plan p1 is at attempt 2; attempt 1 may not change it");
    assert_int_equal(end_plan(f, "p1", 2, DONE), ISO_OK);
    assert_int_equal(end_plan(f, "p1", 2, CANCELLED), ISO_E_CONFLICT);
    assert_string_equal(f->error.text, "plan p1 has ended already");
    assert_int_equal(state_of(f, "p1"), DONE);
    assert_int_equal(end_plan(f, "nowhere", 1, DONE), ISO_E_NOT_FOUND);
    /* Create and one good end; the refused ones left nothing. */
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 2);
    assert_int_equal(count(f, "SELECT count(*) FROM event"), 1);
    assert_int_equal(count(f, "SELECT state FROM job"), ISO_JOB_STATE_DONE);
}

static void a_lease_that_is_renewed_is_kept(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job, *jobs;
    int n_jobs = 0;

    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    create_ok(f, "p1", QUEUED);
    claim(f, &job);
    limit(f, (struct iso_job_limits){.lease_s = 60});
    assert_int_equal(iso_store_heartbeat(f->store, f->arena, &jobs, &n_jobs, NULL), ISO_OK);
    assert_int_equal(n_jobs, 1);
    assert_string_equal(jobs[0].object_id, "p1");
    assert_int_equal(jobs[0].attempt, 1);
    assert_false(jobs[0].cancelled);
    restart(f);
    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    sleep_s(0.05);
    assert_string_equal(claim(f, &job), ""); /* its lease holds for a minute */
    assert_int_equal(iso_store_heartbeat(f->store, f->arena, &jobs, &n_jobs, NULL), ISO_OK);
    assert_int_equal(n_jobs, 0); /* it is another process's */
}

/* The tests' PostgreSQL was started less than an hour ago: for all it knows, whoever has the job
 * could not renew its lease. SQLite is of one process, which would know. */
static void no_lease_is_over_before_the_database_was_there_for_one(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    create_ok(f, "p1", QUEUED);
    assert_string_equal(claim(f, &job), "p1");
    restart(f);
    sleep_s(0.05);
    limit(f, (struct iso_job_limits){.lease_s = 3600});
    assert_string_equal(claim(f, &job), f->address ? "" : "p1");
    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    sleep_s(0.05);
    assert_string_equal(claim(f, &job), f->address ? "p1" : "");
}

static void events_of_an_attempt_that_lost_its_job_are_refused(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;
    int64_t sequence = 0;

    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    create_ok(f, "p1", QUEUED);
    claim(f, &job);
    assert_int_equal(
        iso_store_append_event(f->store, &alice, "p1", 1, bytes_of("one"), &sequence, NULL),
        ISO_OK);
    restart(f);
    sleep_s(0.05);
    claim(f, &job);
    assert_int_equal(
        iso_store_append_event(f->store, &alice, "p1", 1, bytes_of("late"), &sequence, NULL),
        ISO_E_CONFLICT);
    assert_int_equal(
        iso_store_append_event(f->store, &alice, "p1", 2, bytes_of("two"), &sequence, NULL),
        ISO_OK);
    assert_int_equal(sequence, 2);
}

static void the_third_death_of_a_solver_is_the_jobs_last(void **state)
{
    struct fixture *f = *state;
    struct iso_plan_record record = plan_named("p1", "", FAILED);
    struct iso_job_record job;
    bool dead = true;

    create_ok(f, "p1", QUEUED);
    for (int i = 1; i <= 3; i++) {
        assert_string_equal(claim(f, &job), "p1");
        assert_int_equal(job.attempt, i);
        assert_int_equal(
            iso_store_fail_attempt(f->store, &job, /* died= */ true, "signal 11", &dead, NULL),
            ISO_OK);
        assert_int_equal(dead, i == 3);
        assert_int_equal(state_of(f, "p1"), i == 3 ? RUNNING : QUEUED);
    }
    record.dead = true;
    record.end_ns = 1;
    assert_int_equal(iso_store_update_plan(f->store, &alice, &record, 3, &audit, NULL), ISO_OK);
    assert_int_equal(state_of(f, "p1"), FAILED);
    assert_int_equal(count(f, "SELECT count(*) FROM job WHERE state = 6 AND error = 'signal 11'"),
                     1);
    assert_string_equal(claim(f, &job), "");
}

static void what_is_not_the_jobs_fault_is_not_counted_until_the_twentieth_attempt(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;
    bool dead = false;

    create_ok(f, "p1", QUEUED);
    for (int i = 1; i <= 20; i++) {
        assert_string_equal(claim(f, &job), "p1");
        if (i % 2)
            assert_int_equal(iso_store_release_job(f->store, &job, NULL), ISO_OK);
        else
            assert_int_equal(
                iso_store_fail_attempt(f->store, &job, /* died= */ false, "killed", &dead, NULL),
                ISO_OK);
        assert_int_equal(dead, i == 20);
    }
}

static void a_job_that_is_not_this_processs_any_more_is_not_given_back(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record old, job;
    bool dead;

    limit(f, (struct iso_job_limits){.lease_s = 0.02});
    create_ok(f, "p1", QUEUED);
    claim(f, &old);
    restart(f);
    sleep_s(0.05);
    claim(f, &job);
    assert_int_equal(iso_store_release_job(f->store, &old, NULL), ISO_OK);
    assert_int_equal(state_of(f, "p1"), RUNNING);
    assert_int_equal(iso_store_fail_attempt(f->store, &old, true, "late", &dead, NULL),
                     ISO_E_CONFLICT);
    assert_int_equal(count(f, "SELECT deaths FROM job"), 0);
}

static void a_queued_plan_can_be_cancelled_before_any_claim(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    create_ok(f, "p1", QUEUED);
    assert_int_equal(end_plan(f, "p1", 0, CANCELLED), ISO_OK);
    assert_string_equal(claim(f, &job), "");
    assert_int_equal(count(f, "SELECT state FROM job"), ISO_JOB_STATE_CANCELLED);
}

static void a_plan_that_waits_again_can_be_cancelled_whatever_its_attempt(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;

    create_ok(f, "p1", QUEUED);
    claim(f, &job);
    assert_int_equal(end_plan(f, "p1", -1, CANCELLED), ISO_E_CONFLICT); /* it runs */
    assert_int_equal(iso_store_release_job(f->store, &job, NULL), ISO_OK);
    assert_int_equal(end_plan(f, "p1", -1, CANCELLED), ISO_OK);
}

static void who_runs_a_job_is_told_that_it_was_cancelled(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job, *jobs;
    int n_jobs = 0;

    create_ok(f, "p1", QUEUED);
    job = (struct iso_job_record){.principal = alice, .kind = ISO_JOB_KIND_PLAN, .object_id = "p1"};
    assert_int_equal(iso_store_cancel_job(f->store, &job, NULL), ISO_E_CONFLICT); /* it waits */
    claim(f, &job);
    assert_int_equal(iso_store_cancel_job(f->store, &job, NULL), ISO_OK);
    assert_int_equal(iso_store_heartbeat(f->store, f->arena, &jobs, &n_jobs, NULL), ISO_OK);
    assert_int_equal(n_jobs, 1);
    assert_true(jobs[0].cancelled);
}

static void jobs_are_counted(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record job;
    struct iso_job_counts counts;

    create_ok(f, "p1", QUEUED);
    create_ok(f, "p2", QUEUED);
    claim(f, &job);
    assert_int_equal(iso_store_count_jobs(f->store, &counts, NULL), ISO_OK);
    assert_int_equal(counts.queued, 1);
    assert_int_equal(counts.running, 1);
    assert_int_equal(counts.dead, 0);
    assert_true(counts.oldest_s >= 0 && counts.oldest_s < 60);
}

#define TESTS(set_up)                                                                              \
    {                                                                                              \
        cmocka_unit_test_setup_teardown(jobs_are_claimed_oldest_first_and_once, set_up,            \
                                        tear_down),                                                \
            cmocka_unit_test_setup_teardown(higher_priorities_are_claimed_first, set_up,           \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(tenants_take_turns, set_up, tear_down),                \
            cmocka_unit_test_setup_teardown(the_tenant_with_the_fewest_running_is_next, set_up,    \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(a_tenant_runs_no_more_than_its_limit, set_up,          \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(a_full_queue_refuses, set_up, tear_down),              \
            cmocka_unit_test_setup_teardown(only_the_attempt_that_holds_a_plan_may_end_it, set_up, \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(a_lease_that_is_renewed_is_kept, set_up, tear_down),   \
            cmocka_unit_test_setup_teardown(                                                       \
                no_lease_is_over_before_the_database_was_there_for_one, set_up, tear_down),        \
            cmocka_unit_test_setup_teardown(events_of_an_attempt_that_lost_its_job_are_refused,    \
                                            set_up, tear_down),                                    \
            cmocka_unit_test_setup_teardown(the_third_death_of_a_solver_is_the_jobs_last, set_up,  \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(                                                       \
                what_is_not_the_jobs_fault_is_not_counted_until_the_twentieth_attempt, set_up,     \
                tear_down),                                                                        \
            cmocka_unit_test_setup_teardown(                                                       \
                a_job_that_is_not_this_processs_any_more_is_not_given_back, set_up, tear_down),    \
            cmocka_unit_test_setup_teardown(a_queued_plan_can_be_cancelled_before_any_claim,       \
                                            set_up, tear_down),                                    \
            cmocka_unit_test_setup_teardown(                                                       \
                a_plan_that_waits_again_can_be_cancelled_whatever_its_attempt, set_up, tear_down), \
            cmocka_unit_test_setup_teardown(who_runs_a_job_is_told_that_it_was_cancelled, set_up,  \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(jobs_are_counted, set_up, tear_down),                  \
    }

RUN_ON_BOTH(TESTS)
