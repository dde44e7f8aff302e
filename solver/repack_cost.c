/* What instances cost where they are repacked: what they waste and what purses lose. */
#include <math.h>

#include "repack_state.h"

#define MOST_DISCOUNT 0.8 /* of what is wasted */

void iso_repack_count_purses(struct iso_repack *repack)
{
    for (int32_t p = 0; p < repack->n_purses; p++)
        repack->purses[p].spent = 0;
    for (int32_t b = 0; b < repack->n_instances; b++)
        if (repack->purse[repack->list[b]] >= 0)
            repack->purses[repack->purse[repack->list[b]]].spent += repack->use[repack->list[b]];
}

double iso_repack_purse_loss(const struct iso_repack *repack)
{
    double loss = 0;

    for (int32_t p = 0; p < repack->n_purses; p++) {
        const struct iso_purse *purse = &repack->purses[p];
        double over = purse->spent - fmax(0, purse->room);
        loss += over > 0 ? fmax(0, purse->worth - purse->price) * over : -purse->price * over;
    }
    return loss;
}

static double waste_of(const struct iso_repack *repack, int32_t list, const int32_t *content)
{
    const double *worth = &repack->worth[repack->sites.site[list] * repack->n];
    double waste = repack->price[list];

    for (int32_t i = 0; i < repack->n; i++)
        waste -= content[i] * worth[i];
    return waste;
}

double iso_repack_waste(const struct iso_repack *repack, int32_t instance)
{
    return waste_of(repack, repack->list[instance], &repack->content[instance * repack->n]);
}

double iso_repack_discount(double price, double waste)
{
    return waste > 0 && price > 0 ? waste * waste / price : 0;
}

double iso_repack_filled_discount(const struct iso_repack *repack)
{
    double sum = 0;

    for (int32_t b = 0; b < repack->n_filled; b++) {
        int32_t list = repack->filled_list[b];
        sum += iso_repack_discount(repack->price[list],
                                   waste_of(repack, list, &repack->filled[b * repack->n]));
    }
    return sum;
}

double iso_repack_most_cost(const struct iso_repack *repack, double most, double worth)
{
    double cost = most;

    for (int32_t step = 0; step < 4 && cost > worth; step++)
        cost = most + fmin(iso_repack_discount(repack->mean_price, cost - worth),
                           MOST_DISCOUNT * (cost - worth));
    return cost;
}
