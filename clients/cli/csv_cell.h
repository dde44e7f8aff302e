/* Cells of CSV files (RFC 4180), each with what comes after it: ',' or '\n'. */
#ifndef ISOCOST_CLI_CSV_CELL_H
#define ISOCOST_CLI_CSV_CELL_H

#include <stdio.h>

#include "google/type/money.pb-c.h"

void iso_csv_text(const char *text, char end, FILE *stream); /* quoted where needed */
void iso_csv_number(double value, char end, FILE *stream);   /* shortest exact form */
void iso_csv_money(const Google__Type__Money *money, char end, FILE *stream); /* NULL: empty */

#endif
