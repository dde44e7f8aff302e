/* Branch and bound over what is bought.
 *
 * A node is a box of purchases; its bound is the least point of the cuts in it (lattice_cuts.c).
 * Where that point is whole and its cut is in, its periods are solved exactly, until they cost more
 * than the best purchases or are better; then the box is split around it. The node of the least
 * bound is next. This is the integer L-shaped method (G. Laporte and F. V. Louveaux, Operations
 * Research Letters 13 (1993)) with Lagrangian cuts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lattice.h"

#define WHOLE 1e-6
#define FAR 1e-4         /* relative */
#define ROUNDING 1e-8    /* relative; of simplex, in the values of boxes */
#define CLOSE 1e-7       /* relative; smaller differences are none */
#define LEVELS_A_LOOK 64 /* between two looks at the clock */
#define FIRST_ROUNDS 40  /* of cuts at the root, and at other nodes */
#define ROUNDS 3
#define ROUNDED_NODES 16 /* nodes whose rounded purchases are tried, and every so many later */

struct node {
    double bound;
    int32_t *lower, *upper; /* [start] */
};

struct tree {
    struct iso_lattice *lattice;
    struct iso_lattice_answer *answer;
    int32_t n_nodes, n_seen;
    struct node *nodes;
    int64_t **seen; /* purchases whose periods were looked at */
    double *seen_bound;
    bool rooted;    /* past the root: cuts may be of near multipliers */
    double dropped; /* least bound of what is no longer looked at */
    struct iso_lattice_cuts *cuts;
    double *level;  /* [level] */
    int32_t *taken; /* [level] */
    double *y, *gradient;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tree");
}

