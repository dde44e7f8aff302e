/* What the store promises of sessions, on SQLite and on PostgreSQL. */
#include "store_fixture.h"

static struct iso_session_record session_named(const char *id, const char *request_id)
{
    return (struct iso_session_record){.id = id,
                                       .create_ns = 1000,
                                       .request_id = request_id,
                                       .body_digest = "body-1",
                                       .model_digest = "sha256:m",
                                       .snapshot_digest = "sha256:s",
                                       .session = bytes_of("packed session")};
}

static enum iso_status make(struct fixture *f, const struct iso_principal *who,
                            const struct iso_session_record *record, bool *ret_existing,
                            struct iso_session_record *ret_record)
{
    memset(&f->error, 0, sizeof(f->error));
    return iso_store_create_session(f->store, who, record, &audit, f->arena, ret_existing,
                                    ret_record, &f->error);
}

static void a_session_reads_back_as_it_was_stored(void **state)
{
    struct fixture *f = *state;
    struct iso_session_record record = session_named("s1", "r1"), stored, read;
    bool existing;

    assert_int_equal(make(f, &alice, &record, &existing, &stored), ISO_OK);
    assert_false(existing);
    assert_int_equal(stored.etag, 1);
    assert_int_equal(iso_store_get_session(f->store, &alice, "s1", f->arena, &read, NULL), ISO_OK);
    assert_string_equal(read.id, "s1");
    assert_int_equal(read.create_ns, 1000);
    assert_int_equal(read.etag, 1);
    assert_string_equal(read.request_id, "r1");
    assert_string_equal(read.model_digest, "sha256:m");
    assert_string_equal(read.snapshot_digest, "sha256:s");
    assert_bytes(read.session, "packed session");
    assert_int_equal(
        iso_store_get_session(f->store, &other_project, "s1", f->arena, &read, &f->error),
        ISO_E_NOT_FOUND);
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 1);
}

static void a_request_id_makes_one_session(void **state)
{
    struct fixture *f = *state;
    struct iso_session_record first = session_named("s1", "r1"), again = session_named("s2", "r1");
    struct iso_session_record other = session_named("s3", "r1"), stored;
    bool existing;

    other.body_digest = "body-2";
    assert_int_equal(make(f, &alice, &first, &existing, &stored), ISO_OK);
    assert_int_equal(make(f, &alice, &again, &existing, &stored), ISO_OK);
    assert_true(existing);
    assert_string_equal(stored.id, "s1");
    assert_int_equal(make(f, &alice, &other, &existing, &stored), ISO_E_EXISTS);
    assert_string_equal(f->error.field, "request_id");
    assert_int_equal(make(f, &other_project, &again, &existing, &stored), ISO_OK);
    assert_false(existing);
}

static void only_who_knows_the_etag_changes_a_session(void **state)
{
    struct fixture *f = *state;
    struct iso_session_record record = session_named("s1", ""), stored, read;
    bool existing;

    assert_int_equal(make(f, &alice, &record, &existing, &stored), ISO_OK);
    stored.session = bytes_of("changed");
    assert_int_equal(iso_store_update_session(f->store, &alice, &stored, &audit, &f->error),
                     ISO_OK);
    assert_int_equal(iso_store_get_session(f->store, &alice, "s1", f->arena, &read, NULL), ISO_OK);
    assert_int_equal(read.etag, 2);
    assert_bytes(read.session, "changed");
    assert_int_equal(iso_store_update_session(f->store, &alice, &stored, &audit, &f->error),
                     ISO_E_CONFLICT);
    assert_string_equal(f->error.field, "etag");
    assert_int_equal(iso_store_update_session(f->store, &other_project, &stored, &audit, &f->error),
                     ISO_E_NOT_FOUND);
    assert_int_equal(iso_store_delete_session(f->store, &alice, "s1", 1, &audit, &f->error),
                     ISO_E_CONFLICT);
    assert_int_equal(iso_store_delete_session(f->store, &alice, "s1", 2, &audit, &f->error),
                     ISO_OK);
    assert_int_equal(iso_store_delete_session(f->store, &alice, "s1", 0, &audit, &f->error),
                     ISO_E_NOT_FOUND);
    assert_int_equal(count(f, "SELECT count(*) FROM audit"), 3); /* create, change, delete */
}

static void sessions_of_one_instant_are_all_on_some_page(void **state)
{
    static const char *const ids[] = {"s3", "s1", "s4", "s2", "s5"};
    struct fixture *f = *state;
    struct iso_session_record stored, *page;
    char seen[32] = "";
    int64_t before_ns = 0;
    const char *before = "";
    bool existing;
    int n = 0;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(ids); i++) {
        struct iso_session_record record = session_named(ids[i], "");
        assert_int_equal(make(f, &alice, &record, &existing, &stored), ISO_OK);
    }
    do {
        assert_int_equal(iso_store_list_sessions(f->store, &alice, before_ns, before, 2, f->arena,
                                                 &page, &n, &f->error),
                         ISO_OK);
        for (int i = 0; i < n; i++) {
            strcat(seen, page[i].id);
            before_ns = page[i].create_ns;
            before = page[i].id;
        }
    } while (n > 0);
    assert_string_equal(seen, "s5s4s3s2s1");
}

static void a_model_stays_while_a_session_needs_it(void **state)
{
    const struct iso_retention retention = {.events_s = 1, .unused_s = 1e-9};
    struct fixture *f = *state;
    struct iso_session_record record = session_named("s1", ""), stored;
    struct iso_pruned n;
    struct iso_check check;
    bool existing;

    assert_int_equal(iso_store_put_model(f->store, &alice, "sha256:m", bytes_of("packed model"),
                                         &audit, &f->error),
                     ISO_OK);
    assert_int_equal(make(f, &alice, &record, &existing, &stored), ISO_OK);
    assert_int_equal(iso_store_prune(f->store, &retention, &n, &f->error), ISO_OK);
    assert_int_equal(n.models, 0);
    assert_int_equal(iso_store_check(f->store, &check, &f->error), ISO_OK);
    assert_int_equal(check.n_problems, 0);
    assert_int_equal(iso_store_delete_session(f->store, &alice, "s1", 0, &audit, &f->error),
                     ISO_OK);
    assert_int_equal(iso_store_prune(f->store, &retention, &n, &f->error), ISO_OK);
    assert_int_equal(n.models, 1);
}

#define TESTS(set_up)                                                                              \
    {                                                                                              \
        cmocka_unit_test_setup_teardown(a_session_reads_back_as_it_was_stored, set_up, tear_down), \
            cmocka_unit_test_setup_teardown(a_request_id_makes_one_session, set_up, tear_down),    \
            cmocka_unit_test_setup_teardown(only_who_knows_the_etag_changes_a_session, set_up,     \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(sessions_of_one_instant_are_all_on_some_page, set_up,  \
                                            tear_down),                                            \
            cmocka_unit_test_setup_teardown(a_model_stays_while_a_session_needs_it, set_up,        \
                                            tear_down),                                            \
    }

RUN_ON_BOTH(TESTS)
