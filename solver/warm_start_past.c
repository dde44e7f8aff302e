/* Starts in the past: of each kind of problem a few, the one that was begun from last first.
 *
 * A kind has one entry, a list of starts. In front of each are its marks, a number for each thing
 * that may change from problem to problem without a change of names: two problems differ by as many
 * marks as differ. The start that a problem began from stays first, so that the base of many
 * scenarios outlives them; its own comes next, and the last goes when there are too many. */
#include <stdlib.h>

#include "warm_start.h"

#define MOST_STARTS 4

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a start");
}

void iso_warm_start_fini(struct iso_warm_start *start)
{
    void *const arrays[] = {start->plan.items, start->duals.items, start->columns_in.items,
                            start->rows_out.items};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    *start = (struct iso_warm_start){0};
}

/* --- what a problem is about --- */

static void add_number(struct iso_sha256 *sha, int64_t number)
{
    iso_sha256_update(sha, &number, sizeof(number));
}

static void add_text(struct iso_sha256 *sha, const char *text)
{
    iso_sha256_update(sha, text, strlen(text) + 1);
}

static void add_workload(struct iso_sha256 *sha, const struct iso_workload *workload)
{
    const int32_t sizes[] = {workload->n_options, workload->n_shares,     workload->n_survive,
                             workload->n_spread,  workload->n_affinities, workload->n_traffic,
                             workload->replicas,  workload->team};

    add_text(sha, workload->id);
    iso_sha256_update(sha, sizes, sizeof(sizes));
    for (int32_t i = 0; i < workload->n_options; i++)
        iso_sha256_update(sha, &workload->options[i].offering, sizeof(int32_t));
}

static void find_key(const struct iso_past *past, const struct iso_problem *problem,
                     struct iso_past_key *ret_key)
{
    struct iso_sha256 sha;

    iso_past_key_begin(past, "start", &sha);
    add_number(&sha, problem->n_periods);
    add_number(&sha, problem->n_offerings);
    for (int32_t o = 0; o < problem->n_offerings; o++)
        add_text(&sha, problem->offerings[o].id);
    add_number(&sha, problem->n_workloads);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        add_workload(&sha, &problem->workloads[a]);
    add_number(&sha, problem->n_limits);
    for (int32_t l = 0; l < problem->n_limits; l++)
        add_text(&sha, problem->limits[l].id);
    add_number(&sha, problem->n_budgets);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        add_text(&sha, problem->budgets[b].id);
    add_number(&sha, problem->n_products);
    for (int32_t c = 0; c < problem->n_products; c++)
        add_text(&sha, problem->products[c].id);
    iso_past_key_end(&sha, ret_key);
}

/* --- what problems of a kind differ by --- */

/* FNV-1a; which start is nearest is a guess in any case. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t n_bytes)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < n_bytes; i++)
        hash = (hash ^ at[i]) * 1099511628211u;
    return hash;
}

static uint64_t mark_of(const void *bytes, size_t n_bytes)
{
    return mix(14695981039346656037u, bytes, n_bytes);
}

/* Of the prices of what a workload may use; with rates, so that exchange counts as a price. */
static uint64_t mark_of_prices(const struct iso_problem *problem,
                               const struct iso_workload *workload, const uint64_t *rates)
{
    uint64_t mark = mark_of(NULL, 0);

    for (int32_t i = 0; i < workload->n_options; i++) {
        const struct iso_offering *offering = &problem->offerings[workload->options[i].offering];
        const uint64_t parts[] = {(uint64_t)offering->price, rates[offering->currency],
                                  (uint64_t)workload->options[i].served};
        mark = mix(mark, parts, sizeof(parts));
    }
    return mark;
}

static int32_t n_marks_of(const struct iso_problem *problem)
{
    return 2 * problem->n_workloads + problem->n_limits + problem->n_budgets + 1;
}