static void tree_fini(struct tree *tree)
{
    for (int32_t i = 0; i < tree->n_nodes; i++) {
        free(tree->nodes[i].lower);
        free(tree->nodes[i].upper);
    }
    for (int32_t i = 0; i < tree->n_seen; i++)
        free(tree->seen[i]);
    iso_lattice_cuts_free(tree->cuts);
    void *const arrays[] = {tree->nodes, tree->seen, tree->seen_bound, tree->level,
                            tree->taken, tree->y,    tree->gradient};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

/* What costs at least this much is not worth looking at. */
static double cutoff(const struct tree *tree)
{
    return tree->answer->cost * (1 - fmax(CLOSE, tree->lattice->problem->options.gap));
}

static void drop(struct tree *tree, double bound)
{
    tree->dropped = fmin(tree->dropped, bound);
}

static bool add_node(struct tree *tree, double bound, const int32_t *lower, const int32_t *upper)
{
    size_t n = (size_t)tree->lattice->n_starts;
    struct node node = {bound, iso_calloc(n, sizeof(int32_t)), iso_calloc(n, sizeof(int32_t))};

    if (node.lower && node.upper && iso_append(&tree->nodes, &tree->n_nodes, sizeof(node), &node)) {
        memcpy(node.lower, lower, n * sizeof(*lower));
        memcpy(node.upper, upper, n * sizeof(*upper));
        return true;
    }
    free(node.lower);
    free(node.upper);
    return false;
}

/* The cut of the multipliers that are best at y: of near ones, or of all where these say less than
 * `had`, which is far from where they are near. *ret_value: the bound there. */
static enum iso_status add_cut(struct tree *tree, const double *y, double had, double *ret_value,
                               struct iso_error *reterr)
{
    struct iso_lattice_cut cut = {.gradient = tree->gradient};

    *ret_value = iso_lattice_bound(tree->lattice, y, tree->rooted, tree->taken, tree->level, &cut);
    if (tree->rooted && *ret_value < had - FAR * fabs(had))
        *ret_value =
            iso_lattice_bound(tree->lattice, y, /* near= */ false, tree->taken, tree->level, &cut);
    return iso_lattice_cuts_add(tree->cuts, &cut, reterr);
}

/* --- whole purchases --- */

static int32_t find_seen(const struct tree *tree, const int64_t *y)
{
    size_t bytes = (size_t)tree->lattice->n_starts * sizeof(*y);

    for (int32_t i = tree->n_seen - 1; i >= 0; i--)
        if (memcmp(tree->seen[i], y, bytes) == 0)
            return i;
    return -1;
}

static bool remember(struct tree *tree, const int64_t *y, double bound)
{
    size_t bytes = (size_t)tree->lattice->n_starts * sizeof(*y);
    int64_t *copy = iso_calloc(bytes, 1);
    int32_t n = tree->n_seen;

    if (copy)
        memcpy(copy, y, bytes);
    if (copy && iso_append(&tree->seen_bound, &n, sizeof(bound), &bound) &&
        iso_append(&tree->seen, &tree->n_seen, sizeof(copy), &copy))
        return true;
    free(copy);
    return false;
}

/* The levels of y one by one, from the bound of its cut on, until they are dearer than the best.
 * tree->level, which is raised, and tree->taken are those of y. */
static enum iso_status price_levels(struct tree *tree, struct iso_lattice_point *point,
                                    const int64_t *y, double bound, double *ret_bound,
                                    struct iso_error *reterr)
{
    const struct iso_lattice *lattice = tree->lattice;
    double cost = bound;

    for (int32_t i = 0; i < lattice->n_levels; i++) {
        double least = iso_lattice_sum_from(&lattice->seasons[lattice->levels[i].season],
                                            fmax(0, tree->level[i]));
        bound += lattice->levels[i].n_periods * (least - tree->level[i]);
        tree->level[i] = least;
    }
    cost = bound;
    for (int32_t i = 0; i < lattice->n_levels && bound < cutoff(tree); i++) {
        double least, best, had = tree->level[i];
        if (i % LEVELS_A_LOOK == 0 && iso_search_stops(&tree->lattice->search))
            break;
        if (!iso_lattice_point_solve(point, i, tree->taken[i], &best, &least, NULL))
            return no_memory(reterr);
        bound += lattice->levels[i].n_periods * (fmax(least, had) - had);
        cost += lattice->levels[i].n_periods * (best - had);
        if (i == lattice->n_levels - 1 && cost < tree->answer->cost) {
            tree->answer->cost = cost;
            memcpy(tree->answer->y, y, (size_t)lattice->n_starts * sizeof(*y));
        }
    }
    *ret_bound = bound;
    return ISO_OK;
}

/* Looks at whole purchases; *ret_bound: what they cost at least, *ret_value: what their cut says.
 */
static enum iso_status look_at(struct tree *tree, const int64_t *y, double had, double *ret_value,
                               double *ret_bound, struct iso_error *reterr)
{
    ISO_AUTO(iso_lattice_point) point = NULL;
    int32_t seen = find_seen(tree, y);
    double exact[ISO_LATTICE_MOST_STARTS];

    if (seen >= 0) {
        *ret_value = -INFINITY; /* its cut is in */
        *ret_bound = tree->seen_bound[seen];
        return ISO_OK;
    }
    for (int32_t s = 0; s < tree->lattice->n_starts; s++)
        exact[s] = (double)y[s];
    ISO_TRY(add_cut(tree, exact, had, ret_value, reterr));
    *ret_bound = *ret_value;
    if (*ret_value < cutoff(tree)) {
        ISO_TRY(iso_lattice_point_new(tree->lattice, y, &point, reterr));
        if (point)
            ISO_TRY(price_levels(tree, point, y, *ret_value, ret_bound, reterr));
        tree->lattice->search.nodes++;
    }
    return remember(tree, y, *ret_bound) ? ISO_OK : no_memory(reterr);
}

/* --- nodes --- */

/* Boxes without y: below it, above it, and the slice through it, which is cut on. A single point is
 * done with. */
static bool split_around(struct tree *tree, const struct node *node, const int64_t *y, double bound,
                         double at_point)
{
    size_t n = (size_t)tree->lattice->n_starts;
    int32_t lower[ISO_LATTICE_MOST_STARTS], upper[ISO_LATTICE_MOST_STARTS];

    memcpy(lower, node->lower, n * sizeof(*lower));
    memcpy(upper, node->upper, n * sizeof(*upper));
    drop(tree, fmax(bound, at_point));
    for (size_t s = 0; s < n; s++) {
        int32_t l = lower[s], u = upper[s], at = (int32_t)y[s];
        if (at > l) {
            upper[s] = at - 1;
            if (!add_node(tree, bound, lower, upper))
                return false;
        }
        upper[s] = u;
        if (at < u) {
            lower[s] = at + 1;
            if (!add_node(tree, bound, lower, upper))
                return false;
        }
        lower[s] = upper[s] = at;
    }
    return true;
}

static bool split_at(struct tree *tree, const struct node *node, int32_t s, double value,
                     double bound)
{
    size_t n = (size_t)tree->lattice->n_starts;
    int32_t side[ISO_LATTICE_MOST_STARTS];

    memcpy(side, node->upper, n * sizeof(*side));
    side[s] = (int32_t)floor(value);
    if (!add_node(tree, bound, node->lower, side))
        return false;
    memcpy(side, node->lower, n * sizeof(*side));
    side[s] = (int32_t)floor(value) + 1;
    return add_node(tree, bound, side, node->upper);
}

/* The start that is furthest from whole, or -1; y rounded. */
static int32_t most_fractional(const struct tree *tree, int64_t *ret_rounded)
{
    int32_t found = -1;
    double most = WHOLE;

    for (int32_t s = 0; s < tree->lattice->n_starts; s++) {
        double rounded = round(tree->y[s]);
        ret_rounded[s] = (int64_t)rounded;
        if (fabs(tree->y[s] - rounded) > most) {
            most = fabs(tree->y[s] - rounded);
            found = s;
        }
    }
    return found;
}

/* Adds cuts at a node until it is dropped, whole, or gains little. *ret_bound: of the node;
 * *ret_around: split around the whole purchases `rounded`, which cost at least *ret_at_point. */
static enum iso_status cut_node(struct tree *tree, struct node *node, int rounds, int64_t *rounded,
                                int32_t *ret_fractional, double *ret_at_point,
                                struct iso_error *reterr)
{
    double value, cut;

    for (int round = 0;; round++) {
        ISO_TRY(
            iso_lattice_cuts_least(tree->cuts, node->lower, node->upper, tree->y, &value, reterr));
        node->bound = fmax(node->bound, value);
        *ret_fractional = most_fractional(tree, rounded);
        if (node->bound >= cutoff(tree) || iso_search_stops(&tree->lattice->search))
            return ISO_OK;
        if (*ret_fractional < 0) {
            ISO_TRY(look_at(tree, rounded, value, &cut, ret_at_point, reterr));
            if (cut <= value + CLOSE * fabs(value))
                return ISO_OK;
            continue;
        }
        if (round >= rounds)
            return ISO_OK;
        ISO_TRY(add_cut(tree, tree->y, value, &cut, reterr));
        if (cut <= value + CLOSE * fabs(value))
            return ISO_OK;
    }
}

/* Takes the node of the least bound out of the list. */
static struct node take_node(struct tree *tree)
{
    int32_t best = 0;

    for (int32_t i = 1; i < tree->n_nodes; i++)
        if (tree->nodes[i].bound < tree->nodes[best].bound)
            best = i;
    struct node node = tree->nodes[best];
    tree->nodes[best] = tree->nodes[--tree->n_nodes];
    return node;
}

static enum iso_status visit(struct tree *tree, struct node *node, int32_t visited,
                             struct iso_error *reterr)
{
    int64_t rounded[ISO_LATTICE_MOST_STARTS];
    int32_t fractional;
    double at_point = 0, value;

    ISO_TRY(cut_node(tree, node, visited == 0 ? FIRST_ROUNDS : ROUNDS, rounded, &fractional,
                     &at_point, reterr));
    if (node->bound >= cutoff(tree) || iso_search_stops(&tree->lattice->search)) {
        drop(tree, node->bound);
        return ISO_OK;
    }
    if (fractional < 0)
        return split_around(tree, node, rounded, node->bound, at_point) ? ISO_OK
                                                                        : no_memory(reterr);
    double at = tree->y[fractional];
    if (visited < ROUNDED_NODES || visited % ROUNDED_NODES == 0)
        ISO_TRY(look_at(tree, rounded, node->bound, &value, &at_point, reterr));
    return split_at(tree, node, fractional, at, node->bound) ? ISO_OK : no_memory(reterr);
}

static enum iso_status open_tree(struct tree *tree, const double *first_y, struct iso_error *reterr)
{
    const struct iso_lattice *lattice = tree->lattice;
    size_t n_starts = (size_t)lattice->n_starts, n_levels = (size_t)lattice->n_levels;
    int32_t lower[ISO_LATTICE_MOST_STARTS], upper[ISO_LATTICE_MOST_STARTS];
    int64_t rounded[ISO_LATTICE_MOST_STARTS];
    double value, bound;

    tree->level = iso_calloc(n_levels, sizeof(*tree->level));
    tree->taken = iso_calloc(n_levels, sizeof(*tree->taken));
    tree->y = iso_calloc(n_starts, sizeof(*tree->y));
    tree->gradient = iso_calloc(n_starts, sizeof(*tree->gradient));
    if (!tree->level || !tree->taken || !tree->y || !tree->gradient)
        return no_memory(reterr);
    for (size_t s = 0; s < n_starts; s++) {
        lower[s] = 0;
        upper[s] = (int32_t)lattice->starts[s].most;
        rounded[s] = (int64_t)round(fmin(first_y[s], upper[s]));
    }
    ISO_TRY(iso_lattice_cuts_new(tree->lattice, &tree->cuts, reterr));
    ISO_TRY(add_cut(tree, first_y, INFINITY, &value, reterr));
    ISO_TRY(look_at(tree, rounded, value, &value, &bound, reterr));
    return add_node(tree, -INFINITY, lower, upper) ? ISO_OK : no_memory(reterr);
}

enum iso_status iso_lattice_search(struct iso_lattice *lattice, const double *first_y,
                                   struct iso_lattice_answer *answer, struct iso_error *reterr)
{
    struct tree tree __attribute__((cleanup(tree_fini))) = {
        .lattice = lattice, .answer = answer, .dropped = INFINITY};

    ISO_TRY(open_tree(&tree, first_y, reterr));
    for (int32_t visited = 0; tree.n_nodes > 0 && !iso_search_stops(&lattice->search); visited++) {
        struct node node = take_node(&tree);
        enum iso_status status = visit(&tree, &node, visited, reterr);
        free(node.lower);
        free(node.upper);
        tree.rooted = true;
        ISO_TRY(status);
    }
    for (int32_t i = 0; i < tree.n_nodes; i++)
        drop(&tree, tree.nodes[i].bound);
    answer->bound = fmin(tree.dropped * (1 - ROUNDING), answer->cost);
    return ISO_OK;
}
