/* readiness.h -- GET /readyz: whether Redis would take an event that came now.
 *
 * A PING is answered by many a Redis that takes no event: one without memory or replicas,
 * one that cannot write to its disk, a node of a cluster that has other keys.  So Redis is
 * asked to write something that changes nothing, SET of a key that is not there with XX, and
 * for the length of the queue, which tells the cap and a key of another type.  What the last
 * groups were answered counts as well, for a moment: an account may be allowed this and not
 * LPUSH, and a Redis that has room for a word may have none for a group.
 *
 * With a spool events are answered 200 all the same.  The answer is 503 even so, because they
 * are counted only once Redis is well, and says where they go.  No sentence has Redis's own
 * words in it.
 *
 * A 200 says it where visitors have a salt of this process's own (salts.h): events are taken
 * all the same, and only visitors are counted more than once.
 */
#ifndef INGESTION_COMMIT_READINESS_H
#define INGESTION_COMMIT_READINESS_H

struct breaker;
struct http_request;
struct committer;
struct redis_uv;
struct salts;

/* All borrowed; they live until the loop has ended. */
struct readiness {
    struct redis_uv *redis;
    struct breaker *breaker;
    struct salts *salts;
    struct committer *committer;
};

/* Answers the request, now or once Redis has answered or failed to. */
void readiness_answer(const struct readiness *readiness, struct http_request *req);

#endif
