/* What limits and quotas count: instances, a resource of each, or carbon. */
#ifndef ISOCOST_SERVER_LIMIT_WEIGHT_H
#define ISOCOST_SERVER_LIMIT_WEIGHT_H

#include "isocost/v1/model.pb-c.h"
#include "snapshot_file.h"

/* Beside enum iso_resource. */
#define ISO_WEIGHT_INSTANCES (-1)
#define ISO_WEIGHT_CARBON ISO_N_RESOURCES

/* What a limit's metric counts. */
int iso_weight_of_metric(Isocost__V1__LimitMetric metric);

/* What one instance counts for, or ISO_UNKNOWN. */
iso_decimal iso_weight_of_instance(const struct iso_snapshot_offering *offering, int resource);

#endif
