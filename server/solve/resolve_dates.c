/* When prices with dates hold.
 *
 * A model that says when has, in each period, the prices of the day on which the period begins; one
 * that does not has those of the day on which it is solved, and `price_date` overrules both. Days
 * on which a price begins or ends cut the horizon into *spans*, 0, 1, ...: in one span no price
 * changes, and in most models there is one. */
#include <stdlib.h>

#include "isocost/proto/day.h"
#include "resolve_internal.h"

#define DAY_NS INT64_C(86400000000000)
#define HOUR_NS INT64_C(3600000000000)

static int64_t ns_of(const Google__Protobuf__Timestamp *time)
{
    return time->seconds * 1000000000 + time->nanos;
}

bool iso_model_says_when(const Isocost__V1__Model *model)
{
    return model->load_levels ? model->load_levels->start != NULL
                              : model->n_periods > 0 && model->periods[0]->start;
}

static void set_day(struct iso_price_days *days, int32_t day)
{
    days->first = days->last = day;
}

void iso_days_open(struct iso_resolve *r)
{
    const Isocost__V1__Model *model = r->model;
    const Isocost__V1__LoadLevels *levels = model->load_levels;
    struct iso_price_days *days = &r->days;
    int32_t day;

    *days = (struct iso_price_days){.n_spans = 1};
    if (model->catalog && iso_day_read(model->catalog->price_date, &day)) {
        set_day(days, day);
        days->is_one = true;
    } else if (!iso_model_says_when(model)) {
        set_day(days, r->today);
        days->is_one = days->is_today = true;
    } else if (levels) {
        days->first = iso_day_of_ns(ns_of(levels->start));
        days->last = iso_day_of_ns(ns_of(levels->start) + (levels->hours - 1) * HOUR_NS);
    } else {
        days->first = iso_day_of_ns(ns_of(model->periods[0]->start));
        days->last = iso_day_of_ns(ns_of(model->periods[model->n_periods - 1]->start));
    }
}

bool iso_days_meet(struct iso_resolve *r, const char *valid_from, const char *valid_until,
                   struct iso_validity *ret_validity)
{
    struct iso_validity validity = {ISO_DAY_FIRST, ISO_DAY_LAST};

    if (!valid_from[0] && !valid_until[0]) {
        *ret_validity = validity;
        return true;
    }
    r->days.dated = true;
    iso_day_read(valid_from, &validity.first);
    iso_day_read(valid_until, &validity.last);
    *ret_validity = validity;
    return validity.first <= r->days.last && validity.last >= r->days.first;
}

static int compare_days(const void *a, const void *b)
{
    const int32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

enum iso_status iso_days_cut(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_price_days *days = &r->days;
    int32_t *begins = iso_arena_calloc(r->scratch, 2 * (size_t)r->n_overlays + 1, sizeof(*begins));
    int32_t n = 0, n_spans = 1;

    if (!begins)
        return iso_resolve_full(reterr);
    for (int32_t i = 0; i < r->n_overlays; i++) {
        const struct iso_validity *validity = &r->overlays[i].validity;
        if (validity->first > days->first && validity->first <= days->last)
            begins[++n] = validity->first;
        if (validity->last >= days->first && validity->last < days->last)
            begins[++n] = validity->last + 1;
    }
    qsort(begins + 1, (size_t)n, sizeof(*begins), compare_days);
    begins[0] = days->first;
    for (int32_t i = 1; i <= n; i++)
        if (begins[i] != begins[n_spans - 1])
            begins[n_spans++] = begins[i];
    days->begins = begins;
    days->n_spans = n_spans;
    return ISO_OK;
}

int32_t iso_days_span(const struct iso_resolve *r, int64_t ns)
{
    int32_t span = r->days.n_spans - 1, day = iso_day_of_ns(ns);

    while (span > 0 && r->days.begins[span] > day)
        span--;
    return span;
}

int64_t iso_days_hour(const struct iso_resolve *r, int32_t span)
{
    int64_t ns = r->days.begins[span] * DAY_NS - r->origin_ns;

    return ns <= 0 ? 0 : (ns - 1) / HOUR_NS + 1;
}

static void warn_of_cut(struct iso_resolve *r, const struct iso_period *period, int32_t span)
{
    int64_t end_ns =
        period->start_ns + (int64_t)((iso_wide)period->hours * HOUR_NS / ISO_DECIMAL_ONE);
    char day[ISO_DAY_TEXT_SIZE];

    if (span + 1 < r->days.n_spans && r->days.begins[span + 1] * DAY_NS < end_ns)
        iso_resolve_warn(r,
                         "prices change on %s, inside of period %s, which has those of the day on "
                         "which it begins",
                         iso_day_format(r->days.begins[span + 1], day), period->id);
}

enum iso_status iso_days_of_periods(struct iso_resolve *r, struct iso_error *reterr)
{
    int32_t n_periods = r->problem->n_periods;
    int32_t *spans = iso_arena_calloc(r->arena, (size_t)n_periods, sizeof(*spans));

    if (!spans)
        return iso_resolve_full(reterr);
    for (int32_t t = 0; t < n_periods && r->days.n_spans > 1; t++) {
        const struct iso_period *period = &r->problem->periods[t];
        int64_t start_ns =
            r->level_hour ? r->origin_ns + r->level_hour[t] * HOUR_NS : period->start_ns;
        spans[t] = iso_days_span(r, start_ns);
        if (!r->level_hour)
            warn_of_cut(r, period, spans[t]);
    }
    r->out->span_of_period = spans;
    r->out->n_spans = r->days.n_spans;
    return ISO_OK;
}

void iso_days_tell(struct iso_resolve *r)
{
    if (!r->days.dated || !r->days.is_one)
        return;
    iso_day_format(r->days.first, r->out->price_date);
    r->out->depends_on_today = r->days.is_today;
}
