/* Looking after a store: backup, restore, the way to the other back-end, check, retention. */
#include "record_store.h"
#include "snapshot_file.h"
#include "store_fixture.h"

#define DAY_S 86400.0

/* --- copies --- */

static const char *name_of(const struct fixture *f)
{
    return f->address ? f->address : f->folder;
}

/* A cost without an effective one, of a published refresh, and a set that is written. */
static void fill_records(struct fixture *f)
{
    struct iso_record_set set;
    const struct iso_record_row row = {.start_ns = 5,
                                       .provider = "alibaba",
                                       .account = "",
                                       .service = "云服务器",
                                       .region = "",
                                       .category = 1,
                                       .currency = "CNY",
                                       .billed = {true, -7},
                                       .message = bytes_of("cost")};

    for (int i = 0; i < 2; i++) {
        assert_int_equal(iso_store_begin_records(f->store, &alice, "bills", ISO_RECORD_COST, 0, 10,
                                                 &set, &f->error),
                         ISO_OK);
        assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
        if (i == 0)
            assert_int_equal(iso_store_publish_records(f->store, &alice, &set, 1, bytes_of("r"),
                                                       &audit, &f->error),
                             ISO_OK);
    }
}

static void assert_records_filled(struct iso_store *store, struct fixture *f)
{
    const struct iso_record_filter all = {
        .to_ns = 10, .source = "", .provider = "", .account = "", .region = "", .service = ""};
    const struct iso_cost_grouping by = {.service = true};
    struct iso_record_set set;
    struct iso_cost_sum *sums;
    int n = 0;

    assert_int_equal(
        iso_store_sum_costs(store, &alice, &all, &by, 0, 10, f->arena, &sums, &n, &f->error),
        ISO_OK);
    assert_int_equal(n, 1);
    assert_string_equal(sums[0].service, "云服务器");
    assert_int_equal(sums[0].billed.nanos, -7);
    assert_int_equal(sums[0].effective.n_rows, 0);
    assert_int_equal(
        iso_store_begin_records(store, &alice, "bills", ISO_RECORD_COST, 0, 10, &set, &f->error),
        ISO_OK);
    assert_true(set.id > 2); /* sequences go on */
}

/* Plans of every kind, events, a model of bytes that are no text, a snapshot. */
static void fill(struct fixture *f)
{
    static const unsigned char binary[] = {0, 1, 0xff, 0, 0x80};
    struct iso_plan_record record, stored;
    bool existing;

    put_snapshot(f, &public_tenant, "s1", 10);
    put_snapshot(f, &alice, "a1", 20);
    create_ok(f, "p1", QUEUED);
    create_ok(f, "p2", RUNNING);
    assert_int_equal(end_plan(f, "p2", 0, DONE), ISO_OK);
    record = plan_named("p3", "r3", DONE);
    record.model_digest = "sha256:binary";
    assert_int_equal(iso_store_create_plan(f->store, &other_project, &record, 0,
                                           (struct iso_bytes){binary, sizeof(binary)}, &audit,
                                           f->arena, &existing, &stored, NULL),
                     ISO_OK);
    fill_records(f);
}

