/* What the store promises of evaluations and their runs, on SQLite and on PostgreSQL. */
#include "store_fixture.h"

#define MOST_OPEN 2

/* An evaluation of four scenarios in two runs; the id of the one that is there goes to `existing`.
 */
static enum iso_status create_asked(struct fixture *f, const char *id, const char *request_id,
                                    const char *body, char existing[ISO_EVALUATION_ID_SIZE])
{
    const struct iso_evaluation_record record = {.id = id,
                                                 .create_ns = 1000,
                                                 .request_id = request_id,
                                                 .body_digest = body,
                                                 .model_digest = "sha256:m",
                                                 .snapshot_digest = "sha256:s",
                                                 .n_scenarios = 4};
    const struct iso_bytes runs[] = {bytes_of("run 0"), bytes_of("run 1")};

    memset(&f->error, 0, sizeof(f->error));
    return iso_store_create_evaluation(f->store, &alice, &record, bytes_of("accepted"), runs, 2, 0,
                                       MOST_OPEN, &audit, existing, &f->error);
}

static enum iso_status create_named(struct fixture *f, const char *id)
{
    char existing[ISO_EVALUATION_ID_SIZE];

    return create_asked(f, id, "", "sha256:b", existing);
}

static void begin(struct fixture *f)
{
    assert_int_equal(create_named(f, "e1"), ISO_OK);
}

static struct iso_job_record claim(struct fixture *f)
{
    struct iso_job_record job;
    bool found = false;

    assert_int_equal(iso_store_claim_job(f->store, f->arena, &found, &job, &f->error), ISO_OK);
    assert_true(found);
    assert_int_equal(job.kind, ISO_JOB_KIND_RUN);
    assert_string_equal(job.object_id, "e1");
    return job;
}

static enum iso_status add(struct fixture *f, const struct iso_job_record *job, int64_t place)
{
    const struct iso_scenario_answer answer = {
        .place = place, .digest = "sha256:a", .cpu_us = 250, .event = bytes_of("result")};

    memset(&f->error, 0, sizeof(f->error));
    return iso_store_add_answer(f->store, job, &answer, &f->error);
}

static enum iso_status end(struct fixture *f, int n_done)
{
    memset(&f->error, 0, sizeof(f->error));
    return iso_store_end_evaluation(f->store, &alice, "e1", n_done, bytes_of("ended"), &audit,
                                    &f->error);
}

