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
    ingestion) may='+lpush +llen +info +ping +get +set' ;;
    # Batches are claimed and acknowledged by scripts, which use more.
    processor) may='+@all -@dangerous -@admin +info +sort' ;;
    esac
    printf 'user %s on >%s resetkeys ~{events}:* resetchannels %s\n' "$1" "$2" "$may"
}
