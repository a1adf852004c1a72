/* peers.c -- see peers.h.  A hash table of fixed size with chains, keyed by a secret, so that
 * nobody can choose addresses that fall together. */
#include "shared/access/peers.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "shared/access/address.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"

enum {
    BUCKETS_MIN = 64,
    BUCKETS_MAX = 65536 /* chains grow beyond so many addresses */
};

struct http_peer {
    LIST_ENTRY(http_peer) entry; /* in its bucket */
    struct address address;
    int64_t connections;
};

LIST_HEAD(bucket, http_peer);

struct http_peers {
    pthread_mutex_t lock;
    int64_t max_each;
    struct networks exempt;
    struct siphash_key secret;
    size_t bucket_count; /* a power of two */
    struct bucket buckets[];
};

static size_t count_buckets(int64_t connections)
{
    size_t count = BUCKETS_MIN;

    while (count < BUCKETS_MAX && (int64_t)count < connections)
        count *= 2;
    return count;
}

enum err_code http_peers_new(int64_t max_each, int64_t connections,
                             struct http_peers **ret_peers, struct err *err)
{
    size_t count = count_buckets(connections);
    struct http_peers *peers =
        mem_calloc(1, sizeof(*peers) + count * sizeof(struct bucket));

    if (!peers)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (getrandom(&peers->secret, sizeof(peers->secret), 0) != sizeof(peers->secret)) {
        mem_free(peers);
        return err_set(err, ERR_UNAVAILABLE, "the system gave no random bytes");
    }
    (void)pthread_mutex_init(&peers->lock, NULL); /* cannot fail on Linux */
    peers->max_each = max_each;
    peers->bucket_count = count; /* empty buckets are all zero */
    *ret_peers = peers;
    return ERR_OK;
}

void http_peers_free(struct http_peers *peers)
{
    struct http_peer *peer;

    if (!peers)
        return;
    for (size_t i = 0; i < peers->bucket_count; i++) {
        while ((peer = LIST_FIRST(&peers->buckets[i])) != NULL) {
            LIST_REMOVE(peer, entry);
            mem_free(peer);
        }
    }
    (void)pthread_mutex_destroy(&peers->lock); /* nobody holds it any more */
    mem_free(peers);
}

void http_peers_exempt(struct http_peers *peers, const struct networks *networks)
{
    (void)pthread_mutex_lock(&peers->lock);
    peers->exempt = *networks;
    (void)pthread_mutex_unlock(&peers->lock);
}

static struct bucket *bucket_of(struct http_peers *peers, const struct address *address)
{
    uint64_t hash = siphash(&peers->secret, address->bytes, sizeof(address->bytes));

    return &peers->buckets[hash & (peers->bucket_count - 1)];
}

/* The peer of this address, made if there is none. */
static struct http_peer *find(struct http_peers *peers, const struct address *address)
{
    struct bucket *bucket = bucket_of(peers, address);
    struct http_peer *peer;

    LIST_FOREACH (peer, bucket, entry) {
        if (memcmp(peer->address.bytes, address->bytes, sizeof(address->bytes)) == 0)
            return peer;
    }
    peer = mem_calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->address = *address;
    LIST_INSERT_HEAD(bucket, peer, entry);
    return peer;
}

struct http_peer *http_peers_enter(struct http_peers *peers,
                                   const struct address *address, bool *ret_is_over)
{
    struct address site = address_of_site(address);
    struct http_peer *peer;

    *ret_is_over = false;
    (void)pthread_mutex_lock(&peers->lock);
    peer = find(peers, &site);
    if (peer) {
        peer->connections++;
        *ret_is_over = peer->connections > peers->max_each &&
                       !networks_have(&peers->exempt, address);
    }
    (void)pthread_mutex_unlock(&peers->lock);
    return peer;
}

void http_peers_leave(struct http_peers *peers, struct http_peer *peer)
{
    (void)pthread_mutex_lock(&peers->lock);
    if (--peer->connections == 0) {
        LIST_REMOVE(peer, entry);
        mem_free(peer);
    }
    (void)pthread_mutex_unlock(&peers->lock);
}
