# shellcheck shell=bash
# redis.sh -- the accounts of the queue; the same for the private Redis of scripts/up and for
# the container of docker-compose.yml.

# Prints the line of a Redis configuration, or of a file of accounts, for a daemon: each may
# do what it needs, with the keys of the queue alone.
#   redis_account DAEMON PASSWORD
redis_account() {
    local may

    case $1 in
    # Events onto the queue, its length, how Redis is, and the salts of the day.
    ingestion)
        may='~{events}:queue +lpush +llen +info +ping (~{events}:salt:* +get +set)'
        ;;
    # Batches are claimed and acknowledged by scripts, whose commands it needs as well.
    processor)
        may='~{events}:queue ~{events}:batch:* ~{events}:leases ~{events}:attempts'
        may+=' ~{events}:completed ~{events}:salts +ping +info +time +scan +eval +evalsha +script|load'
        may+=' +lpush +llen +lindex +lrange +ltrim +lmove +blmove +sort +type +exists +del'
        may+=' +incrby +hset +hget +hdel +hexists +hincrby'
        may+=' +zadd +zrem +zscore +zcard +zrangebyscore'
        # Whether a salt is still there, not what it is; and files without those of past days.
        may+=' +bgrewriteaof (~{events}:salt:* +exists)'
        ;;
    esac
    printf 'user %s on >%s resetkeys resetchannels -@all %s\n' "$1" "$2" "$may"
}