static void assert_filled(struct iso_store *store, struct fixture *f)
{
    struct iso_snapshot_record snapshot;
    struct iso_event_record *events;
    struct iso_plan_record record;
    struct iso_bytes model;
    char text[32] = "";
    int n = 0, fd = -1;

    assert_int_equal(iso_store_get_plan(store, &alice, "p1", true, f->arena, &record, NULL),
                     ISO_OK);
    assert_int_equal(record.state, QUEUED);
    assert_bytes(record.lines, "all lines");
    assert_int_equal(iso_store_list_events(store, &alice, "p2", 0, 10, f->arena, &events, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 1);
    assert_int_equal(
        iso_store_get_model(store, &other_project, "sha256:binary", f->arena, &model, NULL),
        ISO_OK);
    assert_int_equal(model.n_bytes, 5);
    assert_int_equal(model.bytes[2], 0xff);
    assert_int_equal(iso_store_get_snapshot(store, &alice, "", f->arena, &snapshot, NULL), ISO_OK);
    assert_string_equal(snapshot.digest, digest_named("a1").text);
    assert_int_equal(iso_store_open_snapshot(store, &snapshot, &fd, &f->error), ISO_OK);
    assert_int_equal(read(fd, text, sizeof(text)), 10);
    assert_string_equal(text, "file of a1");
    close(fd);
    assert_records_filled(store, f);
}

/* What was copied goes on: the queue, the audit chain, new sequences. */
static void assert_goes_on(struct iso_store *store, struct fixture *f)
{
    struct iso_plan_record record = plan_named("p4", "", QUEUED), stored;
    struct iso_job_record job;
    struct iso_check check;
    bool existing, found;

    assert_int_equal(iso_store_claim_job(store, f->arena, &found, &job, NULL), ISO_OK);
    assert_true(found);
    assert_string_equal(job.object_id, "p1");
    assert_int_equal(iso_store_create_plan(store, &alice, &record, 0, bytes_of("m"), &audit,
                                           f->arena, &existing, &stored, &f->error),
                     ISO_OK);
    assert_int_equal(iso_store_check(store, &check, &f->error), ISO_OK);
    assert_int_equal(check.audit_rows, 8); /* 2 snapshots, 4 plans, 1 end, 1 refresh */
    assert_int_equal(check.n_problems, 1); /* the tests' snapshots are no real ones */
    assert_non_null(strstr(check.first, "2 snapshots whose file is damaged"));
}

static void a_backup_is_restored_with_all_that_was_there(void **state)
{
    struct fixture *f = *state;
    char backup[96], restored[96];
    struct iso_store *store = NULL;
    struct iso_copied copied;

    fill(f);
    snprintf(backup, sizeof(backup), "%s/backup", f->folder);
    snprintf(restored, sizeof(restored), "%s/restored", f->folder);
    /* The store is open and may be written to: the backup is of one moment. */
    assert_int_equal(iso_store_copy(name_of(f), backup, &copied, &f->error), ISO_OK);
    assert_int_equal(copied.files, 2);
    create_ok(f, "later", QUEUED);

    assert_int_equal(iso_store_copy(backup, restored, &copied, &f->error), ISO_OK);
    assert_int_equal(iso_store_open(restored, NULL, &store, &f->error), ISO_OK);
    assert_filled(store, f);
    assert_int_equal(iso_store_get_plan(store, &alice, "later", true, f->arena,
                                        &(struct iso_plan_record){0}, NULL),
                     ISO_E_NOT_FOUND);
    assert_goes_on(store, f);
    iso_store_close(store);
}

static void a_store_moves_to_postgres_and_back(void **state)
{
    struct fixture *f = *state;
    char address[160], back[96], cache[96];
    struct iso_store *store = NULL;
    struct iso_copied there, again;

    if (cluster.pid == 0)
        skip(); /* it is not installed */
    fill(f);
    postgres_cluster_new_database(&cluster, address, sizeof(address));
    snprintf(back, sizeof(back), "%s/back", f->folder);
    snprintf(cache, sizeof(cache), "%s/cache", f->folder);
    assert_int_equal(iso_store_copy(name_of(f), address, &there, &f->error), ISO_OK);
    assert_int_equal(iso_store_copy(address, back, &again, &f->error), ISO_OK);
    assert_int_equal(there.rows, again.rows);

    assert_int_equal(iso_store_open(cache, address, &store, &f->error), ISO_OK);
    assert_filled(store, f);
    assert_goes_on(store, f);
    iso_store_close(store);
    assert_int_equal(iso_store_open(back, NULL, &store, &f->error), ISO_OK);
    assert_filled(store, f);
    assert_goes_on(store, f);
    iso_store_close(store);
}

static void a_copy_goes_into_an_empty_store_only(void **state)
{
    struct fixture *f = *state;
    char target[96], nowhere[96];
    struct iso_store *store = NULL;
    struct iso_copied copied;

    fill(f);
    snprintf(target, sizeof(target), "%s/target", f->folder);
    snprintf(nowhere, sizeof(nowhere), "%s/nowhere", f->folder);
    assert_int_equal(iso_store_copy(nowhere, target, &copied, &f->error), ISO_E_IO);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(iso_store_copy(name_of(f), target, &copied, NULL), ISO_OK);
    memset(&f->error, 0, sizeof(f->error));
    assert_int_equal(iso_store_copy(name_of(f), target, &copied, &f->error), ISO_E_PRECONDITION);
    assert_string_equal(f->error.text,
                        "the target is not empty: it has 2 rows in table snapshot; a "
                        "copy goes into an empty store");
    assert_int_equal(iso_store_open(target, NULL, &store, NULL), ISO_OK);
    assert_filled(store, f);
    iso_store_close(store);
}

/* --- check --- */

/* A snapshot without rows is one all the same. */
static void put_empty_snapshot(struct fixture *f)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_snapshot_record record = {
        .digest = digest, .create_ns = 1, .snapshot = bytes_of("s"), .diagnostics = bytes_of("d")};

    assert_int_equal(iso_snapshot_write(builder, iso_store_snapshot_folder(f->store, f->arena),
                                        digest, &f->error),
                     ISO_OK);
    assert_int_equal(iso_store_put_snapshot(f->store, &alice, &record, &audit, &f->error), ISO_OK);
}

