/* Subscriptions: a term of one instance, paid as a whole when it begins. */
#ifndef ISOCOST_SDK_SUBSCRIPTION_H
#define ISOCOST_SDK_SUBSCRIPTION_H

#include "isocost/plugin.h"

/* One type in one region, Linux. All text is required. */
struct iso_subscription {
    const char *provider, *region, *type, *source, *currency;
    bool year;               /* false: a month, which is read as 730 hours */
    struct iso_amount price; /* of the whole term; absent: there is no such subscription */
};

/* Sends it as a product that covers on-demand instances of the type, one each; nothing when its
 * price is absent. Errors: those of the sink. */
enum iso_status iso_subscription_put(const struct iso_subscription *subscription,
                                     struct iso_sink *sink, struct iso_error *reterr);

#endif
