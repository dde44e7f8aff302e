#include "solver_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"

#define ANSWER_BYTES ((size_t)1 << 30) /* ceiling of the memory for one plan on its way */
#define PATIENCE_S 0.1                 /* after a stop */
#define POLL_MS 5

/* One process: which parts it has and where its answers come from. */
struct worker {
    pid_t pid; /* 0: this process */
    int fd;    /* to read; -1 none */
    double load;
};

struct crew {
    const struct iso_control *control;
    const struct iso_problem *const *parts;
    int32_t n;
    bool explain;
    int32_t *order;  /* parts, largest first */
    int32_t *worker; /* of each part */
    int n_workers;
    struct worker *workers;
    struct iso_plan **plans;
    double stop_s; /* when a stop was seen; 0 = not yet */
};

static volatile sig_atomic_t told_to_stop;

static void on_signal(int signal)
{
    (void)signal;
    told_to_stop = 1;
}

static enum iso_stop child_stop(void *context)
{
    (void)context;
    return told_to_stop ? ISO_STOP_CANCEL : 0;
}

static int larger_first(const void *left, const void *right, void *context)
{
    const struct crew *crew = context;
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    int64_t size = iso_problem_n_columns(crew->parts[a]);
    int64_t other = iso_problem_n_columns(crew->parts[b]);

    return size != other ? (size > other ? -1 : 1) : (a > b) - (a < b);
}

/* Each part to whoever has least to do (R. L. Graham, SIAM Journal on Applied Mathematics 17,
 * 1969). */
static void share_out(struct crew *crew)
{
    for (int32_t i = 0; i < crew->n; i++)
        crew->order[i] = i;
    qsort_r(crew->order, (size_t)crew->n, sizeof(*crew->order), larger_first, crew);
    for (int32_t i = 0; i < crew->n; i++) {
        int least = 0;
        for (int w = 1; w < crew->n_workers; w++)
            if (crew->workers[w].load < crew->workers[least].load)
                least = w;
        crew->worker[crew->order[i]] = least;
        crew->workers[least].load += (double)iso_problem_n_columns(crew->parts[crew->order[i]]);
    }
}

/* Solves the parts of one worker, smallest first, each with its share of the time that is left, and
 * gives the plans to take(). */
static enum iso_status work(struct crew *crew, int w, const struct iso_control *control,
                            bool (*take)(struct crew *, int32_t, struct iso_plan *, int), int fd,
                            struct iso_error *reterr)
{
    double begin_s = control->now(control->context), load = crew->workers[w].load;

    for (int32_t i = crew->n - 1; i >= 0; i--) {
        int32_t k = crew->order[i];
        struct iso_problem part = *crew->parts[k];
        double left = part.options.time_limit_s - (control->now(control->context) - begin_s);
        double size = (double)iso_problem_n_columns(&part);
        struct iso_plan *plan = NULL;
        if (crew->worker[k] != w)
            continue;
        part.options.time_limit_s = left > 1e-3 ? left * (load > 0 ? size / load : 1) : 1e-3;
        load -= size;
        ISO_TRY(iso_solve_part(&part, control, crew->explain, &plan, reterr));
        if (!take(crew, k, plan, fd))
            return iso_fail(reterr, ISO_E_IO, "", "a part's plan cannot be sent");
    }
    return ISO_OK;
}

static bool keep(struct crew *crew, int32_t k, struct iso_plan *plan, int fd)
{
    (void)fd;
    crew->plans[k] = plan;
    return true;
}

static bool write_all(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t written = write(fd, at, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        n -= (size_t)written;
    }
    return true;
}

/* Sends {part, bytes, answer}. */
static bool send_plan(struct crew *crew, int32_t k, struct iso_plan *plan, int fd)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ANSWER_BYTES);
    Isocost__Internal__V1__Answer *answer = arena ? iso_answer_from_plan(plan, arena) : NULL;
    uint64_t head[2] = {(uint64_t)k, 0};

    (void)crew;
    iso_plan_free(plan);
    if (!answer)
        return false;
    head[1] = isocost__internal__v1__answer__get_packed_size(answer);
    ISO_AUTO_MEM uint8_t *bytes = iso_calloc(head[1], 1);
    if (!bytes)
        return false;
    isocost__internal__v1__answer__pack(answer, bytes);
    return write_all(fd, head, sizeof(head)) && write_all(fd, bytes, head[1]);
}

/* The child: dies with its parent, stops when told, answers through the pipe and holds nothing
 * else. */
static _Noreturn void be_child(struct crew *crew, int w, pid_t parent, int fd)
{
    const struct iso_control control = {.context = crew->control->context,
                                        .past = crew->control->past, /* what it adds is lost */
                                        .now = crew->control->now,
                                        .stop = child_stop};
    const struct sigaction action = {.sa_handler = on_signal};
    struct iso_error error = {0};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        sigaction(SIGTERM, &action, NULL) < 0)
        _exit(1);
    _exit(work(crew, w, &control, send_plan, fd, &error) == ISO_OK ? 0 : 1);
}

