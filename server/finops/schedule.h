/* Refreshes of usage, costs and what runs that nobody asks for.
 *
 * What is asked for is what the store does not have yet, from the begin of a window on, and once
 * more the end of what it has, because samples come late and bills are corrected. So a server that
 * was away goes on where its store ends. Each kind of a provider has a time of its own; whether a
 * provider is to be left alone is known to the catalog, which sees all its failures. */
#ifndef ISOCOST_SERVER_USAGE_SCHEDULE_H
#define ISOCOST_SERVER_USAGE_SCHEDULE_H

struct iso_usage;
struct iso_usage_schedules;

/* Those of the catalog's configuration; the first refreshes are due at once. NULL: no memory. */
struct iso_usage_schedules *iso_usage_schedules_new(struct iso_usage *usage);
void iso_usage_schedules_free(struct iso_usage_schedules *schedules); /* accepts NULL */

/* When the next one is due, on the clock of iso_usage_now_s(); INFINITY: none ever. */
double iso_usage_schedules_due_s(const struct iso_usage_schedules *schedules);

/* Does the one that is due first, on the service's thread. */
void iso_usage_schedules_run(struct iso_usage_schedules *schedules);

#endif
