/* keys.h -- the keys of the queue in Redis: the contract between ingestion, the processors,
 * and any program that reads or writes the queue; docs/protocol.md has the forms of what
 * they hold.  The hash tag keeps all of them in one slot of a Redis Cluster.
 */
#ifndef SHARED_REDIS_KEYS_H
#define SHARED_REDIS_KEYS_H

#define KEY_QUEUE        "{events}:queue" /* list of jobs: in on the left, out on the right */
#define KEY_LEASES       "{events}:leases"    /* zset: batch id by the end of its lease */
#define KEY_ATTEMPTS     "{events}:attempts"  /* hash: how often each batch was begun */
#define KEY_COMPLETED    "{events}:completed" /* count of the jobs stored */
#define KEY_BATCH_PREFIX "{events}:batch:"    /* list of the jobs of one batch */
#define KEY_SALTS        "{events}:salts" /* zset: names of those that its files have */
#define KEY_SALT_PREFIX  "{events}:salt:" /* and a date: 16 bytes, for 48 hours */

#endif
