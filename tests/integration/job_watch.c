#include "job_watch.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/proto/json.h"

#define PATIENCE_S 30
#define EXAMPLE_BYTES (256u << 10)

static struct iso_arena *plan_arena;

static double to_double(const Google__Type__Money *money)
{
    return money ? (double)money->units + 1e-9 * money->nanos : 0;
}

static void on_accepted(void *context, int queue_position)
{
    struct watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    watch->n_accepted++;
    watch->queue_position = queue_position;
    watch->order_broken |= watch->n_progress > 0 || watch->n_done > 0;
    pthread_mutex_unlock(&watch->lock);
}

static void on_progress(void *context, const Isocost__V1__SolveProgress *progress)
{
    struct watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    watch->n_progress++;
    watch->order_broken |= watch->n_accepted != 1 || watch->n_done > 0;
    watch->last_seconds = progress->seconds;
    if (progress->opt_value_case)
        watch->last_value = progress->value;
    snprintf(watch->last_tier, sizeof(watch->last_tier), "%s", progress->tier);
    if (progress->incumbent) {
        watch->n_incumbents++;
        watch->incumbent_cost = to_double(progress->incumbent->cost);
    }
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

static void on_chunk(void *context, const unsigned char *bytes, size_t n_bytes)
{
    struct watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    size_t room = sizeof(watch->file) - 1 - strlen(watch->file);
    strncat(watch->file, (const char *)bytes, n_bytes < room ? n_bytes : room);
    pthread_mutex_unlock(&watch->lock);
}

static void note_plan(struct watch *watch, const Isocost__V1__Plan *plan)
{
    if (plan_arena) {
        size_t n_bytes = isocost__v1__plan__get_packed_size(plan);
        uint8_t *bytes = iso_calloc(n_bytes, 1);
        isocost__v1__plan__pack(plan, bytes);
        watch->plan = isocost__v1__plan__unpack(iso_arena_allocator(plan_arena), n_bytes, bytes);
        free(bytes);
    }
    watch->reason = plan->termination->reason;
    watch->stopped_by = plan->termination->stopped_by;
    snprintf(watch->detail, sizeof(watch->detail), "%s", plan->termination->detail);
    watch->cost = to_double(plan->cost);
    watch->n_lines = (int)plan->n_lines;
    watch->n_warnings = (int)plan->n_warnings;
    if (plan->n_warnings > 0)
        snprintf(watch->text, sizeof(watch->text), "%s", plan->warnings[plan->n_warnings - 1]);
    if (plan->stats)
        watch->cpu_seconds = plan->stats->cpu_seconds;
    if (plan->digests)
        snprintf(watch->digest, sizeof(watch->digest), "%s", plan->digests->plan);
}

static void on_done(void *context, const struct iso_job_result *result)
{
    struct watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    watch->n_done++;
    watch->order_broken |= watch->n_accepted != 1;
    watch->status = result->status;
    snprintf(watch->text, sizeof(watch->text), "%s", result->error.text);
    snprintf(watch->field, sizeof(watch->field), "%s", result->error.field);
    watch->n_violations = result->violations ? result->violations->n : 0;
    if (result->plan)
        note_plan(watch, result->plan);
    if (result->validation)
        watch->columns = (double)result->validation->stats->columns;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

/* The model and all it points to; one at a time, which is enough: submit copies it. */
Isocost__V1__Model *watch_model(const char *part, double time_limit_s)
{
    static char provider[] = "aws", type[] = "m6i.large", dollar[] = "USD", period_id[] = "p1",
                workload_id[] = "web", name[64];
    static Isocost__V1__Model model;
    static Isocost__V1__Catalog catalog;
    static Isocost__V1__Offering offering, *offerings = &offering;
    static Google__Type__Money price;
    static Isocost__V1__Period period, *periods = &period;
    static Isocost__V1__Workload workload, *workloads = &workload;
    static Isocost__V1__ThroughputDemand demand;
    static Isocost__V1__Performance performance, *performances = &performance;
    static Isocost__V1__Currency currency;
    static Isocost__V1__Options options;
    static double rate = 100;

    isocost__v1__model__init(&model);
    isocost__v1__catalog__init(&catalog);
    isocost__v1__offering__init(&offering);
    google__type__money__init(&price);
    isocost__v1__period__init(&period);
    isocost__v1__workload__init(&workload);
    isocost__v1__throughput_demand__init(&demand);
    isocost__v1__performance__init(&performance);
    isocost__v1__currency__init(&currency);
    isocost__v1__options__init(&options);

    price.currency_code = dollar;
    price.units = 1;
    offering.provider = provider;
    offering.type = type;
    offering.purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND;
    offering.price = &price;
    catalog.n_offerings = 1;
    catalog.offerings = &offerings;
    period.id = period_id;
    period.hours = 720;
    performance.rate_case = ISOCOST__V1__PERFORMANCE__RATE_PER_INSTANCE;
    performance.per_instance = 10;
    demand.n_rate = 1;
    demand.rate = &rate;
    demand.n_performance = 1;
    demand.performance = &performances;
    workload.id = workload_id;
    workload.service_case = ISOCOST__V1__WORKLOAD__SERVICE_MUST_SERVE;
    workload.must_serve = true;
    workload.demand_case = ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT;
    workload.throughput = &demand;
    currency.base_currency = dollar;
    options.time_limit_seconds = time_limit_s;
    snprintf(name, sizeof(name), "%s", part);
    model.display_name = name;
    model.catalog = &catalog;
    model.n_periods = 1;
    model.periods = &periods;
    model.n_workloads = 1;
    model.workloads = &workloads;
    model.currency = &currency;
    model.options = &options;
    return &model;
}

Isocost__V1__Model *watch_read_model(const char *yaml, struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    ProtobufCMessage *message = NULL;
    struct iso_error error = {0};

    if (iso_yaml_read(&isocost__v1__model__descriptor, yaml, strlen(yaml), arena, &violations,
                      &message, &error) != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
    return (Isocost__V1__Model *)message;
}

Isocost__V1__Model *watch_read_example(const char *name, struct iso_arena *arena)
{
    char path[4096], *text = iso_arena_calloc(arena, 1, EXAMPLE_BYTES);
    const char *source = getenv("ISO_SOURCE");

    snprintf(path, sizeof(path), "%s/docs/examples/%s", source ? source : "", name);
    FILE *file = fopen(path, "re");
    if (!file || !text)
        fail_msg("%s cannot be read", path);
    assert_true(fread(text, 1, EXAMPLE_BYTES - 1, file) > 0);
    fclose(file);
    return watch_read_model(text, arena);
}

void watch_keep_plans(struct iso_arena *arena)
{
    plan_arena = arena;
}

void watch_submit(struct iso_supervisor *supervisor, struct watch *watch,
                  const struct iso_job_request *request)
{
    struct iso_job_request with_calls = *request;
    struct iso_error error = {0};

    memset(watch, 0, sizeof(*watch));
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->changed, NULL);
    with_calls.context = watch;
    with_calls.accepted = on_accepted;
    with_calls.progress = on_progress;
    with_calls.export_chunk = on_chunk;
    with_calls.done = on_done;
    struct iso_job *job = NULL;
    if (iso_supervisor_submit(supervisor, &with_calls, &job, &error) != ISO_OK)
        fail_msg("%s", error.text);
    watch->job = job;
}

void watch_solve(struct iso_supervisor *supervisor, struct watch *watch, const char *part,
                 double time_limit_s)
{
    watch_submit(supervisor, watch,
                 &(struct iso_job_request){.mode = ISO_JOB_SOLVE,
                                           .model = watch_model(part, time_limit_s),
                                           .snapshot_fd = -1});
}

static void wait_until(struct watch *watch, int n_done, int n_progress, int n_incumbents)
{
    struct timespec until;
    int status = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&watch->lock);
    while (status == 0 && (watch->n_done < n_done || watch->n_progress < n_progress ||
                           watch->n_incumbents < n_incumbents))
        status = pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
    pthread_mutex_unlock(&watch->lock);
    assert_int_equal(status, 0);
}

void watch_wait(struct watch *watch)
{
    wait_until(watch, 1, 0, 0);
    iso_job_release(watch->job);
    watch->job = NULL;
    assert_int_equal(watch->n_done, 1);
    assert_int_equal(watch->n_accepted, 1);
    assert_false(watch->order_broken);
}

bool watch_plan_or_kill(struct watch *watch, double cost)
{
    watch_wait(watch);
    if (watch->status == ISO_OK) {
        assert_true(watch->cost == cost);
        return true;
    }
    assert_int_equal(watch->status, ISO_E_UNAVAILABLE);
    assert_non_null(strstr(watch->text, "signal 9"));
    return false;
}

void watch_wait_progress(struct watch *watch, int n_progress, int n_incumbents)
{
    wait_until(watch, 0, n_progress, n_incumbents);
}

double watch_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int watch_count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n - 3; /* itself, `.` and `..` */
}

int watch_children(bool zombies, int room, int *ret_pids)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;
    int n = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[300], state;
        int pid, parent;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        if (fscanf(file, "%d (%*[^)]) %c %d", &pid, &state, &parent) == 3 && parent == getpid() &&
            (state == 'Z') == zombies && n < room)
            ret_pids[n++] = pid;
        fclose(file);
    }
    closedir(folder);
    return n;
}
