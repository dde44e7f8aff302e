/* The digest of a plan; docs/reference/digests.md has the bytes. */
#include <endian.h>

#include "isocost/proto/digest.h"
#include "plan_parts.h"

#define HELD_BYTES 32768

/* What has names; each kind is numbered apart. */
enum named {
    NAMED_CURRENCY,
    NAMED_WORKLOAD,
    NAMED_TEAM,
    NAMED_OFFERING,
    NAMED_PRODUCT,
    NAMED_PLACE,
    N_NAMED
};

struct hasher {
    const struct iso_problem *problem;
    struct iso_sha256 sha;
    uint32_t *numbers[N_NAMED]; /* of each thing of a kind, from 1; 0: not named yet */
    uint32_t n_named[N_NAMED];
    size_t n_held;
    unsigned char held[HELD_BYTES];
};

static void flush(struct hasher *hasher)
{
    iso_sha256_update(&hasher->sha, hasher->held, hasher->n_held);
    hasher->n_held = 0;
}

static void add(struct hasher *hasher, const void *bytes, size_t n_bytes)
{
    if (n_bytes > HELD_BYTES - hasher->n_held)
        flush(hasher);
    if (n_bytes > HELD_BYTES) {
        iso_sha256_update(&hasher->sha, bytes, n_bytes);
        return;
    }
    memcpy(hasher->held + hasher->n_held, bytes, n_bytes);
    hasher->n_held += n_bytes;
}

/* Little-endian, as small numbers. */
static void add_number(struct hasher *hasher, int64_t number)
{
    uint64_t bytes = htole64((uint64_t)number);

    if (hasher->n_held > HELD_BYTES - sizeof(bytes))
        flush(hasher);
    memcpy(hasher->held + hasher->n_held, &bytes, sizeof(bytes));
    hasher->n_held += sizeof(bytes);
}

static void add_small(struct hasher *hasher, int32_t number)
{
    uint32_t bytes = htole32((uint32_t)number);

    if (hasher->n_held > HELD_BYTES - sizeof(bytes))
        flush(hasher);
    memcpy(hasher->held + hasher->n_held, &bytes, sizeof(bytes));
    hasher->n_held += sizeof(bytes);
}

/* A thing's number, and its name when it is the first time; -1: no thing. */
static void add_name(struct hasher *hasher, enum named kind, int32_t thing, const char *name)
{
    bool known = thing < 0 || hasher->numbers[kind][thing] != 0;

    if (!known)
        hasher->numbers[kind][thing] = ++hasher->n_named[kind];
    add_small(hasher, thing < 0 ? 0 : (int32_t)hasher->numbers[kind][thing]);
    if (!known)
        add(hasher, name, strlen(name) + 1);
}

static void add_names(struct hasher *hasher, const struct iso_plan *plan,
                      const struct iso_line *line)
{
    const struct iso_problem *problem = hasher->problem;
    int32_t workload = line->cell < problem->n_workloads ? line->cell : -1, from = -1, to = -1;
    int32_t team = line->cell < 0 ? -1 : iso_cell_team(problem, line->cell);

    if (line->kind == ISO_LINE_EGRESS) {
        workload = plan->flows[line->start / ISO_N_DIRECTIONS].workload;
        iso_plan_egress_places(problem, plan, line, &from, &to);
    }
    add_name(hasher, NAMED_CURRENCY, line->currency, problem->currencies[line->currency].code);
    add_name(hasher, NAMED_WORKLOAD, workload, workload < 0 ? "" : problem->workloads[workload].id);
    add_name(hasher, NAMED_TEAM, team, team < 0 ? "" : problem->teams[team].id);
    add_name(hasher, NAMED_OFFERING, line->offering,
             line->offering < 0 ? "" : problem->offerings[line->offering].id);
    add_name(hasher, NAMED_PRODUCT, line->product,
             line->product < 0 ? "" : problem->products[line->product].id);
    add_name(hasher, NAMED_PLACE, from, from < 0 ? "" : iso_problem_place_name(problem, from));
    add_name(hasher, NAMED_PLACE, to, to < 0 ? "" : iso_problem_place_name(problem, to));
}

