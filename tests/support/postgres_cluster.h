/* A private PostgreSQL cluster for tests: its own folder and socket, no port; run as user postgres
 * when the test runs as root.
 *
 *     start -> address of new databases -> stop */
#ifndef ISOCOST_TESTS_POSTGRES_CLUSTER_H
#define ISOCOST_TESTS_POSTGRES_CLUSTER_H

#include <stdbool.h>
#include <sys/types.h>

struct postgres_cluster {
    char folder[64]; /* data and socket are in it */
    pid_t pid;       /* of the postmaster; 0: not running */
    int n_databases;
};

/* False, with the reason on stdout, where PostgreSQL is not installed or does not start. */
bool postgres_cluster_start(struct postgres_cluster *cluster);
/* Makes an empty schema (what a database would be, but quicker) and writes its address; `size` of
 * at least 160. */
void postgres_cluster_new_database(struct postgres_cluster *cluster, char *address, int size);
/* SIGKILL to the postmaster, whose children end soon after it, and a start on the same data. */
bool postgres_cluster_crash(struct postgres_cluster *cluster);
/* Stops it by its pid and removes the folder. */
void postgres_cluster_stop(struct postgres_cluster *cluster);

#endif
