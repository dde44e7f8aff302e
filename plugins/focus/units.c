/* Units of consumption, of which every exporter has its own spelling. */
#include <ctype.h>
#include <stdio.h>

#include "row.h"

#define MAX_WORD_BYTES 32

/* What a word of a unit is called here. */
static const struct {
    const char *word, *name;
} synonyms[] = {
    {"mo", "month"},      {"hr", "hour"},      {"hrs", "hour"},
    {"h", "hour"},        {"sec", "second"},   {"gigabyte", "gb"},
    {"gibibyte", "gib"},  {"terabyte", "tb"},  {"obj", "object"},
    {"queries", "query"}, {"gigabytes", "gb"}, {"lambda", ""},
    {"per", ""},          {"1", ""},
};

/* Names of abbreviations that end in s by themselves. */
static bool ends_in_its_own_s(const char *word)
{
    return strcmp(word, "iops") == 0 || strcmp(word, "rus") == 0;
}

static const char *name_of(char word[MAX_WORD_BYTES])
{
    size_t n = strlen(word);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(synonyms); i++)
        if (strcmp(word, synonyms[i].word) == 0)
            return synonyms[i].name;
    if (n > 2 && word[n - 1] == 's' && word[n - 2] != 's' && !ends_in_its_own_s(word))
        word[n - 1] = '\0';
    return word;
}

void iso_bill_unit(const char *unit, char ret_unit[ISO_BILL_UNIT_BYTES])
{
    size_t n_out = 0;

    ret_unit[0] = '\0';
    for (const char *next = unit; *next;) {
        char word[MAX_WORD_BYTES];
        size_t n = 0;

        while (*next && strchr(" -/_", *next))
            next++;
        for (; *next && !strchr(" -/_", *next); next++)
            if (n + 1 < sizeof(word))
                word[n++] = (char)tolower((unsigned char)*next);
        word[n] = '\0';
        const char *name = name_of(word);
        if (name[0] && n_out + strlen(name) + 2 < ISO_BILL_UNIT_BYTES)
            n_out += (size_t)snprintf(ret_unit + n_out, ISO_BILL_UNIT_BYTES - n_out, "%s%s",
                                      n_out ? "-" : "", name);
    }
}