static void a_whole_store_passes_the_check(void **state)
{
    struct fixture *f = *state;
    struct iso_check check;

    create_ok(f, "p1", QUEUED);
    put_empty_snapshot(f);
    assert_int_equal(iso_store_check(f->store, &check, &f->error), ISO_OK);
    assert_int_equal(check.n_problems, 0);
    assert_int_equal(check.audit_rows, 2);
    assert_int_equal(check.snapshots, 1);
}

static void what_was_changed_behind_the_stores_back_is_found(void **state)
{
    static const struct {
        const char *sqlite, *postgres, *found;
    } cases[] = {
        {"DROP TRIGGER audit_no_update; UPDATE audit SET subject = 'nobody' WHERE object = 'p1'",
         "DROP TRIGGER audit_no_change ON audit; UPDATE audit SET subject = 'nobody'"
         " WHERE object = 'p1'",
         "1 audit rows that were changed or follow one that was taken out"},
        {"DELETE FROM job WHERE object_id = 'p2'", "DELETE FROM job WHERE object_id = 'p2'",
         "1 plans that wait or run without a job"},
    };
    struct fixture *f = *state;

    create_ok(f, "p1", QUEUED);
    create_ok(f, "p2", QUEUED);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_check check;

        change_closed_database(f, f->address ? cases[i].postgres : cases[i].sqlite);
        assert_int_equal(iso_store_open(f->folder, f->address, &f->store, NULL), ISO_OK);
        assert_int_equal(iso_store_check(f->store, &check, &f->error), ISO_OK);
        assert_true(check.n_problems > 0);
        if (i == 0)
            assert_string_equal(check.first, cases[i].found);
        else
            assert_int_equal(check.n_problems, 2);
    }
}

/* --- retention --- */

static void create_at(struct fixture *f, const char *id, const char *model, int64_t end_ns)
{
    struct iso_plan_record record = plan_named(id, "", end_ns ? DONE : QUEUED), stored;
    bool existing;

    record.end_ns = end_ns;
    record.model_digest = model;
    record.snapshot_digest = digest_named("s2").text;
    assert_int_equal(create(f, &alice, &record, &existing, &stored), ISO_OK);
}

