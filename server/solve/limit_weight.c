#include "limit_weight.h"

iso_decimal iso_weight_of_instance(const struct iso_snapshot_offering *offering, int resource)
{
    if (resource == ISO_WEIGHT_CARBON)
        return offering->carbon;
    return resource == ISO_WEIGHT_INSTANCES ? ISO_DECIMAL_ONE : offering->capacity[resource];
}

int iso_weight_of_metric(Isocost__V1__LimitMetric metric)
{
    switch (metric) {
    case ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_VCPU:
        return ISO_RESOURCE_VCPU;
    case ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_MEMORY_GIB:
        return ISO_RESOURCE_MEMORY_GIB;
    case ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_GPU:
        return ISO_RESOURCE_GPU;
    case ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_LOCAL_DISK_GIB:
        return ISO_RESOURCE_LOCAL_DISK_GIB;
    case ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_CARBON_KG:
        return ISO_WEIGHT_CARBON;
    default:
        return ISO_WEIGHT_INSTANCES;
    }
}
