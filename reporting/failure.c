/* failure.c -- see failure.h. */
#include "reporting/failure.h"

#include "reporting/metrics.h"
#include "shared/base/log.h"
#include "shared/http/http.h"

enum {
    FAILURE_LOG_INTERVAL_MS = 10000
};

static const char *const sentences[ERR_CODE_COUNT] = {
    [ERR_TIMEOUT] = "database did not answer in time",
    [ERR_SCHEMA] = "database schema is missing, or of another version",
    [ERR_DENIED] = "database refused access",
    [ERR_CONFIG] = "DATABASE_URL is wrong",
    [ERR_BUSY] = "too many queries",
    [ERR_NOMEM] = "out of memory",
    [ERR_BUG] = "internal error",
    [ERR_CORRUPT] = "internal error",
};

const char *failure_sentence(enum err_code code)
{
    return sentences[code] ? sentences[code] : "database unavailable";
}

void failure_answer(struct reporting_metrics *metrics, struct http_request *req,
                    const struct err *err, const char *sentence)
{
    static struct log_limit limit;
    unsigned status = err_http_status(err->code);
    int64_t suppressed;

    metric_add(&metrics->failures[err->code], 1);
    if (log_limit_allows(&limit, FAILURE_LOG_INTERVAL_MS, &suppressed))
        log_line(LOG_WARN, "could not answer a request",
                 LOG_FIELDS(log_text("reason", err->msg),
                            log_text("error", err_name(err->code)),
                            log_int("suppressed", suppressed)));
    http_answer_error(req, status < 500 ? 503 : status, sentence);
}
