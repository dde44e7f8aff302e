/* Catalogs end to end without a network: handlers, catalog thread, store, and plugin hosts, fake
 * ones that misbehave in every way and the real one with the plugin `static`. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog.h"
#include "fake_call.h"

struct fixture {
    char folder[64]; /* store/, plugins/, tmp/, providers.yaml */
    char host[256];
    struct iso_store *store;
    struct iso_catalog *catalog;
    bool quiet;
};

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static const char *built(const char *name, char buffer[256])
{
    const char *build = getenv("ISO_BUILD");

    snprintf(buffer, 256, "%s/%s", build ? build : ".", name);
    return buffer;
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[128];

    strcpy(f->folder, "/tmp/isocost-catalog-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(path, sizeof(path), "%s/plugins", f->folder);
    assert_int_equal(mkdir(path, 0755), 0);
    write_text(path, "fake.so", "not read by the fake host");
    write_text(path, "static.so", "not read by the fake host");
    snprintf(path, sizeof(path), "%s/tmp", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/store", f->folder);
    assert_int_equal(iso_store_open(path, NULL, &f->store, NULL), ISO_OK);
    built("tests/integration/fake_host", f->host);
    setenv("ISO_SECRET_OF_TEST", "must not reach a plugin", 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    iso_catalog_stop(f->catalog);
    iso_store_close(f->store);
    nftw(f->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    /* Every host was reaped. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    free(f);
    return 0;
}

static void start_with_plugins(struct fixture *f, const char *providers, const char *plugins)
{
    char path[128], temporary[128];
    struct iso_catalog_config config = {.store = f->store,
                                        .host_path = f->host,
                                        .plugin_folder = plugins,
                                        .providers_path = providers ? path : NULL,
                                        .temporary_folder = temporary};
    struct iso_error error = {0};

    snprintf(path, sizeof(path), "%s/providers.yaml", f->folder);
    snprintf(temporary, sizeof(temporary), "%s/tmp", f->folder);
    if (providers)
        write_text(f->folder, "providers.yaml", providers);
    if (iso_catalog_start(&config, &f->catalog, &error) != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
}

static void start(struct fixture *f, const char *providers)
{
    char plugins[128];

    snprintf(plugins, sizeof(plugins), "%s/plugins", f->folder);
    start_with_plugins(f, providers, plugins);
}

static void restart(struct fixture *f, const char *providers)
{
    iso_catalog_stop(f->catalog);
    f->catalog = NULL;
    start(f, providers);
}

static const struct iso_rpc_method *method(const char *name)
{
    const struct iso_rpc_method *m = iso_catalog_methods;

    while (m->path && strcmp(strrchr(m->path, '/') + 1, name) != 0)
        m++;
    assert_non_null(m->path);
    return m;
}

/* Calls a handler with one request and waits for the end. The caller gives the call back. */
static struct iso_call *run(struct fixture *f, const char *name, const ProtobufCMessage *request)
{
    const struct iso_rpc_method *m = method(name);
    struct iso_call *call = fake_call_new(m->response);
    struct iso_error error = {0};

    fake_call_set_request(call, request);
    if (m->handler(call, f->catalog, &error) != ISO_OK)
        iso_call_fail(call, &error);
    fake_call_wait(call);
    return call;
}

static void assert_ok(struct iso_call *call)
{
    const struct iso_error *error = fake_call_error(call);

    if (error->status != ISO_OK)
        fail_msg("%s: %s: %s", iso_status_name(error->status), error->field, error->text);
}

static struct iso_call *refresh(struct fixture *f, const char *provider)
{
    Isocost__V1__RefreshCatalogRequest request = ISOCOST__V1__REFRESH_CATALOG_REQUEST__INIT;

    request.provider = (char *)provider;
    return run(f, "RefreshCatalog", &request.base);
}

static const Isocost__V1__Snapshot *snapshot_of(struct iso_call *call)
{
    const Isocost__V1__RefreshCatalogResponse *response =
        (const Isocost__V1__RefreshCatalogResponse *)fake_call_answer(call);

    assert_ok(call);
    assert_non_null(response);
    assert_int_equal(response->event_case, ISOCOST__V1__REFRESH_CATALOG_RESPONSE__EVENT_SNAPSHOT);
    return response->snapshot;
}

/* Offerings of the current snapshot; -1 = there is none. */
static int64_t current_offerings(struct fixture *f, char *ret_digest)
{
    Isocost__V1__GetSnapshotRequest request = ISOCOST__V1__GET_SNAPSHOT_REQUEST__INIT;
    struct iso_call *call = run(f, "GetSnapshot", &request.base);
    int64_t n = -1;

    if (fake_call_error(call)->status == ISO_OK) {
        const Isocost__V1__Snapshot *snapshot =
            ((const Isocost__V1__GetSnapshotResponse *)fake_call_answer(call))->snapshot;
        assert_true(snapshot->current);
        n = snapshot->offering_count;
        if (ret_digest)
            strcpy(ret_digest, snapshot->digest);
    }
    iso_call_unref(call);
    return n;
}

static Isocost__V1__ProviderState state_of(struct fixture *f, const char *name, char *ret_error)
{
    Isocost__V1__ListProvidersRequest request = ISOCOST__V1__LIST_PROVIDERS_REQUEST__INIT;
    struct iso_call *call = run(f, "ListProviders", &request.base);
    const Isocost__V1__ListProvidersResponse *response =
        (const Isocost__V1__ListProvidersResponse *)fake_call_answer(call);
    Isocost__V1__ProviderState found = ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_UNSPECIFIED;

    assert_ok(call);
    for (size_t i = 0; i < response->n_providers; i++) {
        if (strcmp(response->providers[i]->name, name) == 0) {
            found = response->providers[i]->state;
            if (ret_error)
                snprintf(ret_error, 512, "%s", response->providers[i]->last_error);
        }
    }
    iso_call_unref(call);
    return found;
}

/* --- good and bad hosts --- */

static void a_refresh_ends_in_a_snapshot(void **state)
{
    struct fixture *f = *state;
    struct iso_call *call;

    start(f, "providers:\n- {name: acme, plugin: fake, parameters: {rows: '250'}}\n");
    assert_int_equal(current_offerings(f, NULL), -1);
    call = refresh(f, "acme");
    const Isocost__V1__Snapshot *snapshot = snapshot_of(call);
    assert_int_equal(snapshot->offering_count, 250);
    assert_int_equal(snapshot->row_count, 250);
    assert_true(snapshot->current);
    assert_int_equal(snapshot->n_sources, 1);
    assert_string_equal(snapshot->sources[0], "acme");
    assert_true(fake_call_n_messages(call) > 3); /* progress for three pages, then the snapshot */
    iso_call_unref(call);
    assert_int_equal(current_offerings(f, NULL), 250);
    assert_int_equal(state_of(f, "acme", NULL), ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY);
}

static void a_bad_host_leaves_the_last_snapshot_alone(void **state)
{
    static const struct {
        const char *mode;
        enum iso_status status;
        const char *words; /* in the error */
    } cases[] = {
        {"segv", ISO_E_UNAVAILABLE, "killed by signal 11"},
        {"abort", ISO_E_UNAVAILABLE, "killed by signal 9"},
        {"exit0", ISO_E_UNAVAILABLE, "ended before it was done (exit status 0)"},
        {"hang", ISO_E_DEADLINE, "did not finish within its 1 seconds"},
        {"children", ISO_E_DEADLINE, "did not finish within its 1 seconds"},
        {"garbage", ISO_E_UNAVAILABLE, "broken frame"},
        {"huge_frame", ISO_E_UNAVAILABLE, "broken frame"},
        {"wrong_id", ISO_E_UNAVAILABLE, "not asked"},
        {"wrong_sha", ISO_E_UNAVAILABLE, "checksum"},
        {"short_sha", ISO_E_UNAVAILABLE, "checksum"},
        {"wrong_rows", ISO_E_UNAVAILABLE, "says it sent 251 rows in 3 pages; 250 rows in 3 pages"},
        {"wrong_pages", ISO_E_UNAVAILABLE, "says it sent 250 rows in 4 pages"},
        {"hello_again", ISO_E_UNAVAILABLE, "hello twice"},
        {"fail_late", ISO_E_UNAVAILABLE, "come back (Code7)"},
        {"auth", ISO_E_UNAUTHENTICATED, "wrong key"},
        {"refuse", ISO_E_PRECONDITION, "bad plugin"},
    };
    struct fixture *f = *state;
    char before[128], after[128], last_error[512], config[256];

    start(f, "providers:\n- {name: acme, plugin: fake, parameters: {rows: '7'}}\n");
    iso_call_unref(refresh(f, ""));
    assert_int_equal(current_offerings(f, before), 7);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        snprintf(config, sizeof(config),
                 "providers:\n- {name: acme, plugin: fake, deadline_seconds: 1, parameters: "
                 "{mode: %s}}\n",
                 cases[i].mode);
        restart(f, config);
        struct iso_call *call = refresh(f, "acme");
        const struct iso_error *error = fake_call_error(call);
        if (error->status != cases[i].status || !strstr(error->text, cases[i].words) ||
            !strstr(error->text, "the last good snapshot goes on serving"))
            fail_msg("%s: %s: %s", cases[i].mode, iso_status_name(error->status), error->text);
        iso_call_unref(call);
        assert_int_equal(current_offerings(f, after), 7);
        assert_string_equal(after, before);
        assert_int_equal(state_of(f, "acme", last_error),
                         strcmp(cases[i].mode, "refuse") == 0
                             ? ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_REFUSED
                             : ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_DEGRADED);
        assert_non_null(strstr(last_error, cases[i].words));
    }
}

static void one_bad_provider_does_not_hold_up_the_others(void **state)
{
    struct fixture *f = *state;

    start(f, "providers:\n"
             "- {name: good1, plugin: fake, parameters: {rows: '3'}}\n"
             "- {name: bad, plugin: fake, parameters: {mode: wrong_sha}}\n"
             "- {name: good2, plugin: fake, parameters: {rows: '4'}}\n");
    struct iso_call *call = refresh(f, "");
    const Isocost__V1__Snapshot *snapshot = snapshot_of(call);
    assert_int_equal(snapshot->offering_count, 7); /* none of the 250 rows of `bad` */
    assert_int_equal(snapshot->n_sources, 2);
    assert_int_equal(snapshot->n_diagnostics, 2);
    assert_string_equal(snapshot->diagnostics[0]->code, "resources_unknown");
    assert_string_equal(snapshot->diagnostics[1]->code, "refresh_failed");
    iso_call_unref(call);
    assert_int_equal(state_of(f, "bad", NULL),
                     ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_DEGRADED);
    assert_int_equal(state_of(f, "good2", NULL), ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY);
}

static void a_provider_whose_rows_are_all_useless_has_failed(void **state)
{
    struct fixture *f = *state;
    char why[512];

    start(f, "providers:\n"
             "- {name: good, plugin: fake, parameters: {rows: '3'}}\n"
             "- {name: bad, plugin: fake, parameters: {mode: useless, rows: '4'}}\n");
    struct iso_call *call = refresh(f, "");
    const Isocost__V1__Snapshot *snapshot = snapshot_of(call);
    assert_int_equal(snapshot->offering_count, 3);
    assert_int_equal(snapshot->n_sources, 1);
    bool told = false;
    for (size_t i = 0; i < snapshot->n_diagnostics; i++)
        told = told || strcmp(snapshot->diagnostics[i]->code, "refresh_failed") == 0;
    assert_true(told);
    iso_call_unref(call);
    assert_int_equal(state_of(f, "good", NULL), ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY);
    assert_int_equal(state_of(f, "bad", why), ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_DEGRADED);
    assert_non_null(strstr(why, "no usable row: 4 were read and 4 of them left out"));
}

static void providers_are_asked_side_by_side(void **state)
{
    struct fixture *f = *state;
    char providers[512];

    snprintf(providers, sizeof(providers),
             "providers:\n"
             "- {name: left, plugin: fake, parameters: {mode: meet, rows: '3', folder: %s}}\n"
             "- {name: right, plugin: fake, parameters: {mode: meet, rows: '4', folder: %s}}\n",
             f->folder, f->folder);
    start(f, providers);
    struct iso_call *call = refresh(f, "");
    const Isocost__V1__Snapshot *snapshot = snapshot_of(call);
    assert_int_equal(snapshot->offering_count, 7);
    assert_int_equal(snapshot->n_sources, 2);
    assert_string_equal(snapshot->sources[0], "left"); /* as in the file, whoever was first */
    iso_call_unref(call);
}

static void a_provider_that_crashes_five_times_is_left_alone_until_asked_by_name(void **state)
{
    struct fixture *f = *state;

    start(f, "providers:\n- {name: acme, plugin: fake, parameters: {mode: exit0}}\n");
    for (int i = 0; i < 5; i++) {
        struct iso_call *call = refresh(f, "");
        assert_non_null(strstr(fake_call_error(call)->text, "exit status 0"));
        iso_call_unref(call);
    }
    assert_int_equal(state_of(f, "acme", NULL),
                     ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_QUARANTINED);
    struct iso_call *call = refresh(f, "");
    assert_non_null(strstr(fake_call_error(call)->text, "is left alone"));
    iso_call_unref(call);
    call = refresh(f, "acme");
    assert_non_null(strstr(fake_call_error(call)->text, "exit status 0"));
    iso_call_unref(call);
}

static void rows_that_may_not_be_used_are_counted(void **state)
{
    Isocost__V1__ListDiagnosticsRequest request = ISOCOST__V1__LIST_DIAGNOSTICS_REQUEST__INIT;
    struct fixture *f = *state;
    size_t n_seen = 0;

    start(f, "providers:\n- {name: acme, plugin: fake, parameters: {mode: dirty, rows: '100'}}\n");
    struct iso_call *call = refresh(f, "acme");
    const Isocost__V1__Snapshot *snapshot = snapshot_of(call);
    assert_int_equal(snapshot->offering_count, 50);
    assert_int_equal(snapshot->row_count, 100);
    iso_call_unref(call);

    request.code = (char *)"missing_price";
    request.page_size = 20;
    request.page_token = strdup("");
    do {
        call = run(f, "ListDiagnostics", &request.base);
        const Isocost__V1__ListDiagnosticsResponse *response =
            (const Isocost__V1__ListDiagnosticsResponse *)fake_call_answer(call);
        assert_ok(call);
        assert_int_equal(response->n_counts, 1);
        assert_int_equal(response->counts[0]->count, 50);
        assert_true(response->counts[0]->quarantined);
        n_seen += response->n_diagnostics;
        free(request.page_token);
        request.page_token = strdup(response->next_page_token);
        iso_call_unref(call);
    } while (request.page_token[0]);
    free(request.page_token);
    assert_int_equal(n_seen, 50);
}

static void a_cancelled_refresh_ends_soon(void **state)
{
    Isocost__V1__RefreshCatalogRequest request = ISOCOST__V1__REFRESH_CATALOG_REQUEST__INIT;
    struct fixture *f = *state;
    const struct iso_rpc_method *m = method("RefreshCatalog");
    struct iso_call *call = fake_call_new(m->response);

    start(f, "providers:\n- {name: acme, plugin: fake, deadline_seconds: 3600, parameters: "
             "{mode: hang}}\n");
    fake_call_set_request(call, &request.base);
    assert_int_equal(m->handler(call, f->catalog, NULL), ISO_OK);
    fake_call_cancel(call);
    fake_call_wait(call);
    assert_int_equal(fake_call_error(call)->status, ISO_E_CANCELLED);
    iso_call_unref(call);
}

static void stopping_ends_a_refresh_under_way(void **state)
{
    Isocost__V1__RefreshCatalogRequest request = ISOCOST__V1__REFRESH_CATALOG_REQUEST__INIT;
    struct fixture *f = *state;
    const struct iso_rpc_method *m = method("RefreshCatalog");
    struct iso_call *calls[] = {fake_call_new(m->response), fake_call_new(m->response)};

    start(f, "providers:\n- {name: acme, plugin: fake, deadline_seconds: 3600, parameters: "
             "{mode: hang}}\n");
    for (int i = 0; i < 2; i++) {
        fake_call_set_request(calls[i], &request.base);
        assert_int_equal(m->handler(calls[i], f->catalog, NULL), ISO_OK);
    }
    iso_catalog_stop(f->catalog);
    f->catalog = NULL;
    for (int i = 0; i < 2; i++) {
        fake_call_wait(calls[i]);
        assert_int_not_equal(fake_call_error(calls[i])->status, ISO_OK);
        iso_call_unref(calls[i]);
    }
}

static void a_plugin_that_others_may_write_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[128], last_error[512];

    snprintf(path, sizeof(path), "%s/plugins/fake.so", f->folder);
    assert_int_equal(chmod(path, 0664), 0);
    start(f, "providers:\n- {name: acme, plugin: fake}\n");
    struct iso_call *call = refresh(f, "acme");
    assert_int_equal(fake_call_error(call)->status, ISO_E_DENIED);
    assert_non_null(strstr(fake_call_error(call)->text, "fake.so has mode 0664"));
    iso_call_unref(call);
    assert_int_equal(state_of(f, "acme", last_error),
                     ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_REFUSED);

    assert_int_equal(chmod(path, 0644), 0);
    snprintf(path, sizeof(path), "%s/plugins", f->folder);
    assert_int_equal(chmod(path, 0777), 0);
    call = refresh(f, "acme");
    assert_int_equal(fake_call_error(call)->status, ISO_E_DENIED);
    assert_non_null(strstr(fake_call_error(call)->text, "plugins has mode 0777"));
    iso_call_unref(call);

    assert_int_equal(chmod(path, 0755), 0);
    iso_call_unref(refresh(f, "acme"));
    assert_int_equal(state_of(f, "acme", NULL), ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY);
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[128], config[256], last_error[512];

    write_text(f->folder, "key", "s3cr3t\n");
    snprintf(path, sizeof(path), "%s/key", f->folder);
    snprintf(config, sizeof(config),
             "providers:\n- {name: acme, plugin: fake, secret_files: {key: %s}}\n", path);
    assert_int_equal(chmod(path, 0640), 0);
    start(f, config);
    struct iso_call *call = refresh(f, "acme");
    assert_int_equal(fake_call_error(call)->status, ISO_E_DENIED);
    assert_non_null(strstr(fake_call_error(call)->text, "key has mode 0640"));
    assert_null(strstr(fake_call_error(call)->text, "s3cr3t"));
    iso_call_unref(call);
    assert_int_equal(state_of(f, "acme", last_error),
                     ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_REFUSED);
    assert_int_equal(chmod(path, 0600), 0);
    call = refresh(f, "acme");
    assert_ok(call);
    iso_call_unref(call);
}

static void a_provider_with_an_interval_is_refreshed_by_itself(void **state)
{
    struct fixture *f = *state;

    start(f, "providers:\n- {name: acme, plugin: fake, refresh_seconds: 60, parameters: "
             "{rows: '5'}}\n");
    for (int i = 0; i < 2000 && current_offerings(f, NULL) < 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_int_equal(current_offerings(f, NULL), 5);
}

static void a_wrong_configuration_names_the_field(void **state)
{
    static const struct {
        const char *yaml, *field;
    } cases[] = {
        {"providers:\n- {name: Acme, plugin: fake}\n", "providers[0].name"},
        {"providers:\n- {name: acme, plugin: ../fake}\n", "providers[0].plugin"},
        {"providers:\n- {name: a, plugin: fake}\n- {name: a, plugin: fake}\n", "providers[1].name"},
        {"providers:\n- {name: a, plugin: fake, memory_mib: 1}\n", "providers[0].memory_mib"},
        {"providers:\n- {name: a, plugin: fake, deadline_seconds: 4000}\n",
         "providers[0].deadline_seconds"},
        {"providers:\n- {name: a, plugin: fake, refresh_seconds: 5}\n",
         "providers[0].refresh_seconds"},
        {"providers:\n- {name: a, plugin: fake, readable_paths: [x/y]}\n",
         "providers[0].readable_paths[0]"},
        {"providers:\n- {name: a, plugin: fake, records: {}}\n",
         "providers[0].records.refresh_seconds"},
        {"providers:\n- {name: a, plugin: fake, records: {refresh_seconds: 60, kinds: [cost]}}\n",
         "providers[0].records.kinds[0]"},
        {"providers:\n- {name: a, plugin: fake, records: {refresh_seconds: 60, "
         "cost_overlap_hours: 23}}\n",
         "providers[0].records.cost_overlap_hours"},
        {"providers:\n- {name: a, plugin: fake, digest: 'sha256:1'}\n", "providers[0].digest"},
    };
    struct fixture *f = *state;
    char path[128];
    struct iso_catalog_config config = {.store = f->store,
                                        .host_path = f->host,
                                        .plugin_folder = f->folder,
                                        .providers_path = path};

    snprintf(path, sizeof(path), "%s/providers.yaml", f->folder);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_error error = {0};
        write_text(f->folder, "providers.yaml", cases[i].yaml);
        assert_int_equal(iso_catalog_start(&config, &f->catalog, &error), ISO_E_INVALID);
        assert_string_equal(error.field, cases[i].field);
    }
}

static void offerings_are_listed_in_pages_of_one_snapshot(void **state)
{
    Isocost__V1__ListOfferingsRequest request = ISOCOST__V1__LIST_OFFERINGS_REQUEST__INIT;
    Isocost__V1__SelectorTerm term = ISOCOST__V1__SELECTOR_TERM__INIT, *terms[] = {&term};
    Isocost__V1__Selector selector = ISOCOST__V1__SELECTOR__INIT;
    char *types[] = {(char *)"type-0001*"}; /* type-00010 .. type-00019 */
    struct fixture *f = *state;
    int n_seen = 0;

    start(f, "providers:\n- {name: acme, plugin: fake, parameters: {rows: '25'}}\n");
    iso_call_unref(refresh(f, ""));
    term.type = types;
    term.n_type = 1;
    selector.include = terms;
    selector.n_include = 1;
    request.selector = &selector;
    request.page_size = 4;
    request.page_token = strdup("");
    do {
        struct iso_call *call = run(f, "ListOfferings", &request.base);
        const Isocost__V1__ListOfferingsResponse *response =
            (const Isocost__V1__ListOfferingsResponse *)fake_call_answer(call);
        assert_ok(call);
        assert_int_equal(response->total_count, 10);
        for (size_t i = 0; i < response->n_offerings; i++) {
            char type[32];
            snprintf(type, sizeof(type), "type-%05d", 10 + n_seen++);
            assert_string_equal(response->offerings[i]->type, type);
            assert_string_equal(response->offerings[i]->provider, "acme");
            assert_int_equal(response->offerings[i]->price->units, 1);
            assert_int_equal(response->offerings[i]->resources->opt_vcpu_case, 0);
        }
        free(request.page_token);
        request.page_token = strdup(response->next_page_token);
        iso_call_unref(call);
        if (n_seen == 4) { /* a newer snapshot does not disturb a list under way */
            restart(f, "providers:\n- {name: acme, plugin: fake, parameters: {rows: '12'}}\n");
            iso_call_unref(refresh(f, ""));
        }
    } while (request.page_token[0]);
    assert_int_equal(n_seen, 10);

    free(request.page_token);
    request.page_token = (char *)"nonsense";
    struct iso_call *call = run(f, "ListOfferings", &request.base);
    assert_int_equal(fake_call_error(call)->status, ISO_E_INVALID);
    assert_string_equal(fake_call_error(call)->field, "page_token");
    iso_call_unref(call);
    request.page_token = (char *)"";
    request.page_size = 5001;
    call = run(f, "ListOfferings", &request.base);
    assert_string_equal(fake_call_error(call)->field, "page_size");
    iso_call_unref(call);
}

static void snapshots_are_listed_newest_first(void **state)
{
    Isocost__V1__ListSnapshotsRequest request = ISOCOST__V1__LIST_SNAPSHOTS_REQUEST__INIT;
    struct fixture *f = *state;
    char config[128];
    int64_t expected = 5;

    start(f, NULL);
    for (int rows = 1; rows <= 5; rows++) {
        snprintf(config, sizeof(config),
                 "providers:\n- {name: acme, plugin: fake, parameters: {rows: '%d'}}\n", rows);
        restart(f, config);
        iso_call_unref(refresh(f, ""));
    }
    request.page_size = 2;
    request.page_token = strdup("");
    do {
        struct iso_call *call = run(f, "ListSnapshots", &request.base);
        const Isocost__V1__ListSnapshotsResponse *response =
            (const Isocost__V1__ListSnapshotsResponse *)fake_call_answer(call);
        assert_ok(call);
        for (size_t i = 0; i < response->n_snapshots; i++) {
            assert_int_equal(response->snapshots[i]->current, expected == 5);
            assert_int_equal(response->snapshots[i]->offering_count, expected--);
        }
        free(request.page_token);
        request.page_token = strdup(response->next_page_token);
        iso_call_unref(call);
    } while (request.page_token[0]);
    free(request.page_token);
    assert_int_equal(expected, 0);
}

static void what_is_not_configured_is_said(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__GetSnapshotRequest get = ISOCOST__V1__GET_SNAPSHOT_REQUEST__INIT;

    start(f, NULL);
    struct iso_call *call = refresh(f, "");
    assert_int_equal(fake_call_error(call)->status, ISO_E_PRECONDITION);
    iso_call_unref(call);
    restart(f, "providers:\n- {name: acme, plugin: fake}\n");
    call = refresh(f, "other");
    assert_int_equal(fake_call_error(call)->status, ISO_E_NOT_FOUND);
    assert_string_equal(fake_call_error(call)->field, "provider");
    iso_call_unref(call);
    get.digest = (char *)"../../../etc/passwd";
    call = run(f, "GetSnapshot", &get.base);
    assert_int_equal(fake_call_error(call)->status, ISO_E_NOT_FOUND);
    iso_call_unref(call);
}

/* --- imports, read by the real host and the real plugin --- */

static bool use_real_host(struct fixture *f, char plugins[256])
{
    char path[512];

    built("bin/isocost-plugin-host", f->host);
    built("plugins", plugins);
    snprintf(path, sizeof(path), "%s/static.so", plugins);
    return access(f->host, X_OK) == 0 && access(path, R_OK) == 0;
}

struct upload {
    const char *name, *text;
    Isocost__V1__CatalogFileKind kind;
};
#define OFFERINGS ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OFFERINGS_CSV
#define QUOTAS ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_QUOTAS_CSV

/* Sends files in pieces of 10 bytes. */
static struct iso_call *import(struct fixture *f, const struct upload *uploads, size_t n,
                               bool replace_all)
{
    const struct iso_rpc_method *m = method("ImportCatalog");
    struct iso_call *call = fake_call_new(m->response);
    struct iso_error error = {0};
    enum iso_status status = ISO_OK;

    for (size_t i = 0; i < n && status == ISO_OK; i++) {
        size_t n_text = strlen(uploads[i].text);
        for (size_t at = 0; at < n_text && status == ISO_OK; at += 10) {
            Isocost__V1__ImportCatalogRequest request = ISOCOST__V1__IMPORT_CATALOG_REQUEST__INIT;
            if (at == 0) {
                request.name = (char *)uploads[i].name;
                request.kind = uploads[i].kind;
                request.replace_all = replace_all;
            }
            request.chunk.data = (uint8_t *)uploads[i].text + at;
            request.chunk.len = n_text - at < 10 ? n_text - at : 10;
            fake_call_set_request(call, &request.base);
            status = m->handler(call, f->catalog, &error);
        }
    }
    fake_call_set_request(call, NULL);
    if (status == ISO_OK)
        status = m->handler(call, f->catalog, &error);
    if (status != ISO_OK)
        iso_call_fail(call, &error);
    fake_call_wait(call);
    return call;
}

static int n_entries(const char *folder, const char *name)
{
    char path[256];
    int n = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    DIR *entries = opendir(path);
    assert_non_null(entries);
    while (readdir(entries))
        n++;
    closedir(entries);
    return n - 2; /* . and .. */
}

#define HEADER "provider,region,type,purchase,vcpu,memory_gib,price,currency\n"

static void an_import_replaces_the_rows_of_its_providers(void **state)
{
    static const struct upload first[] = {
        {"a.csv",
         HEADER "aws,us-east-1,m6i.large,on-demand,2,8,0.096,USD\n"
                "aws,us-east-1,m6i.xlarge,on-demand,4,16,0.192,USD\n"
                "aws,us-east-1,free.large,on-demand,2,8,0,USD\n",
         OFFERINGS},
        {"b.csv", HEADER "阿里云,cn-beijing,ecs.g7.large,spot,2,8,0.5,CNY\n", OFFERINGS},
    };
    static const struct upload second[] = {
        {"c.csv", HEADER "Amazon,us-east-1,m7i.large,on-demand,2,8,0.1008,USD\n", OFFERINGS}};
    static const struct upload quotas[] = {{"q.csv",
                                            "provider,region,code,scope,resource,limit,used\n"
                                            "aws,us-east-1,L-1,provider:aws,vcpu,100,1\n",
                                            QUOTAS}};
    struct fixture *f = *state;
    char plugins[256];

    if (!use_real_host(f, plugins)) {
        print_message("isocost-plugin-host or static.so is not built\n");
        skip();
    }
    start_with_plugins(f, NULL, plugins);
    struct iso_call *call = import(f, first, 2, false);
    assert_ok(call);
    const Isocost__V1__Snapshot *snapshot =
        ((const Isocost__V1__ImportCatalogResponse *)fake_call_answer(call))->snapshot;
    assert_int_equal(snapshot->offering_count, 3);
    assert_int_equal(snapshot->row_count, 4);
    assert_int_equal(snapshot->n_diagnostics, 1);
    assert_string_equal(snapshot->diagnostics[0]->code, "zero_price");
    assert_int_equal(snapshot->n_sources, 2);
    assert_string_equal(snapshot->sources[0], "a.csv");
    iso_call_unref(call);

    iso_call_unref(import(f, second, 1, false));
    assert_int_equal(current_offerings(f, NULL), 2); /* one of aws, one of alibaba */
    call = import(f, quotas, 1, false);
    assert_ok(call);
    snapshot = ((const Isocost__V1__ImportCatalogResponse *)fake_call_answer(call))->snapshot;
    assert_int_equal(snapshot->offering_count, 2); /* quotas replace quotas only */
    assert_int_equal(snapshot->quota_count, 1);
    iso_call_unref(call);
    iso_call_unref(import(f, second, 1, true));
    assert_int_equal(current_offerings(f, NULL), 1);
    iso_catalog_stop(f->catalog); /* its thread lets go of the last call */
    f->catalog = NULL;
    assert_int_equal(n_entries(f->folder, "tmp"), 0); /* the files are gone */
}

static void a_bad_import_changes_nothing(void **state)
{
    static const struct upload good[] = {
        {"a.csv", HEADER "aws,us-east-1,m6i.large,on-demand,2,8,0.096,USD\n", OFFERINGS}};
    static const struct {
        struct upload upload;
        const char *words;
    } cases[] = {
        {{"x/../a.csv", "x", OFFERINGS}, "'/'"},
        {{".hidden.csv", "x", OFFERINGS}, "begin"},
        {{"a;b.csv", "x", OFFERINGS}, "';'"},
        {{"a.csv", "x", ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_UNSPECIFIED},
         "what it is"},
        {{"", "x", OFFERINGS}, "its name and kind"},
        {{"a.csv", HEADER "aws,us-east-1,m6i.large,on-demand,2,8,-1,USD\n", OFFERINGS},
         "no usable row: 1 were read and 1 of them left out"},
        {{"a.json", "{\"offerings\": [", ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_JSON},
         "a.json"},
    };
    struct fixture *f = *state;
    char plugins[256], before[128], after[128];

    if (!use_real_host(f, plugins))
        skip();
    start_with_plugins(f, NULL, plugins);
    iso_call_unref(import(f, good, 1, false));
    assert_int_equal(current_offerings(f, before), 1);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_call *call = import(f, &cases[i].upload, 1, true);
        if (fake_call_error(call)->status != ISO_E_INVALID ||
            !strstr(fake_call_error(call)->text, cases[i].words))
            fail_msg("%zu: %s: %s", i, iso_status_name(fake_call_error(call)->status),
                     fake_call_error(call)->text);
        iso_call_unref(call);
    }
    struct iso_call *call = import(f, NULL, 0, false);
    assert_string_equal(fake_call_error(call)->text, "no file was sent");
    iso_call_unref(call);
    assert_int_equal(current_offerings(f, after), 1);
    assert_string_equal(after, before);
    iso_catalog_stop(f->catalog); /* its thread lets go of the last call */
    f->catalog = NULL;
    assert_int_equal(n_entries(f->folder, "tmp"), 0);
}

static void overlays_belong_to_the_tenant_that_imports_them(void **state)
{
    static const struct upload base[] = {
        {"a.csv", HEADER "aws,us-east-1,m6i.large,on-demand,2,8,0.096,USD\n", OFFERINGS}};
    static const struct upload more[] = {
        {"b.csv", HEADER "gcp,us-east1,n2-standard-2,on-demand,2,8,0.0971,USD\n", OFFERINGS}};
    static const struct upload overlay[] = {
        {"o.json",
         "{\"overlays\": [{\"offerings\": {\"include\": [{\"provider\": [\"aws\"]}]},"
         " \"price_factor\": 0.9}]}",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_JSON}};
    const struct iso_principal stranger = {"other", "default", "x", ISO_ROLE_VIEWER};
    struct fixture *f = *state;
    struct iso_snapshot_record record;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    char plugins[256], public_digest[128], own[128];

    if (!use_real_host(f, plugins))
        skip();
    start_with_plugins(f, NULL, plugins);
    iso_call_unref(import(f, base, 1, false));
    current_offerings(f, public_digest);
    struct iso_call *call = import(f, overlay, 1, false);
    assert_ok(call);
    iso_call_unref(call);
    assert_int_equal(current_offerings(f, own), 1);
    assert_string_not_equal(own, public_digest);
    assert_int_equal(iso_store_get_snapshot(f->store, &stranger, "", arena, &record, NULL), ISO_OK);
    assert_string_equal(record.digest, public_digest);
    assert_int_equal(iso_store_get_snapshot(f->store, &stranger, own, arena, &record, NULL),
                     ISO_E_NOT_FOUND);
    /* Another tenant's import of new rows is seen through the overlays too. */
    fake_call_set_tenant("other");
    iso_call_unref(import(f, more, 1, false));
    fake_call_set_tenant("default");
    for (int i = 0; i < 2000 && current_offerings(f, own) < 2; i++) /* after the other's answer */
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_int_equal(current_offerings(f, own), 2);
    assert_int_equal(iso_store_get_snapshot(f->store, &stranger, own, arena, &record, NULL),
                     ISO_E_NOT_FOUND);
    /* An import of rows keeps the overlays; replacing all drops them. */
    iso_call_unref(import(f, base, 1, false));
    current_offerings(f, own);
    assert_string_not_equal(own, public_digest);
    iso_call_unref(import(f, base, 1, true));
    current_offerings(f, own);
    assert_string_equal(own, public_digest);
}

/* Two imports of overlays and rates, listed in pages, and what is between them. */
static void overlays_and_rates_are_listed_in_pages_and_compared(void **state)
{
    static const struct upload first[] = {
        {"a.csv", HEADER "aws,us-east-1,m6i.large,on-demand,2,8,0.096,USD\n", OFFERINGS},
        {"o.csv",
         "offerings,price_factor,valid_from,note\nprovider:aws,0.9,2026-07-01,c1\n*,0.95,,c2\n",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OVERLAYS_CSV},
        {"e.csv",
         "provider,to,from_gb,price_per_gb,currency\naws,internet,0,0.09,USD\n"
         "aws,internet,10240,0.085,USD\nAlibaba Cloud,internet,0,0.8,CNY\n",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_EGRESS_RATES_CSV}};
    static const struct upload second[] = {
        {"o.csv", "offerings,price_factor,note\n*,0.95,c2\nprovider:gcp,0.5,c3\n",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_OVERLAYS_CSV},
        {"e.csv",
         "provider,to,from_gb,price_per_gb,currency\naws,internet,0,0.08,USD\n"
         "aws,aws,0,0.02,USD\n",
         ISOCOST__V1__CATALOG_FILE_KIND__CATALOG_FILE_KIND_EGRESS_RATES_CSV}};
    Isocost__V1__ListEgressRatesRequest rates = ISOCOST__V1__LIST_EGRESS_RATES_REQUEST__INIT;
    Isocost__V1__ListOverlaysRequest overlays = ISOCOST__V1__LIST_OVERLAYS_REQUEST__INIT;
    Isocost__V1__DiffSnapshotsRequest diff = ISOCOST__V1__DIFF_SNAPSHOTS_REQUEST__INIT;
    struct fixture *f = *state;
    char plugins[256], token[512];

    if (!use_real_host(f, plugins))
        skip();
    start_with_plugins(f, NULL, plugins);
    struct iso_call *call = import(f, first, 3, false);
    assert_ok(call);
    const Isocost__V1__Snapshot *snapshot =
        ((const Isocost__V1__ImportCatalogResponse *)fake_call_answer(call))->snapshot;
    assert_int_equal(snapshot->overlay_count, 2);
    assert_int_equal(snapshot->egress_rate_count, 3);
    iso_call_unref(call);

    rates.page_size = 2;
    call = run(f, "ListEgressRates", &rates.base);
    assert_ok(call);
    const Isocost__V1__ListEgressRatesResponse *page =
        (const Isocost__V1__ListEgressRatesResponse *)fake_call_answer(call);
    assert_int_equal(page->n_rates, 2);
    assert_int_equal(page->total_count, 3);
    assert_string_equal(page->rates[0]->provider, "alibaba");
    snprintf(token, sizeof(token), "%s", page->next_page_token);
    iso_call_unref(call);
    rates.page_token = token;
    call = run(f, "ListEgressRates", &rates.base);
    page = (const Isocost__V1__ListEgressRatesResponse *)fake_call_answer(call);
    assert_int_equal(page->n_rates, 1);
    assert_true(page->rates[0]->from_gb == 10240);
    assert_string_equal(page->next_page_token, "");
    iso_call_unref(call);
    rates.page_token = (char *)"";
    rates.provider = (char *)"阿里云";
    call = run(f, "ListEgressRates", &rates.base);
    page = (const Isocost__V1__ListEgressRatesResponse *)fake_call_answer(call);
    assert_int_equal(page->total_count, 1);
    iso_call_unref(call);
    rates.provider = (char *)"not a word";
    call = run(f, "ListEgressRates", &rates.base);
    assert_int_equal(fake_call_error(call)->status, ISO_E_INVALID);
    assert_string_equal(fake_call_error(call)->field, "provider");
    iso_call_unref(call);

    overlays.page_size = 1;
    call = run(f, "ListOverlays", &overlays.base);
    assert_ok(call);
    const Isocost__V1__ListOverlaysResponse *list =
        (const Isocost__V1__ListOverlaysResponse *)fake_call_answer(call);
    assert_int_equal(list->n_overlays, 1);
    assert_int_equal(list->total_count, 2);
    assert_string_equal(list->overlays[0]->note, "c1");
    assert_string_equal(list->overlays[0]->valid_from, "2026-07-01");
    assert_string_not_equal(list->next_page_token, "");
    iso_call_unref(call);

    iso_call_unref(import(f, second, 2, false));
    call = run(f, "DiffSnapshots", &diff.base);
    assert_ok(call);
    const Isocost__V1__DiffSnapshotsResponse *changes =
        (const Isocost__V1__DiffSnapshotsResponse *)fake_call_answer(call);
    static const struct {
        const char *what;
        Isocost__V1__OfferingDifference difference;
    } expected[] = {
        {"aws/* > aws from 0 GB", ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_NEW},
        {"aws/* > internet from 0 GB",
         ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_CHEAPER},
        {"aws/* > internet from 10240 GB",
         ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_GONE}};
    assert_int_equal(changes->n_changes, 0);
    assert_int_equal(changes->n_egress_rate_changes, ISO_ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(expected); i++) {
        assert_string_equal(changes->egress_rate_changes[i]->offering, expected[i].what);
        assert_int_equal(changes->egress_rate_changes[i]->difference, expected[i].difference);
    }
    assert_true(fabs(changes->egress_rate_changes[1]->ratio - (0.08 / 0.09 - 1)) < 1e-12);
    assert_int_equal(changes->n_overlay_changes, 2);
    bool gone_first = changes->overlay_changes[0]->difference ==
                      ISOCOST__V1__OFFERING_DIFFERENCE__OFFERING_DIFFERENCE_GONE;
    assert_non_null(strstr(changes->overlay_changes[!gone_first]->offering, "\"note\":\"c1\""));
    assert_non_null(strstr(changes->overlay_changes[gone_first]->offering, "\"note\":\"c3\""));
    assert_false(changes->overlays_reordered);
    iso_call_unref(call);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refresh_ends_in_a_snapshot),
        TEST(a_bad_host_leaves_the_last_snapshot_alone),
        TEST(one_bad_provider_does_not_hold_up_the_others),
        TEST(a_provider_whose_rows_are_all_useless_has_failed),
        TEST(providers_are_asked_side_by_side),
        TEST(a_provider_that_crashes_five_times_is_left_alone_until_asked_by_name),
        TEST(rows_that_may_not_be_used_are_counted),
        TEST(a_cancelled_refresh_ends_soon),
        TEST(stopping_ends_a_refresh_under_way),
        TEST(a_plugin_that_others_may_write_is_refused),
        TEST(a_secret_that_others_may_read_is_refused),
        TEST(a_provider_with_an_interval_is_refreshed_by_itself),
        TEST(a_wrong_configuration_names_the_field),
        TEST(offerings_are_listed_in_pages_of_one_snapshot),
        TEST(snapshots_are_listed_newest_first),
        TEST(what_is_not_configured_is_said),
        TEST(an_import_replaces_the_rows_of_its_providers),
        TEST(a_bad_import_changes_nothing),
        TEST(overlays_belong_to_the_tenant_that_imports_them),
        TEST(overlays_and_rates_are_listed_in_pages_and_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
