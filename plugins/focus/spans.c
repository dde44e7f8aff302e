#include "spans.h"

#include <limits.h>
#include <stdio.h>

#include "isocost/sdk/csv.h"
#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/kept.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/text.h"

#define NAME "files.csv"
#define N_FIELDS 5
#define VERSION_BYTES (PATH_MAX + 64)
#define RACE_NS INT64_C(2000000000) /* two changes so near may have one time */

/* A file: as it was, and when its charges are. */
struct file {
    int64_t n_bytes, changed_ns;
    struct iso_bill_span span;
    bool is_known;
};

struct iso_bill_spans {
    const struct iso_host *host;
    char version[VERSION_BYTES];
    struct iso_dictionary *before, *now; /* struct file by name */
    struct file *asked;                  /* the file of the last question, in `now` */
    size_t n_skipped;
    bool has_news;
};

void iso_bill_span_add(struct iso_bill_span *span, int64_t start_ns)
{
    span->first_ns = start_ns < span->first_ns ? start_ns : span->first_ns;
    span->last_ns = start_ns > span->last_ns ? start_ns : span->last_ns;
}

void iso_bill_spans_free(struct iso_bill_spans *spans)
{
    if (!spans)
        return;
    iso_dictionary_free(spans->before);
    iso_dictionary_free(spans->now);
    free(spans);
}

/* ---- Kept files: a row for each, of name, bytes, change, first and last ---- */

static enum iso_status on_row(void *context, int64_t line, const char *const *fields,
                              size_t n_fields, struct iso_error *reterr)
{
    struct iso_bill_spans *spans = context;

    (void)line;
    if (n_fields != N_FIELDS)
        return ISO_OK;
    struct file *file = iso_dictionary_add(spans->before, fields[0]);
    if (!file)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the names of files");
    *file = (struct file){
        .n_bytes = strtoll(fields[1], NULL, 10),
        .changed_ns = strtoll(fields[2], NULL, 10),
        .span = {strtoll(fields[3], NULL, 10), strtoll(fields[4], NULL, 10)},
        .is_known = true,
    };
    return ISO_OK;
}

static enum iso_status on_bytes(void *context, const unsigned char *bytes, size_t n_bytes,
                                struct iso_error *reterr)
{
    return iso_csv_feed(context, bytes, n_bytes, reterr);
}

static enum iso_status read_before(struct iso_bill_spans *spans, struct iso_error *reterr)
{
    ISO_AUTO(iso_csv_reader) csv = iso_csv_reader_new(on_row, spans);
    bool found;

    if (!csv)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the names of files");
    ISO_TRY(iso_kept_read(spans->host, NAME, spans->version, on_bytes, csv, &found, reterr));
    return iso_csv_finish(csv, reterr);
}

enum iso_status iso_bill_spans_load(const struct iso_host *host, const char *path,
                                    struct iso_bill_spans **ret_spans, struct iso_error *reterr)
{
    ISO_AUTO(iso_bill_spans) spans = iso_calloc(1, sizeof(*spans));

    if (!spans)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the names of files");
    spans->host = host;
    spans->before = iso_dictionary_new(sizeof(struct file));
    spans->now = iso_dictionary_new(sizeof(struct file));
    if (!spans->before || !spans->now)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the names of files");
    snprintf(spans->version, sizeof(spans->version), "%s by " ISO_VERSION, path);
    if (!strpbrk(path, "\r\n")) /* a version is one line */
        ISO_TRY(read_before(spans, reterr));
    *ret_spans = ISO_STEAL(spans);
    return ISO_OK;
}

/* ---- Questions ---- */

/* Whether a name can stand in a kept row as it is. */
static bool is_plain(const char *name)
{
    return !strpbrk(name, "\",\r\n") && name[0] != ' ' && name[strlen(name) - 1] != ' ';
}

enum iso_status iso_bill_spans_skip(struct iso_bill_spans *spans, const char *path,
                                    const char *name, const struct iso_fetch *what, bool *ret_skip,
                                    struct iso_error *reterr)
{
    const struct file *before = iso_dictionary_find(spans->before, name);
    struct file *file = iso_dictionary_add(spans->now, name);

    if (!file)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the names of files");
    ISO_TRY(spans->host->file_facts(spans->host, path, &file->n_bytes, &file->changed_ns, reterr));
    spans->asked = file;
    *ret_skip = before && before->n_bytes == file->n_bytes &&
                before->changed_ns == file->changed_ns &&
                (before->span.last_ns < what->from_ns || before->span.first_ns >= what->to_ns);
    if (*ret_skip) {
        *file = *before;
        spans->n_skipped++;
    }
    return ISO_OK;
}

/* What was changed a moment ago may be changed again without looking so. */
void iso_bill_spans_note(struct iso_bill_spans *spans, const struct iso_bill_span *span)
{
    int64_t age_ns = spans->host->now_ns(spans->host) - spans->asked->changed_ns;

    spans->asked->span = *span;
    spans->asked->is_known = age_ns > RACE_NS;
    spans->has_news |= spans->asked->is_known;
}

/* ---- The end ---- */

static void keep(const struct iso_bill_spans *spans)
{
    ISO_AUTO(iso_kept) kept = iso_kept_begin(spans->host, NAME, spans->version);
    ISO_AUTO_TEXT text = {0};

    for (size_t i = 0; i < iso_dictionary_count(spans->now); i++) {
        const char *name = iso_dictionary_key(spans->now, i);
        const struct file *file = iso_dictionary_record(spans->now, i);
        if (file->is_known && is_plain(name))
            iso_text_add(&text, "%s,%lld,%lld,%lld,%lld\n", name, (long long)file->n_bytes,
                         (long long)file->changed_ns, (long long)file->span.first_ns,
                         (long long)file->span.last_ns);
    }
    if (text.failed || text.n_bytes == 0)
        return; /* the next fetch reads more than it must */
    iso_kept_add(kept, text.bytes, text.n_bytes);
    iso_kept_end(kept);
}

enum iso_status iso_bill_spans_end(struct iso_bill_spans *spans, struct iso_sink *sink,
                                   struct iso_error *reterr)
{
    if (spans->has_news && !strpbrk(spans->version, "\r\n"))
        keep(spans);
    if (spans->n_skipped == 0)
        return ISO_OK;
    return iso_report(sink, "source_unchanged", /* quarantined= */ false, "bills",
                      "%zu files are as before and have no charge of the time that is asked for",
                      reterr, spans->n_skipped);
}