static enum iso_status start(struct crew *crew, int w, struct iso_error *reterr)
{
    pid_t parent = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return iso_fail(reterr, ISO_E_IO, "", "no pipe to a part of the solve");
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_child(crew, w, parent, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return iso_fail(reterr, ISO_E_IO, "", "no process for a part of the solve");
    }
    crew->workers[w].pid = pid;
    crew->workers[w].fd = ends[0];
    return ISO_OK;
}

/* Waits until there is something to read; false once patience is at an end. */
static bool wait_for(struct crew *crew, struct worker *worker)
{
    const struct iso_control *control = crew->control;

    for (;;) {
        struct pollfd entry = {.fd = worker->fd, .events = POLLIN};
        if (poll(&entry, 1, POLL_MS) > 0)
            return true;
        if (crew->stop_s == 0 && control->stop && control->stop(control->context)) {
            crew->stop_s = control->now(control->context);
            for (int w = 0; w < crew->n_workers; w++)
                if (crew->workers[w].pid > 0)
                    kill(crew->workers[w].pid, SIGTERM);
        }
        if (crew->stop_s > 0 && control->now(control->context) - crew->stop_s > PATIENCE_S)
            return false;
    }
}

static bool read_all(struct crew *crew, struct worker *worker, void *bytes, size_t n)
{
    for (char *at = bytes; n > 0;) {
        if (!wait_for(crew, worker))
            return false;
        ssize_t got = read(worker->fd, at, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

/* A text that stays: strategies and reasons are a handful of texts, which plans refer to for good.
 * NULL when memory is short. */
static const char *lasting(const char *text)
{
    static char **texts;
    static size_t n;

    for (size_t i = 0; i < n; i++)
        if (strcmp(texts[i], text) == 0)
            return texts[i];
    char **more = iso_realloc(texts, n + 1, sizeof(*texts));
    if (!more)
        return NULL;
    texts = more;
    texts[n] = iso_strdup(text);
    return texts[n] ? texts[n++] : NULL;
}

static bool keep_texts(struct iso_plan *plan)
{
    bool ok = true;

    for (int32_t i = 0; i < plan->n_components; i++) {
        plan->components[i].strategy = lasting(plan->components[i].strategy);
        plan->components[i].why = lasting(plan->components[i].why);
        ok &= plan->components[i].strategy && plan->components[i].why;
    }
    return ok;
}

/* The next plan of a worker; false when there is none any more. */
static bool receive(struct crew *crew, struct worker *worker)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ANSWER_BYTES);
    uint64_t head[2];

    if (!arena || !read_all(crew, worker, head, sizeof(head)) || head[0] >= (uint64_t)crew->n ||
        head[1] > ANSWER_BYTES || crew->plans[head[0]])
        return false;
    ISO_AUTO_MEM uint8_t *bytes = iso_calloc(head[1], 1);
    if (!bytes || !read_all(crew, worker, bytes, head[1]))
        return false;
    Isocost__Internal__V1__Answer *answer =
        isocost__internal__v1__answer__unpack(iso_arena_allocator(arena), head[1], bytes);
    ISO_AUTO(iso_plan) plan = NULL;
    if (!answer || iso_answer_to_plan(answer, crew->parts[head[0]], &plan, NULL) != ISO_OK ||
        !keep_texts(plan))
        return false;
    crew->plans[head[0]] = ISO_STEAL(plan);
    return true;
}

static void finish(struct crew *crew)
{
    for (int w = 0; w < crew->n_workers; w++) {
        struct worker *worker = &crew->workers[w];
        if (worker->pid <= 0)
            continue;
        close(worker->fd);
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
}

static enum iso_status run(struct crew *crew, struct iso_error *reterr)
{
    enum iso_status status = ISO_OK;

    share_out(crew);
    for (int w = 1; w < crew->n_workers && status == ISO_OK; w++)
        status = start(crew, w, reterr);
    if (status == ISO_OK)
        status = work(crew, 0, crew->control, keep, -1, reterr);
    for (int w = 1; w < crew->n_workers && status == ISO_OK; w++)
        while (receive(crew, &crew->workers[w]))
            ;
    finish(crew);
    return status;
}

enum iso_status iso_solver_solve_parts(const struct iso_control *control, int n_processes,
                                       const struct iso_problem *const *parts, int32_t n,
                                       bool explain, struct iso_plan **ret_plans,
                                       struct iso_error *reterr)
{
    int n_workers = n_processes < n ? n_processes : n;
    ISO_AUTO_MEM int32_t *order = iso_calloc((size_t)n, sizeof(*order));
    ISO_AUTO_MEM int32_t *worker = iso_calloc((size_t)n, sizeof(*worker));
    ISO_AUTO_MEM struct worker *workers = iso_calloc((size_t)n_workers, sizeof(*workers));
    struct crew crew = {.control = control,
                        .parts = parts,
                        .n = n,
                        .explain = explain,
                        .order = order,
                        .worker = worker,
                        .n_workers = n_workers,
                        .workers = workers,
                        .plans = ret_plans};

    if (!order || !worker || !workers)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to solve parts side by side");
    return run(&crew, reterr);
}
