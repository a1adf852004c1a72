/* answers.h -- what a server has answered, read strictly; for the judgement of fuzz_http. */
#ifndef TESTS_FUZZ_ANSWERS_H
#define TESTS_FUZZ_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

struct answer {
    unsigned status;
    size_t len;     /* of all of it */
    bool is_stored; /* the 200 of POST /event */
};

/* Reads the answer at the front: a status line, headers, and as much of a body as
 * Content-Length says, or none where the question may have been HEAD.  False for anything
 * else. */
bool answer_next(const char *bytes, size_t len, bool may_be_head,
                 struct answer *ret_answer);

#endif
