/* phase.h -- the phases of a connection, for the http files and for what they count. */
#ifndef SHARED_HTTP_PHASE_H
#define SHARED_HTTP_PHASE_H

/* Where a connection stands.  The phases up to WRITING have a deadline each; connections
 * of one phase are kept in the order in which they entered it, which is the order of
 * their deadlines because a phase always lasts the same. */
enum http_phase {
    PHASE_IDLE,    /* open, no byte of a request yet */
    PHASE_HEADERS, /* a head has begun */
    PHASE_BODY,    /* headers seen */
    PHASE_WRITING, /* answer queued */
    PHASE_WAITING, /* the handler has the request; no deadline of ours */
    PHASE_COUNT
};

#endif
