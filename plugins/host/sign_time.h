/* Times as the schemes write them. */
#ifndef ISOCOST_PLUGIN_HOST_SIGN_TIME_H
#define ISOCOST_PLUGIN_HOST_SIGN_TIME_H

#include <stdint.h>

#define ISO_BASIC_TIME_SIZE 17    /* 20150830T123600Z */
#define ISO_EXTENDED_TIME_SIZE 21 /* 2015-08-30T12:36:00Z */

/* ISO 8601 in UTC; years 1970 to 9999. */
void iso_basic_time(int64_t time_s, char ret_text[ISO_BASIC_TIME_SIZE]);
void iso_extended_time(int64_t time_s, char ret_text[ISO_EXTENDED_TIME_SIZE]);

#endif
