/* Prices by volume: checks of the messages, and what they become. */
#include <stdio.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "model_check.h"
#include "number.h"
#include "resolve_internal.h"

#define MAXIMUM_STEPS 16

void iso_check_volume_price(struct iso_model_check *check, const char *path,
                            const Isocost__V1__VolumePrice *price)
{
    char place[ISO_PATH_SIZE];

    iso_check_selector(check, path, "offerings", price->offerings);
    iso_check_period_ids(check, path, "periods", price->periods, price->n_periods);
    if (price->n_steps < 1 || price->n_steps > MAXIMUM_STEPS)
        iso_check_fail(check, path, "steps", "%zu steps; there must be 1 to %d", price->n_steps,
                       MAXIMUM_STEPS);
    if (check->model->options && check->model->options->tier_tolerance > 0)
        iso_check_fail(check, path, "steps", "are not served with a tier_tolerance above 0");
    if (check->model->current)
        iso_check_fail(check, path, "", "is not served together with a current placement");
    for (size_t i = 0; i < price->n_steps; i++) {
        double factor = price->steps[i]->factor, before = i > 0 ? price->steps[i - 1]->factor : 1;
        iso_check_path(place, path, "steps", i);
        iso_check_money(check, place, "from", price->steps[i]->from, ISO_ABOVE_ZERO, true);
        if (!iso_check_number(check, place, "factor", factor, ISO_ABOVE_ZERO))
            continue;
        bool rising = price->steps[0]->factor > 1;
        if (rising ? factor <= before : factor >= before)
            iso_check_fail(check, place, "factor",
                           "%.9g after %.9g; from 1 on the factors must all rise or all fall",
                           factor, before);
    }
}

static enum iso_status fill_steps(struct iso_resolve *r, const Isocost__V1__VolumePrice *message,
                                  const char *path, struct iso_volume *volume,
                                  struct iso_error *reterr)
{
    struct iso_volume_step *steps = iso_arena_calloc(r->arena, message->n_steps, sizeof(*steps));
    char place[ISO_PATH_SIZE + 64];

    if (!steps)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < message->n_steps; i++) {
        snprintf(place, sizeof(place), "%.160s.steps[%zu].from", path, i);
        steps[i].factor = iso_number(message->steps[i]->factor);
        if (!iso_resolve_to_base(r, message->steps[i]->from, true, place, &steps[i].from))
            continue;
        if (i > 0 && steps[i].from <= steps[i - 1].from)
            iso_violations_add(r->violations, place, "must be above that of the step before");
    }
    volume->steps = steps;
    volume->n_steps = (int32_t)message->n_steps;
    return ISO_OK;
}

/* What this server cannot solve together with the price. */
static void check_company(struct iso_resolve *r, const struct iso_volume *volume, int32_t n_before,
                          const char *path)
{
    const struct iso_problem *problem = r->problem;
    bool rising = volume->steps[0].factor > ISO_DECIMAL_ONE;
    char place[ISO_PATH_SIZE + 64];

    snprintf(place, sizeof(place), "%.160s.offerings", path);
    for (int32_t i = 0; i < n_before; i++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            for (int32_t o = 0;
                 o < problem->n_offerings && volume->periods[t] && problem->volumes[i].periods[t];
                 o++)
                if (volume->offerings[o] && problem->volumes[i].offerings[o]) {
                    iso_violations_add(r->violations, place, "%s counts in %s already in period %s",
                                       problem->offerings[o].id, problem->volumes[i].id,
                                       problem->periods[t].id);
                    return;
                }
    for (int32_t c = 0; c < problem->n_products && rising; c++)
        for (int32_t i = 0; i < problem->products[c].n_eligible; i++)
            if (volume->offerings[problem->products[c].eligible[i].offering]) {
                iso_violations_add(
                    r->violations, place,
                    "rising factors are not served where a commitment can cover: %s "
                    "covers %s",
                    problem->products[c].id,
                    problem->offerings[problem->products[c].eligible[i].offering].id);
                return;
            }
}

static enum iso_status fill_volume(struct iso_resolve *r, size_t index, struct iso_volume *volume,
                                   struct iso_error *reterr)
{
    const Isocost__V1__VolumePrice *message = r->model->volume_prices[index];
    const struct iso_selector *set = iso_selector_compile(message->offerings, r->scratch);
    uint8_t *offerings = iso_arena_calloc(r->arena, (size_t)r->problem->n_offerings, 1);
    char path[ISO_PATH_SIZE];
    bool any = false;

    volume->id = message->id;
    volume->periods = iso_resolve_period_flags(r, message->periods, message->n_periods);
    if (!set || !offerings || !volume->periods)
        return iso_resolve_full(reterr);
    for (int32_t o = 0; o < r->problem->n_offerings; o++) {
        offerings[o] = iso_selector_matches(set, &r->kept[o].view);
        any |= offerings[o] != 0;
    }
    volume->offerings = offerings;
    if (!any)
        iso_resolve_warn(r, "price by volume %s: it matches no usable offering", message->id);
    iso_check_path(path, "model", "volume_prices", index);
    ISO_TRY(fill_steps(r, message, path, volume, reterr));
    check_company(r, volume, r->problem->n_volumes, path);
    iso_resolve_check_size(r, "volume_prices", (int32_t)index, "");
    return ISO_OK;
}

enum iso_status iso_resolve_volumes(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    struct iso_volume *volumes =
        iso_arena_calloc(r->arena, model->n_volume_prices, sizeof(*volumes));

    if (!volumes)
        return iso_resolve_full(reterr);
    r->problem->volumes = volumes;
    for (size_t i = 0; i < model->n_volume_prices; i++)
        if (!model->volume_prices[i]->disabled) {
            ISO_TRY(fill_volume(r, i, &volumes[r->problem->n_volumes], reterr));
            r->problem->n_volumes++;
        }
    return ISO_OK;
}
