/* Parts of iso_model_check(). Each adds a violation for each thing that is wrong. */
#ifndef ISOCOST_SERVER_MODEL_CHECK_H
#define ISOCOST_SERVER_MODEL_CHECK_H

#include <stdbool.h>

#include "isocost/base/decimal.h"
#include "isocost/proto/violations.h"
#include "isocost/v1/model.pb-c.h"
#include "names.h"

#define ISO_PATH_SIZE 192
#define ISO_HOURS_MAX 87840 /* ten years */
#define ISO_NOT_SERVED "%s is not served by this server yet"

struct iso_model_check {
    struct iso_violations *violations;
    const Isocost__V1__Model *model; /* NULL: a record of a snapshot */
    struct iso_names periods, teams, workloads, rules;
    int32_t n_values;   /* values of a demand series, besides a single one */
    bool chronological; /* when is known: starts, or hours of load levels with a start */
};

enum iso_range { ISO_AT_LEAST_ZERO, ISO_ABOVE_ZERO, ISO_SHARE, ISO_POSITIVE_SHARE };

/* Adds a violation of `path`.`field`, or of `path` when `field` is "". */
__attribute__((format(printf, 4, 5))) void iso_check_fail(struct iso_model_check *check,
                                                          const char *path, const char *field,
                                                          const char *format, ...);
void iso_check_not_served(struct iso_model_check *check, const char *path, const char *field,
                          const char *rule);

/* Writes `path`.`list`[`index`]. */
void iso_check_path(char place[ISO_PATH_SIZE], const char *path, const char *list, size_t index);

/* Each gives true when it added nothing. */
bool iso_check_number(struct iso_model_check *check, const char *path, const char *field,
                      double value, enum iso_range range);
bool iso_check_whole(struct iso_model_check *check, const char *path, const char *field,
                     double value);
/* `required`: absence is a violation. `ret_amount` may be NULL. */
bool iso_check_money(struct iso_model_check *check, const char *path, const char *field,
                     const Google__Type__Money *money, enum iso_range range, bool required);
bool iso_check_timestamp(struct iso_model_check *check, const char *path, const char *field,
                         const Google__Protobuf__Timestamp *time);
/* An id of the user's that must be new in `names`. */
void iso_check_new_id(struct iso_model_check *check, const char *path, const char *id,
                      struct iso_names *names);
void iso_check_period_ids(struct iso_model_check *check, const char *path, const char *field,
                          char **ids, size_t n);
void iso_check_selector(struct iso_model_check *check, const char *path, const char *field,
                        const Isocost__V1__Selector *selector);
void iso_check_resources(struct iso_model_check *check, const char *path, const char *field,
                         const Isocost__V1__Resources *resources);
bool iso_check_provider(struct iso_model_check *check, const char *path, const char *field,
                        const char *provider);
void iso_check_policy(struct iso_model_check *check, const char *path,
                      const Isocost__V1__Policy *policy);

/* The id of a workload other than `own`, in the field `workload`. */
void iso_check_other_workload(struct iso_model_check *check, const char *path, const char *own,
                              const char *other);

void iso_check_time(struct iso_model_check *check, const char *path);
void iso_check_currency(struct iso_model_check *check, const char *path);
void iso_check_options(struct iso_model_check *check, const char *path);
void iso_check_catalog(struct iso_model_check *check, const char *path);
void iso_check_product(struct iso_model_check *check, const char *path,
                       const Isocost__V1__CommitmentProduct *product);
void iso_check_quota(struct iso_model_check *check, const char *path,
                     const Isocost__V1__Quota *quota);
void iso_check_overlay(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Overlay *overlay);
void iso_check_workload(struct iso_model_check *check, const char *path,
                        const Isocost__V1__Workload *workload);
/* Traffic and dependencies of a workload. */
void iso_check_traffic(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Workload *workload);
void iso_check_egress_price(struct iso_model_check *check, const char *path,
                            const Isocost__V1__EgressPrice *price);
void iso_check_limit(struct iso_model_check *check, const char *path,
                     const Isocost__V1__Limit *limit);
void iso_check_start(struct iso_model_check *check, const char *path,
                     const Isocost__V1__StartPlan *start);

void iso_check_volume_price(struct iso_model_check *check, const char *path,
                            const Isocost__V1__VolumePrice *price);
void iso_check_budget(struct iso_model_check *check, const char *path,
                      const Isocost__V1__Budget *budget);
void iso_check_uncertainty(struct iso_model_check *check, const char *path);
void iso_check_current(struct iso_model_check *check, const char *path,
                       const Isocost__V1__CurrentPlacement *current);

/* Resource `k` (enum iso_resource) of a message; false when it is absent. */
bool iso_resource_amount(const Isocost__V1__Resources *resources, int k, double *ret_amount);
const char *iso_resource_name(int k);

#endif