static void what_is_old_and_not_needed_goes(void **state)
{
    struct fixture *f = *state;
    const struct iso_retention retention = {
        .events_s = DAY_S, .plans_s = 10 * DAY_S, .unused_s = 1e-9};
    int64_t now_ns = iso_store_now_ns(), day_ns = (int64_t)(DAY_S * 1e9);
    struct iso_pruned n;

    put_snapshot(f, &public_tenant, "s1", 10); /* old, and no plan's */
    put_snapshot(f, &public_tenant, "s2", 20); /* a plan's */
    put_snapshot(f, &public_tenant, "s3", 30); /* the newest */
    create_at(f, "old", "sha256:old", now_ns - 11 * day_ns);
    create_at(f, "young", "sha256:young", now_ns - 9 * day_ns);
    create_at(f, "waits", "sha256:waits", 0);
    assert_int_equal(iso_store_prune(f->store, &retention, &n, &f->error), ISO_OK);
    assert_int_equal(n.plans, 1);
    assert_int_equal(n.models, 1);
    assert_int_equal(n.snapshots, 1);
    assert_int_equal(count(f, "SELECT count(*) FROM plan WHERE id = 'old'"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM model WHERE digest = 'sha256:old'"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM plan"), 2);
    assert_int_equal(count(f, "SELECT count(*) FROM snapshot"), 2);
    assert_int_equal(count(f, "SELECT count(*) FROM job"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM retention_run"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 6); /* history stays */
}

static void plans_stay_for_ever_unless_a_period_is_given(void **state)
{
    const struct iso_retention retention = ISO_RETENTION_INIT;
    struct fixture *f = *state;
    struct iso_pruned n;

    create_at(f, "old", "sha256:old", 1);
    assert_int_equal(iso_store_prune(f->store, &retention, &n, &f->error), ISO_OK);
    assert_int_equal(n.plans, 0);
    assert_int_equal(count(f, "SELECT count(*) FROM model"), 1);
}

static void events_go_a_day_after_the_end_and_more_than_a_batch_of_them(void **state)
{
    const struct iso_retention at_once = {.events_s = 1e-9};
    const struct iso_retention after_a_day = ISO_RETENTION_INIT;
    struct fixture *f = *state;
    struct iso_pruned n;
    int64_t sequence;

    create_ok(f, "p1", QUEUED);
    create_ok(f, "p2", QUEUED);
    for (int i = 0; i < 600; i++)
        assert_int_equal(iso_store_append_event(f->store, &alice, i < 598 ? "p1" : "p2", -1,
                                                bytes_of("e"), &sequence, NULL),
                         ISO_OK);
    assert_int_equal(end_plan(f, "p1", -1, CANCELLED), ISO_OK);
    assert_int_equal(iso_store_prune(f->store, &after_a_day, &n, &f->error), ISO_OK);
    assert_int_equal(n.events, 0);
    assert_int_equal(iso_store_prune(f->store, &at_once, &n, &f->error), ISO_OK);
    assert_int_equal(n.events, 599);
    assert_int_equal(count(f, "SELECT count(*) FROM event"), 2); /* of the one that waits */
}

#define TESTS(set_up)                                                                             \
    {                                                                                             \
        cmocka_unit_test_setup_teardown(a_backup_is_restored_with_all_that_was_there, set_up,     \
                                        tear_down),                                               \
            cmocka_unit_test_setup_teardown(a_store_moves_to_postgres_and_back, set_up,           \
                                            tear_down),                                           \
            cmocka_unit_test_setup_teardown(a_copy_goes_into_an_empty_store_only, set_up,         \
                                            tear_down),                                           \
            cmocka_unit_test_setup_teardown(a_whole_store_passes_the_check, set_up, tear_down),   \
            cmocka_unit_test_setup_teardown(what_was_changed_behind_the_stores_back_is_found,     \
                                            set_up, tear_down),                                   \
            cmocka_unit_test_setup_teardown(what_is_old_and_not_needed_goes, set_up, tear_down),  \
            cmocka_unit_test_setup_teardown(plans_stay_for_ever_unless_a_period_is_given, set_up, \
                                            tear_down),                                           \
            cmocka_unit_test_setup_teardown(                                                      \
                events_go_a_day_after_the_end_and_more_than_a_batch_of_them, set_up, tear_down),  \
    }

RUN_ON_BOTH(TESTS)
