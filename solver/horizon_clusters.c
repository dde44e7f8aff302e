/* Clusters of periods with similar demands (k-means: S. P. Lloyd, "Least squares quantization in
 * PCM", IEEE Transactions on Information Theory 28, 1982).
 *
 * With what is bought fixed at y, a period costs V(d, y), convex in the demands d. So by Jensen's
 * inequality  sum over clusters of h V(mean d, y) <= sum over periods of h V(d_t, y):  the program
 * over the clusters is a bound on the program over the periods, and the nearer the demands of a
 * cluster, the better. Demands are compared in money: each is worth what the cheapest option takes
 * for a unit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon.h"

#define ROUNDS 8

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for clusters of periods");
}

struct points {
    int32_t n, n_dimensions;
    int32_t *period; /* by rising total */
    double *at;      /* [point * n_dimensions + workload] */
};

static double cheapest_unit(const struct iso_horizon_case *h, const struct iso_season *season,
                            int32_t a)
{
    double least = INFINITY;

    for (int32_t j = h->slice.first_column[a]; j < h->slice.first_column[a + 1]; j++)
        least = fmin(least, season->price[j] / h->slice.columns[j].served);
    return isfinite(least) ? least : 1;
}

struct total {
    double value;
    int32_t period;
};

static int by_total(const void *left, const void *right)
{
    const struct total *a = left, *b = right;

    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->period > b->period) - (a->period < b->period);
}

/* The points of one season. */
static bool load_points(const struct iso_horizon_case *h, int32_t season, struct points *points)
{
    const struct iso_problem *problem = h->problem;
    int32_t n = h->seasons[season].n_periods, n_workloads = problem->n_workloads, next = 0;
    ISO_AUTO_MEM struct total *totals = iso_calloc((size_t)n, sizeof(*totals));
    ISO_AUTO_MEM double *worth = iso_calloc((size_t)n_workloads, sizeof(*worth));

    points->n = n;
    points->n_dimensions = n_workloads;
    points->period = iso_calloc((size_t)n, sizeof(*points->period));
    points->at = iso_calloc((size_t)n * (size_t)n_workloads, sizeof(*points->at));
    if (!totals || !worth || !points->period || !points->at)
        return false;
    for (int32_t a = 0; a < n_workloads; a++)
        worth[a] = cheapest_unit(h, &h->seasons[season], a);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        if (h->season_of[t] != season)
            continue;
        totals[next].period = t;
        for (int32_t a = 0; a < n_workloads; a++)
            totals[next].value += worth[a] * iso_value(problem->workloads[a].required[t]);
        next++;
    }
    qsort(totals, (size_t)n, sizeof(*totals), by_total);
    for (int32_t i = 0; i < n; i++) {
        points->period[i] = totals[i].period;
        for (int32_t a = 0; a < n_workloads; a++)
            points->at[i * n_workloads + a] =
                worth[a] * iso_value(problem->workloads[a].required[totals[i].period]);
    }
    return true;
}

