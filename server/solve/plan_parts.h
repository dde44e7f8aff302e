/* The pieces of iso_plan_to_proto(). Everything is made in the writer's arena; each piece may leave
 * its part short when the arena is full, which the caller asks once at the end. */
#ifndef ISOCOST_SERVER_PLAN_PARTS_H
#define ISOCOST_SERVER_PLAN_PARTS_H

#include "answer.h"
#include "isocost/proto/money.h"
#include "message_new.h"

struct iso_plan_writer {
    const struct iso_resolved *resolved;
    const struct iso_problem *problem; /* of `resolved` */
    const Isocost__V1__Model *model;
    const struct iso_plan *plan;
    int64_t now_ns;
    struct iso_arena *arena;
    Isocost__V1__Plan *message;
    const struct iso_runner_up **runners_up; /* by (period, cell, chosen) */
    struct iso_cheapest {
        bool known;
        int32_t period, offering; /* -1: no option */
    } * cheapest; /* by workload: the answer for a period, kept for others of the same prices */
};

/* plan_ways_out.c */
void iso_plan_write_ways_out(struct iso_plan_writer *writer);

/* What people call a rule. */
struct iso_rule_name {
    const char *id, *kind;
    const char *text; /* what it asks, one sentence without full stop */
};

/* Whether all indices of a rule exist: explanations are not the verifier's work. */
bool iso_rule_is_known(const struct iso_problem *problem, struct iso_rule rule);
struct iso_rule_name iso_rule_name(const struct iso_plan_writer *writer, struct iso_rule rule);

/* Covers and fills in the order of the lines, so that one pass over the lines finds each line's. */
struct iso_line_parts {
    const struct iso_plan *plan;
    int32_t n_workloads;
    const struct iso_cover **covers; /* by (period, cell, offering, product) */
    const struct iso_fill **fills;   /* by (period, team, offering) */
    int32_t next_cover, next_fill;   /* none before it is of a line to come */
};

/* False when the writer's arena is full. */
bool iso_line_parts_init(const struct iso_plan_writer *writer, struct iso_line_parts *ret_parts);

/* How many covers or fills a line has in its first period, and the first of them. To be asked line
 * by line, in their order. */
int32_t iso_line_covers(struct iso_line_parts *parts, const struct iso_line *line,
                        const struct iso_cover ***ret_first);
int32_t iso_line_fills(struct iso_line_parts *parts, const struct iso_line *line,
                       const struct iso_fill ***ret_first);

/* The first lines, at most as many and no more bytes on the wire; commitments, unserved demand,
 * sums, actions, reliances and ages. */
void iso_plan_write_lines(struct iso_plan_writer *writer, int32_t most_lines, size_t most_bytes);
void iso_plan_write_commitments(struct iso_plan_writer *writer);
void iso_plan_write_unserved(struct iso_plan_writer *writer);
void iso_plan_write_sums(struct iso_plan_writer *writer);
void iso_plan_write_actions(struct iso_plan_writer *writer);
void iso_plan_write_reliances(struct iso_plan_writer *writer);
void iso_plan_write_age(struct iso_plan_writer *writer);

/* What each scenario costs. */
void iso_plan_write_scenarios(struct iso_plan_writer *writer);

/* The number of a budget's window in the model, with scenarios `SCENARIO/NUMBER`; and what its
 * amounts in the problem are parts of: its scenario's probability, 1 without scenarios. */
const char *iso_window_name(const struct iso_plan_writer *writer, int32_t budget, int32_t window);
double iso_window_part(const struct iso_problem *problem, int32_t budget, int32_t window);

/* Rules that are broken as their policy allows, worked out from the lines. */
void iso_plan_write_broken_rules(struct iso_plan_writer *writer);

/* Makes ready what reasons look up, runners-up and the cheapest options; false when the arena is
 * full. Needed by the two below. */
bool iso_plan_open_reasons(struct iso_plan_writer *writer);

/* Why an offering was chosen: the sentence for an INSTANCE line. */
const char *iso_plan_reason(struct iso_plan_writer *writer, const struct iso_line *line);

/* Binding rules, runners-up, baselines, conflicts and relaxations. */
void iso_plan_write_explanations(struct iso_plan_writer *writer);

/* Other plans of nearly the same cost. */
void iso_plan_write_alternatives(struct iso_plan_writer *writer);

/* Id of the workload or team of a cell. */
static inline const char *iso_cell_id(const struct iso_problem *problem, int32_t cell)
{
    return cell < problem->n_workloads ? problem->workloads[cell].id
                                       : problem->teams[cell - problem->n_workloads].id;
}

static inline int32_t iso_cell_team(const struct iso_problem *problem, int32_t cell)
{
    return cell < problem->n_workloads ? problem->workloads[cell].team
                                       : cell - problem->n_workloads;
}

static inline const char *iso_base_currency(const struct iso_problem *problem)
{
    return problem->currencies[problem->base_currency].code;
}

/* Generated messages have no const; nothing writes through them. */
static inline char *iso_borrow(const char *text)
{
    return (char *)text;
}

/* The plan's digest, when the rest of the message is written. NULL when the arena is full. */
char *iso_plan_digest(const struct iso_plan_writer *writer);

/* A sum in a currency of the problem. */
Google__Type__Money *iso_plan_money_in(const struct iso_plan_writer *writer, iso_decimal amount,
                                       int32_t currency);

/* A sum in the base currency; from a double (an estimate): NULL when it is not a sum. */
Google__Type__Money *iso_plan_money(const struct iso_plan_writer *writer, iso_decimal amount);
Google__Type__Money *iso_plan_money_estimate(const struct iso_plan_writer *writer, double amount);

#endif