static void add_line(struct hasher *hasher, const struct iso_plan *plan,
                     const struct iso_line *line)
{
    static const int32_t kinds[] = {
        [ISO_LINE_INSTANCE] = ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE,
        [ISO_LINE_FEE] = ISOCOST__V1__LINE_KIND__LINE_KIND_COMMITMENT_FEE,
        [ISO_LINE_UPFRONT] = ISOCOST__V1__LINE_KIND__LINE_KIND_UPFRONT_SHARE,
        [ISO_LINE_MOVE] = ISOCOST__V1__LINE_KIND__LINE_KIND_MOVE,
        [ISO_LINE_VOLUME] = ISOCOST__V1__LINE_KIND__LINE_KIND_VOLUME,
        [ISO_LINE_EGRESS] = ISOCOST__V1__LINE_KIND__LINE_KIND_EGRESS};
    iso_decimal served = line->kind == ISO_LINE_EGRESS
                             ? plan->flows[line->start / ISO_N_DIRECTIONS].amount
                             : line->served;
    const int64_t numbers[] = {line->quantity, line->unit_price, line->hours,
                               line->rate,     line->cost,       served};

    add_small(hasher, kinds[line->kind]);
    add_small(hasher, line->period);
    add_small(hasher, line->n_periods);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(numbers); i++)
        add_number(hasher, numbers[i]);
    add_names(hasher, plan, line);
}

static void add_parts(struct hasher *hasher, struct iso_line_parts *parts,
                      const struct iso_line *line)
{
    const struct iso_problem *problem = hasher->problem;
    const struct iso_cover **covers;
    const struct iso_fill **fills;
    int32_t n_covers = iso_line_covers(parts, line, &covers);
    int32_t n_fills = iso_line_fills(parts, line, &fills);

    add_small(hasher, n_covers);
    for (int32_t i = 0; i < n_covers; i++) {
        add_name(hasher, NAMED_PRODUCT, covers[i]->product,
                 problem->products[covers[i]->product].id);
        add_number(hasher, covers[i]->instances);
    }
    add_small(hasher, n_fills);
    for (int32_t i = 0; i < n_fills; i++) {
        add_number(hasher, fills[i]->instances);
        add_small(hasher, fills[i]->n_entries);
        for (int32_t e = 0; e < fills[i]->n_entries; e++) {
            const struct iso_fill_entry *entry = &parts->plan->entries[fills[i]->first_entry + e];
            add_name(hasher, NAMED_WORKLOAD, entry->workload,
                     problem->workloads[entry->workload].id);
            add_small(hasher, entry->count);
        }
    }
}

static struct hasher *hasher_new(const struct iso_problem *problem, struct iso_arena *arena)
{
    const int32_t counts[N_NAMED] = {
        [NAMED_CURRENCY] = problem->n_currencies, [NAMED_WORKLOAD] = problem->n_workloads,
        [NAMED_TEAM] = problem->n_teams,          [NAMED_OFFERING] = problem->n_offerings,
        [NAMED_PRODUCT] = problem->n_products,    [NAMED_PLACE] = iso_problem_n_places(problem)};
    struct hasher *hasher = iso_arena_calloc(arena, 1, sizeof(*hasher));

    if (!hasher)
        return NULL;
    hasher->problem = problem;
    iso_sha256_init(&hasher->sha);
    for (size_t i = 0; i < N_NAMED; i++) {
        hasher->numbers[i] = iso_arena_calloc(arena, (size_t)counts[i], sizeof(uint32_t));
        if (!hasher->numbers[i])
            return NULL;
    }
    return hasher;
}

/* Of the message with termination, stages and commitments only. */
static bool digest_core(const Isocost__V1__Plan *message, char digest[ISO_DIGEST_TEXT_SIZE])
{
    Isocost__V1__Plan core = ISOCOST__V1__PLAN__INIT;

    core.termination = message->termination;
    core.n_tiers = message->n_tiers;
    core.tiers = message->tiers;
    core.n_commitments = message->n_commitments;
    core.commitments = message->commitments;
    return iso_message_digest(&core.base, NULL, digest, NULL) == ISO_OK;
}

char *iso_plan_digest(const struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    struct hasher *hasher = hasher_new(writer->problem, writer->arena);
    unsigned char hash[ISO_SHA256_BYTES];
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_line_parts parts;

    if (!hasher || !digest_core(writer->message, digest) || !iso_line_parts_init(writer, &parts))
        return NULL;
    add(hasher, digest, strlen(digest));
    add(hasher, "\n", 1);
    add_small(hasher, plan->n_lines);
    for (int32_t i = 0; i < plan->n_lines; i++) {
        add_line(hasher, plan, &plan->lines[i]);
        add_parts(hasher, &parts, &plan->lines[i]);
    }
    flush(hasher);
    iso_sha256_final(&hasher->sha, hash);
    return iso_arena_strdup(writer->arena, iso_digest_text(hash, digest));
}