static int32_t nearest(const double *centres, int32_t n_centres, const double *point, int32_t n)
{
    double best_distance = INFINITY;
    int32_t best = 0;

    for (int32_t k = 0; k < n_centres; k++) {
        const double *centre = &centres[k * n];
        double distance = 0;
        for (int32_t i = 0; i < n && distance < best_distance; i++)
            distance += (point[i] - centre[i]) * (point[i] - centre[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = k;
        }
    }
    return best;
}

/* Means of the points of each cluster; an empty one stays where it is. */
static void move_centres(const struct points *points, const int32_t *cluster, int32_t n_centres,
                         double *centres, int32_t *sizes)
{
    int32_t n = points->n_dimensions;

    memset(sizes, 0, (size_t)n_centres * sizeof(*sizes));
    for (int32_t i = 0; i < points->n; i++)
        if (sizes[cluster[i]]++ == 0)
            memset(&centres[cluster[i] * n], 0, (size_t)n * sizeof(*centres));
    for (int32_t i = 0; i < points->n; i++)
        for (int32_t a = 0; a < n; a++)
            centres[cluster[i] * n + a] += points->at[i * n + a] / sizes[cluster[i]];
}

static enum iso_status cluster_season(struct iso_horizon_case *h, int32_t season, int32_t n_centres,
                                      struct iso_error *reterr)
{
    struct points points = {0};
    bool ok = load_points(h, season, &points);
    ISO_AUTO_MEM int32_t *period = points.period;
    ISO_AUTO_MEM double *at = points.at;
    size_t n = (size_t)points.n_dimensions;
    ISO_AUTO_MEM double *centres = iso_calloc((size_t)n_centres * n, sizeof(*centres));
    ISO_AUTO_MEM int32_t *cluster = iso_calloc((size_t)points.n, sizeof(*cluster));
    ISO_AUTO_MEM int32_t *sizes = iso_calloc((size_t)n_centres, sizeof(*sizes));

    if (!ok || !centres || !cluster || !sizes)
        return no_memory(reterr);
    for (int32_t i = 0; i < points.n; i++) /* quantiles of the total */
        cluster[i] = (int32_t)((int64_t)i * n_centres / points.n);
    for (int round = 0; round < ROUNDS && n_centres < points.n; round++) {
        move_centres(&points, cluster, n_centres, centres, sizes);
        for (int32_t i = 0; i < points.n; i++)
            cluster[i] = nearest(centres, n_centres, &at[(size_t)i * n], (int32_t)n);
        if (iso_search_stops(&h->search))
            break;
    }
    memset(sizes, 0, (size_t)n_centres * sizeof(*sizes));
    for (int32_t i = 0; i < points.n; i++)
        sizes[cluster[i]]++;
    for (int32_t k = 0; k < n_centres; k++) {
        struct iso_cluster made = {.season = season, .n_periods = sizes[k]};
        sizes[k] = h->n_clusters;
        if (made.n_periods > 0 && !iso_append(&h->clusters, &h->n_clusters, sizeof(made), &made))
            return no_memory(reterr);
    }
    for (int32_t i = 0; i < points.n; i++)
        h->cluster_of[period[i]] = sizes[cluster[i]];
    return ISO_OK;
}

static enum iso_status average(struct iso_horizon_case *h, struct iso_error *reterr)
{
    for (int32_t k = 0; k < h->n_clusters; k++) {
        h->clusters[k].right = iso_calloc((size_t)h->slice.n_rows, sizeof(double));
        if (!h->clusters[k].right)
            return no_memory(reterr);
    }
    for (int32_t t = 0; t < h->problem->n_periods; t++) {
        struct iso_cluster *cluster = &h->clusters[h->cluster_of[t]];
        cluster->hours += iso_value(h->problem->periods[t].hours);
        for (int32_t r = 0; r < h->slice.n_rows; r++)
            cluster->right[r] += iso_slice_right(h, r, t) / cluster->n_periods; /* equal hours */
    }
    return ISO_OK;
}

enum iso_status iso_clusters_init(struct iso_horizon_case *h, int32_t n_wanted,
                                  struct iso_error *reterr)
{
    int32_t n_periods = h->problem->n_periods;

    h->cluster_of = iso_calloc((size_t)n_periods, sizeof(*h->cluster_of));
    if (!h->cluster_of)
        return no_memory(reterr);
    for (int32_t s = 0; s < h->n_seasons; s++) {
        int32_t n = h->seasons[s].n_periods;
        int32_t n_centres = (int32_t)(((int64_t)n_wanted * n + n_periods - 1) / n_periods);
        ISO_TRY(cluster_season(h, s, n_centres < n ? n_centres : n, reterr));
    }
    return average(h, reterr);
}

void iso_clusters_fini(struct iso_horizon_case *h)
{
    for (int32_t k = 0; k < h->n_clusters; k++)
        free(h->clusters[k].right);
    free(h->clusters);
    free(h->cluster_of);
    h->clusters = NULL;
    h->cluster_of = NULL;
    h->n_clusters = 0;
}
