/* What the paid instances of a period can cost together is a sum of prices, so a bound of a period
 * may be raised to the next sum, and a better split must reach the sum before. */
#include <math.h>
#include <stdlib.h>

#include "lattice.h"

#define MOST_SUMS 1024
#define CLOSE 1e-9 /* relative; sums that differ by less are one */

/* Each price follows the sums with a finger: the next sum is the least of finger + price. */
bool iso_lattice_find_sums(struct iso_lattice_season *season, int32_t n_options)
{
    ISO_AUTO_MEM int32_t *finger = iso_calloc((size_t)n_options, sizeof(*finger));
    double *sums = iso_calloc(MOST_SUMS, sizeof(*sums));

    season->sums = sums;
    season->n_sums = 1;
    if (!finger || !sums)
        return false;
    while (season->n_sums < MOST_SUMS) {
        double last = sums[season->n_sums - 1], next = INFINITY;
        for (int32_t i = 0; i < n_options; i++) {
            while (sums[finger[i]] + season->price[i] <= last * (1 + CLOSE))
                finger[i]++;
            next = fmin(next, sums[finger[i]] + season->price[i]);
        }
        sums[season->n_sums++] = next;
    }
    return true;
}

/* The number of sums below a value. */
static int32_t count_below(const struct iso_lattice_season *season, double value)
{
    int32_t low = 0, high = season->n_sums;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (season->sums[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double iso_lattice_sum_below(const struct iso_lattice_season *season, double cost)
{
    int32_t n = count_below(season, cost * (1 - CLOSE));

    if (n == season->n_sums)
        return cost * (1 - CLOSE);
    return n > 0 ? season->sums[n - 1] * (1 + CLOSE) + CLOSE * season->sums[1] : -INFINITY;
}

double iso_lattice_sum_from(const struct iso_lattice_season *season, double bound)
{
    int32_t n = count_below(season, bound * (1 - CLOSE) - CLOSE * season->sums[1]);

    return n < season->n_sums ? fmax(bound, season->sums[n] * (1 - CLOSE)) : bound;
}