/* n_marks_of() marks. False when memory is short. */
static bool find_marks(const struct iso_problem *problem, uint64_t *marks)
{
    ISO_AUTO_MEM uint64_t *rates = iso_calloc((size_t)problem->n_currencies, sizeof(*rates));
    size_t row = (size_t)problem->n_periods * sizeof(iso_decimal);

    if (!rates)
        return false;
    for (int32_t c = 0; c < problem->n_currencies; c++)
        rates[c] = mark_of(problem->currencies[c].rate_to_base, row);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        *marks++ = mark_of(problem->workloads[a].required, row);
        *marks++ = mark_of_prices(problem, &problem->workloads[a], rates);
    }
    for (int32_t l = 0; l < problem->n_limits; l++)
        *marks++ = mark_of(&problem->limits[l].bound, sizeof(iso_decimal));
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        *marks = mark_of(NULL, 0);
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
            *marks = mix(*marks, &problem->budgets[b].windows[w].amount, sizeof(iso_decimal));
        marks++;
    }
    *marks = mark_of(NULL, 0);
    for (int32_t e = 0; e < problem->n_price_exceptions; e++) {
        const struct iso_price_exception *one = &problem->price_exceptions[e];
        const int64_t parts[] = {one->offering, one->period, one->price};
        *marks = mix(*marks, parts, sizeof(parts));
    }
    return true;
}

/* --- lists of starts --- */

/* Of a start, in front of its marks and lists. */
struct head {
    uint64_t n_bytes; /* head included */
    int32_t n_marks, n_plan, n_duals, n_columns_in, n_rows_out;
};

struct shelf {
    int32_t n;
    const unsigned char *starts[MOST_STARTS];
};

static struct head head_of(const unsigned char *start)
{
    struct head head;

    memcpy(&head, start, sizeof(head));
    return head;
}

static struct shelf open_shelf(const unsigned char *bytes, size_t n_bytes)
{
    struct shelf shelf = {0};

    for (const unsigned char *at = bytes; at && at < bytes + n_bytes; at += head_of(at).n_bytes)
        shelf.starts[shelf.n++] = at;
    return shelf;
}

static int32_t n_different(const unsigned char *start, const uint64_t *marks, int32_t n)
{
    int32_t different = 0;

    for (int32_t i = 0; i < n; i++)
        different += memcmp(start + sizeof(struct head) + (size_t)i * sizeof(*marks), &marks[i],
                            sizeof(*marks)) != 0;
    return different;
}

/* The first of those that differ least. */
static int32_t nearest(const struct shelf *shelf, const uint64_t *marks, int32_t n_marks,
                       int32_t *ret_different)
{
    int32_t best = -1;

    for (int32_t i = 0; i < shelf->n; i++) {
        int32_t different = n_different(shelf->starts[i], marks, n_marks);
        if (best < 0 || different < *ret_different) {
            best = i;
            *ret_different = different;
        }
    }
    return best;
}

static bool take_list(const unsigned char **io_bytes, int32_t n, size_t size, void *array_pointer)
{
    void *array = iso_calloc((size_t)n, size);

    if (!array)
        return false;
    memcpy(array, *io_bytes, (size_t)n * size);
    memcpy(array_pointer, &array, sizeof(array));
    *io_bytes += (size_t)n * size;
    return true;
}

static bool from_bytes(const unsigned char *bytes, struct iso_warm_start *start)
{
    const size_t name = sizeof(struct iso_mip_name), value = sizeof(struct iso_named_value);
    struct head head = head_of(bytes);

    bytes += sizeof(head) + (size_t)head.n_marks * sizeof(uint64_t);
    start->plan.n = head.n_plan;
    start->duals.n = head.n_duals;
    start->columns_in.n = head.n_columns_in;
    start->rows_out.n = head.n_rows_out;
    return take_list(&bytes, head.n_plan, value, &start->plan.items) &&
           take_list(&bytes, head.n_duals, value, &start->duals.items) &&
           take_list(&bytes, head.n_columns_in, name, &start->columns_in.items) &&
           take_list(&bytes, head.n_rows_out, name, &start->rows_out.items);
}

static void put(unsigned char **io_bytes, const void *items, int32_t n, size_t size)
{
    if (n > 0)
        memcpy(*io_bytes, items, (size_t)n * size);
    *io_bytes += (size_t)n * size;
}