static void an_evaluation_reads_back_with_its_events_and_counts(void **state)
{
    struct fixture *f = *state;
    struct iso_evaluation_record read;
    struct iso_event_record *events;
    struct iso_bytes run;
    int n = 0;

    begin(f);
    struct iso_job_record job = claim(f);
    assert_int_equal(job.part, 0);
    assert_int_equal(iso_store_get_run(f->store, &job, f->arena, &run, &f->error), ISO_OK);
    assert_bytes(run, "run 0");
    assert_int_equal(add(f, &job, 3), ISO_OK);
    const struct iso_scenario_answer same = {
        .place = 1, .digest = "", .same = true, .event = bytes_of("the same")};
    assert_int_equal(iso_store_add_answer(f->store, &job, &same, &f->error), ISO_OK);
    assert_int_equal(iso_store_get_evaluation(f->store, &alice, "e1", f->arena, &read, NULL),
                     ISO_OK);
    assert_int_equal(read.create_ns, 1000);
    assert_int_equal(read.end_ns, 0);
    assert_string_equal(read.model_digest, "sha256:m");
    assert_string_equal(read.principal.subject, "alice");
    assert_int_equal(read.n_scenarios, 4);
    assert_int_equal(read.n_done, 2);
    assert_int_equal(read.n_same, 1);
    assert_int_equal(read.cpu_us, 250);
    assert_int_equal(read.n_running, 1);
    assert_int_equal(end(f, 2), ISO_OK);
    assert_int_equal(iso_store_list_evaluation_events(f->store, &alice, "e1", 1, 10, f->arena,
                                                      &events, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 3);
    assert_int_equal(events[0].sequence, 2);
    assert_bytes(events[0].event, "result");
    assert_int_equal(events[2].sequence, 4);
    assert_bytes(events[2].event, "ended");
    assert_int_equal(
        iso_store_get_evaluation(f->store, &other_project, "e1", f->arena, &read, &f->error),
        ISO_E_NOT_FOUND);
}

static void a_place_has_one_result_and_none_comes_after_the_end(void **state)
{
    struct fixture *f = *state;
    int64_t *places;
    int n = 0;

    begin(f);
    struct iso_job_record job = claim(f);
    assert_int_equal(add(f, &job, 3), ISO_OK);
    assert_int_equal(add(f, &job, 3), ISO_E_EXISTS);
    assert_int_equal(add(f, &job, 0), ISO_OK);
    assert_int_equal(iso_store_list_answered(f->store, &alice, "e1", f->arena, &places, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 2);
    assert_int_equal(places[0], 0);
    assert_int_equal(places[1], 3);
    assert_int_equal(end(f, 1), ISO_E_CONFLICT); /* there are two */
    assert_int_equal(end(f, 2), ISO_OK);
    assert_int_equal(end(f, 2), ISO_OK); /* once is enough */
    assert_int_equal(add(f, &job, 1), ISO_E_CONFLICT);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation_event"), 4);
    assert_int_equal(count(f, "SELECT max(sequence) FROM evaluation_event"), 4);
}

static void the_answer_of_a_model_is_found_by_its_digest(void **state)
{
    struct fixture *f = *state;
    struct iso_bytes found;

    begin(f);
    struct iso_job_record job = claim(f);
    assert_int_equal(
        iso_store_find_answer(f->store, &alice, "e1", "sha256:a", f->arena, &found, &f->error),
        ISO_OK);
    assert_null(found.bytes);
    assert_int_equal(add(f, &job, 3), ISO_OK);
    assert_int_equal(
        iso_store_find_answer(f->store, &alice, "e1", "sha256:a", f->arena, &found, &f->error),
        ISO_OK);
    assert_bytes(found, "result");
    assert_int_equal(iso_store_find_answer(f->store, &alice, "e1", "", f->arena, &found, &f->error),
                     ISO_OK);
    assert_null(found.bytes);
}

static void only_the_newest_attempt_of_a_run_adds_results_or_ends_it(void **state)
{
    struct fixture *f = *state;

    begin(f);
    struct iso_job_record slow = claim(f);
    assert_int_equal(add(f, &slow, 0), ISO_OK);
    change_closed_database(f, "UPDATE job SET lease_ns = 1, owner = 1 WHERE state = 2");
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, &f->error), ISO_OK);
    iso_store_set_job_limits(f->store, &(struct iso_job_limits){.lease_s = 0.02});
    struct iso_job_record quick = claim(f);
    assert_int_equal(quick.part, slow.part);
    assert_int_equal(quick.attempt, 2);
    assert_int_equal(add(f, &slow, 1), ISO_E_CONFLICT);
    assert_int_equal(iso_store_end_run(f->store, &slow, ISO_JOB_STATE_DONE, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM job WHERE state = 2"), 1);
    assert_int_equal(add(f, &quick, 1), ISO_OK);
    assert_int_equal(iso_store_end_run(f->store, &quick, ISO_JOB_STATE_DONE, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM job WHERE state = 3"), 1);
}

static void the_end_stops_runs_that_wait_and_those_that_are_solved(void **state)
{
    struct fixture *f = *state;
    struct iso_job_record *jobs;
    int n_jobs;

    begin(f);
    claim(f);
    assert_int_equal(end(f, 0), ISO_OK);
    assert_int_equal(count(f, "SELECT state FROM job WHERE part = 1"), ISO_JOB_STATE_CANCELLED);
    assert_int_equal(iso_store_heartbeat(f->store, f->arena, &jobs, &n_jobs, &f->error), ISO_OK);
    assert_int_equal(n_jobs, 1);
    assert_true(jobs[0].cancelled);
}

static void a_tenant_has_so_many_evaluations_at_once(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(create_named(f, "e2"), ISO_OK);
    assert_int_equal(create_named(f, "e3"), ISO_E_LIMIT);
    assert_non_null(strstr(f->error.text, "2 evaluations of tenant acme"));
    assert_int_equal(end(f, 0), ISO_OK);
    assert_int_equal(create_named(f, "e3"), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation_run"), 6);
}

static void the_same_request_gives_the_evaluation_that_is_there(void **state)
{
    struct fixture *f = *state;
    char existing[ISO_EVALUATION_ID_SIZE] = "x";

    assert_int_equal(create_asked(f, "e1", "r1", "sha256:b", existing), ISO_OK);
    assert_string_equal(existing, "");
    assert_int_equal(create_asked(f, "e2", "r1", "sha256:b", existing), ISO_OK);
    assert_string_equal(existing, "e1");
    assert_int_equal(create_asked(f, "e3", "r1", "sha256:other", existing), ISO_E_EXISTS);
    assert_non_null(strstr(f->error.text, "was used for another request (evaluation e1)"));
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM job"), 2);
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 1);
}

static void a_check_tells_an_evaluation_that_nobody_would_end(void **state)
{
    struct fixture *f = *state;
    struct iso_check check;

    begin(f);
    assert_int_equal(iso_store_check(f->store, &check, &f->error), ISO_OK);
    assert_int_equal(check.n_problems, 0);
    change_closed_database(f, "UPDATE job SET state = 3");
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, &f->error), ISO_OK);
    assert_int_equal(iso_store_check(f->store, &check, &f->error), ISO_OK);
    assert_int_equal(check.n_problems, 1);
    assert_string_equal(check.first, "1 evaluations that have not ended and have no run left");
}

static void evaluations_go_a_day_after_their_end_with_all_that_is_theirs(void **state)
{
    const struct iso_retention at_once = {.events_s = 1e-9}, later = ISO_RETENTION_INIT;
    struct fixture *f = *state;
    struct iso_pruned n;

    begin(f);
    assert_int_equal(iso_store_prune(f->store, &at_once, &n, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 1); /* it has not ended */
    assert_int_equal(end(f, 0), ISO_OK);
    assert_int_equal(iso_store_prune(f->store, &later, &n, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 1);
    assert_int_equal(iso_store_prune(f->store, &at_once, &n, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation_event"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation_run"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM job"), 0);
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TESTS(set_up)                                                                   \
    {                                                                                   \
        TEST(an_evaluation_reads_back_with_its_events_and_counts, set_up),              \
            TEST(a_place_has_one_result_and_none_comes_after_the_end, set_up),          \
            TEST(the_answer_of_a_model_is_found_by_its_digest, set_up),                 \
            TEST(only_the_newest_attempt_of_a_run_adds_results_or_ends_it, set_up),     \
            TEST(the_end_stops_runs_that_wait_and_those_that_are_solved, set_up),       \
            TEST(a_tenant_has_so_many_evaluations_at_once, set_up),                     \
            TEST(the_same_request_gives_the_evaluation_that_is_there, set_up),          \
            TEST(a_check_tells_an_evaluation_that_nobody_would_end, set_up),            \
            TEST(evaluations_go_a_day_after_their_end_with_all_that_is_theirs, set_up), \
    }

RUN_ON_BOTH(TESTS)
