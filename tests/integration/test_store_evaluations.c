/* What the store promises of durable evaluations, on SQLite and on PostgreSQL. */
#include "store_fixture.h"

static struct postgres_cluster cluster;

static int set_up_sqlite(void **state)
{
    return set_up_on(NULL, state);
}

static int set_up_postgres(void **state)
{
    return set_up_on(&cluster, state);
}

static void begin(struct fixture *f, const char *id)
{
    const struct iso_evaluation_record record = {.id = id,
                                                 .create_ns = 1000,
                                                 .kind = 2,
                                                 .model_digest = "sha256:m",
                                                 .snapshot_digest = "sha256:s",
                                                 .request = bytes_of("packed request")};
    const struct iso_evaluation_event first = {
        .sequence = 1, .place = -1, .event = bytes_of("accepted")};

    assert_int_equal(
        iso_store_create_evaluation(f->store, &alice, &record, &first, &audit, &f->error), ISO_OK);
}

static enum iso_status add(struct fixture *f, int64_t sequence, int64_t place, bool last)
{
    const struct iso_evaluation_event event = {
        .sequence = sequence, .place = place, .last = last, .event = bytes_of("event")};

    memset(&f->error, 0, sizeof(f->error));
    return iso_store_append_evaluation(f->store, &alice, "e1", &event, &f->error);
}

static void an_evaluation_reads_back_with_its_events(void **state)
{
    struct fixture *f = *state;
    struct iso_evaluation_record read;
    struct iso_event_record *events;
    int n = 0;

    begin(f, "e1");
    assert_int_equal(add(f, 2, 7, false), ISO_OK);
    assert_int_equal(add(f, 3, -2, true), ISO_OK);
    assert_int_equal(iso_store_get_evaluation(f->store, &alice, "e1", f->arena, &read, NULL),
                     ISO_OK);
    assert_int_equal(read.kind, 2);
    assert_int_equal(read.create_ns, 1000);
    assert_true(read.end_ns > 0);
    assert_string_equal(read.model_digest, "sha256:m");
    assert_string_equal(read.principal.subject, "alice");
    assert_bytes(read.request, "packed request");
    assert_int_equal(iso_store_list_evaluation_events(f->store, &alice, "e1", 1, 10, f->arena,
                                                      &events, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 2);
    assert_int_equal(events[0].sequence, 2);
    assert_bytes(events[1].event, "event");
    assert_int_equal(
        iso_store_get_evaluation(f->store, &other_project, "e1", f->arena, &read, &f->error),
        ISO_E_NOT_FOUND);
}

static void a_scenario_has_one_result_and_a_number_one_event(void **state)
{
    struct fixture *f = *state;

    begin(f, "e1");
    assert_int_equal(add(f, 2, 7, false), ISO_OK);
    assert_int_not_equal(add(f, 3, 7, false), ISO_OK);
    assert_int_not_equal(add(f, 2, 8, false), ISO_OK);
    assert_int_equal(add(f, 3, 8, false), ISO_OK);
    assert_int_equal(add(f, 4, -2, true), ISO_OK);
    assert_int_equal(add(f, 5, 9, false), ISO_E_CONFLICT); /* it has ended */
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation_event"), 4);
}

/* Makes the evaluation one of a process that is gone. */
static void orphan(struct fixture *f)
{
    change_closed_database(f, "UPDATE evaluation SET owner = 1, lease_ns = 1");
    assert_int_equal(iso_store_open(f->folder, f->address, &f->store, &f->error), ISO_OK);
}

static void what_a_process_left_is_taken_over_by_one_other(void **state)
{
    struct fixture *f = *state;
    struct iso_evaluation_record record;
    bool found;

    begin(f, "e1");
    assert_int_equal(iso_store_claim_evaluation(f->store, f->arena, &found, &record, &f->error),
                     ISO_OK);
    assert_false(found); /* it is ours */
    orphan(f);
    assert_int_equal(add(f, 2, 0, false), ISO_E_CONFLICT); /* not ours yet */
    assert_int_equal(iso_store_claim_evaluation(f->store, f->arena, &found, &record, &f->error),
                     ISO_OK);
    assert_true(found);
    assert_string_equal(record.id, "e1");
    assert_string_equal(record.principal.project, "web");
    assert_int_equal(add(f, 2, 0, false), ISO_OK);
    assert_int_equal(iso_store_renew_evaluations(f->store, &f->error), ISO_OK);
    assert_int_equal(iso_store_claim_evaluation(f->store, f->arena, &found, &record, &f->error),
                     ISO_OK);
    assert_false(found);
}

static void evaluations_go_a_day_after_their_end_with_their_events(void **state)
{
    const struct iso_retention at_once = {.events_s = 1e-9}, later = ISO_RETENTION_INIT;
    struct fixture *f = *state;
    struct iso_pruned n;

    begin(f, "e1");
    assert_int_equal(iso_store_prune(f->store, &at_once, &n, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 1); /* it has not ended */
    assert_int_equal(add(f, 2, -2, true), ISO_OK);
    assert_int_equal(iso_store_prune(f->store, &later, &n, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 1);
    assert_int_equal(iso_store_prune(f->store, &at_once, &n, &f->error), ISO_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM evaluation_event"), 0);
}

#define TESTS(set_up)                                                                         \
    {                                                                                         \
        cmocka_unit_test_setup_teardown(an_evaluation_reads_back_with_its_events, set_up,     \
                                        tear_down),                                           \
            cmocka_unit_test_setup_teardown(a_scenario_has_one_result_and_a_number_one_event, \
                                            set_up, tear_down),                               \
            cmocka_unit_test_setup_teardown(what_a_process_left_is_taken_over_by_one_other,   \
                                            set_up, tear_down),                               \
            cmocka_unit_test_setup_teardown(                                                  \
                evaluations_go_a_day_after_their_end_with_their_events, set_up, tear_down),   \
    }

int main(void)
{
    const struct CMUnitTest on_sqlite[] = TESTS(set_up_sqlite);
    const struct CMUnitTest on_postgres[] = TESTS(set_up_postgres);
    int n_failed = cmocka_run_group_tests_name("on SQLite", on_sqlite, NULL, NULL);

    if (postgres_cluster_start(&cluster))
        n_failed += cmocka_run_group_tests_name("on PostgreSQL", on_postgres, NULL, NULL);
    postgres_cluster_stop(&cluster);
    return n_failed;
}