static void to_bytes(unsigned char **io_bytes, struct head head, const uint64_t *marks,
                     const struct iso_warm_start *start)
{
    put(io_bytes, &head, 1, sizeof(head));
    put(io_bytes, marks, head.n_marks, sizeof(*marks));
    put(io_bytes, start->plan.items, head.n_plan, sizeof(*start->plan.items));
    put(io_bytes, start->duals.items, head.n_duals, sizeof(*start->duals.items));
    put(io_bytes, start->columns_in.items, head.n_columns_in, sizeof(*start->columns_in.items));
    put(io_bytes, start->rows_out.items, head.n_rows_out, sizeof(*start->rows_out.items));
}

enum iso_status iso_warm_start_recall(struct iso_past *past, const struct iso_problem *problem,
                                      struct iso_warm_start *start, struct iso_error *reterr)
{
    int32_t n_marks = n_marks_of(problem), different = 0;
    ISO_AUTO_MEM uint64_t *marks = iso_calloc((size_t)n_marks, sizeof(*marks));
    struct iso_past_key key;
    size_t n_bytes;

    *start = (struct iso_warm_start){0};
    if (!past)
        return ISO_OK;
    if (!marks || !find_marks(problem, marks))
        return no_memory(reterr);
    find_key(past, problem, &key);
    const void *bytes = iso_past_find(past, &key, &n_bytes);
    if (!bytes)
        return ISO_OK;
    struct shelf shelf = open_shelf(bytes, n_bytes);
    start->known = true;
    return from_bytes(shelf.starts[nearest(&shelf, marks, n_marks, &different)], start)
               ? ISO_OK
               : no_memory(reterr);
}

/* The new start after the one that it was begun from, or in its place when it is of the same
 * problem; then the others. */
static enum iso_status keep(struct iso_past *past, const struct iso_past_key *key,
                            const uint64_t *marks, struct head head,
                            const struct iso_warm_start *start, struct iso_error *reterr)
{
    size_t n_bytes = 0;
    const void *bytes = iso_past_find(past, key, &n_bytes);
    struct shelf shelf = open_shelf(bytes, bytes ? n_bytes : 0);
    int32_t different = 0, origin = nearest(&shelf, marks, head.n_marks, &different), n = 1;
    ISO_AUTO_MEM unsigned char *all = iso_calloc(n_bytes + head.n_bytes, 1);
    unsigned char *at = all;

    if (!all)
        return no_memory(reterr);
    if (origin >= 0 && different > 0) {
        put(&at, shelf.starts[origin], 1, head_of(shelf.starts[origin]).n_bytes);
        n++;
    }
    to_bytes(&at, head, marks, start);
    for (int32_t i = 0; i < shelf.n && n < MOST_STARTS; i++)
        if (i != origin) {
            put(&at, shelf.starts[i], 1, head_of(shelf.starts[i]).n_bytes);
            n++;
        }
    iso_past_keep(past, key, all, (size_t)(at - all));
    return ISO_OK;
}

enum iso_status iso_warm_start_keep(struct iso_past *past, const struct iso_problem *problem,
                                    const struct iso_warm_start *start, struct iso_error *reterr)
{
    struct head head = {.n_marks = n_marks_of(problem),
                        .n_plan = start->plan.n,
                        .n_duals = start->duals.n,
                        .n_columns_in = start->columns_in.n,
                        .n_rows_out = start->rows_out.n};
    ISO_AUTO_MEM uint64_t *marks = iso_calloc((size_t)head.n_marks, sizeof(*marks));
    struct iso_past_key key;

    head.n_bytes = sizeof(head) + (size_t)head.n_marks * sizeof(*marks) +
                   (size_t)(head.n_plan + head.n_duals) * sizeof(struct iso_named_value) +
                   (size_t)(head.n_columns_in + head.n_rows_out) * sizeof(struct iso_mip_name);
    if (!marks || !find_marks(problem, marks))
        return no_memory(reterr);
    find_key(past, problem, &key);
    return keep(past, &key, marks, head, start, reterr);
}
