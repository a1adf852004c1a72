# shellcheck shell=bash
# shellcheck disable=SC2034 # REDIS_URL, DATABASE_URL and DATABASE_URLS are for the script
# servers.sh -- the private Redis and the private Postgres of scripts/up: their data under
# var/, on loopback, behind a password that only the owner of var/ can read.  Needs
# common.sh, children.sh and postgres.sh, and VAR, the folder for it all.
#
# Postgres refuses to run as root, and neither server has any business there.  So where the
# script runs as root they run as the owner of their data, at first postgres or nobody.
# That user often cannot reach the clone (think of /root, mode 700).  Nothing is opened up
# for it: the script itself enters the data folder, and hands the folder to the server as
# its working directory (Redis) or as an open descriptor (Postgres).

readonly SERVER_REDIS_PORT=6400 # the first of 500 to choose from
readonly SERVER_POSTGRES_PORT=5500
readonly SERVER_START_SECONDS=300 # replaying a long append-only file takes its time

declare -A DATABASE_URLS=() # by the name after analytics_ of the role

# Prints the user that a server with its data in folder $1 runs as, when we are root.
server_user() {
    local owner

    owner=$(stat -c %U "$1")
    if [[ $owner != root && $owner != UNKNOWN ]]; then
        printf '%s' "$owner"
    elif getent passwd postgres >/dev/null; then
        printf 'postgres'
    else
        printf 'nobody'
    fi
}

# Makes a server's folder, if it is not there.
server_make_dir() {
    local dir=$1

    if [[ ! -d $dir ]]; then
        mkdir -m 700 "$dir" || die "could not make the folder $dir"
    fi
    if is_root; then
        chown "$(server_user "$dir"):" "$dir"
    elif [[ ! -O $dir ]]; then
        die "$dir belongs to $(stat -c %U "$dir"): start as that user, or move it away"
    fi
}

# Fills the array SERVER_AS with what runs a command as the user of folder $1, with an
# environment that holds none of ours.
server_become() {
    local user

    SERVER_AS=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8)
    if is_root; then
        user=$(server_user "$1")
        SERVER_AS=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups
            --no-new-privs --inh-caps=-all -- "${SERVER_AS[@]}")
    fi
}

# Prints the password of both servers; made at the first start.
server_secret() {
    local file=$VAR/secret

    if [[ ! -s $file ]]; then
        (umask 077 && od -An -N 24 -tx1 /dev/urandom | tr -d ' \n' >"$file.new")
        mv "$file.new" "$file"
    fi
    [[ -r $file ]] || die "$file belongs to $(stat -c %U "$file"): start as that user"
    cat "$file"
}

# Prints a free port among the 500 from $1 on, always the same for the same folder if it
# can be had.
server_port() {
    local hash

    hash=$(cksum <<<"$VAR")
    free_port $(($1 + ${hash%% *} % 500))
}

# Waits until a server answers.  $1 its name, $2 its log; the rest is the question.
server_wait() {
    local name=$1 log=$2 end=$((SECONDS + SERVER_START_SECONDS)) told=$SECONDS
    shift 2

    until "$@" >/dev/null 2>&1; do
        if ! child_is_alive "$name"; then
            tail -n 10 "$log" >&2
            die "the private $name ended instead of starting (its log: $log)"
        fi
        ((SECONDS < end)) ||
            die "the private $name did not answer in $SERVER_START_SECONDS s (log: $log)"
        if ((SECONDS - told >= 10)); then
            say "Still waiting for $name ..."
            told=$SECONDS
        fi
        sleep 0.05
    done
}

# --- Redis ---------------------------------------------------------------------

# Prints the program: Debian's redis-check-rdb is the server under another name.
redis_program() {
    command -v redis-server || command -v redis-check-rdb ||
        die "redis-server was not found on the PATH"
}

redis_check_version() {
    local version

    version=$(bash -c 'exec -a redis-server "$0" --version' "$(redis_program)")
    [[ $version =~ v=([0-9]+) && ${BASH_REMATCH[1]} -ge 7 ]] ||
        die "Redis 7 or newer is needed; this one says: $version"
}

# Prints the configuration.  A queue of events must never be evicted from, and its memory
# has a limit: beyond it ingestion answers 503 until the processor has caught up.  The
# inner part of a long list is compressed, which makes 64 bytes of a job's 230; some 4,000
# jobs at either end are not, so that a queue that is kept up with costs no compression.
redis_config() {
    cat <<CONFIG
bind 127.0.0.1
port $1
requirepass $2
dir .
appendonly yes
appendfsync $3
save ""
maxmemory $4
maxmemory-policy noeviction
list-compress-depth 128
daemonize no
CONFIG
}

redis_answers() {
    [[ $(REDISCLI_AUTH=$2 redis-cli -p "$1" ping 2>/dev/null) == PONG ]]
}

# Starts Redis and sets REDIS_URL.
redis_start() {
    local dir=$VAR/redis log=$VAR/log/redis.log fsync=$1 memory=$2 port secret config

    redis_check_version
    secret=$(server_secret)
    port=$(server_port "$SERVER_REDIS_PORT")
    config=$(redis_config "$port" "$secret" "$fsync" "$memory")
    server_make_dir "$dir"
    server_become "$dir"
    enter "$dir"
    # The configuration goes in by stdin, so that the password is in no file and no ps.
    # shellcheck disable=SC2016 # $0 is for the inner bash
    child_start_logged redis "$log" "${SERVER_AS[@]}" setpriv --pdeathsig TERM -- \
        bash -c 'exec -a redis-server "$0" -' "$(redis_program)" <<<"$config"
    enter "$ROOT"
    server_wait redis "$log" redis_answers "$port" "$secret"
    REDIS_URL=redis://default:$secret@127.0.0.1:$port
}

# --- Postgres ------------------------------------------------------------------

# Sets POSTGRES_PATH to a name of the folder $1 that the server's user can use, opening
# descriptor 9 on the folder where its own name will not do.
postgres_reach() {
    POSTGRES_PATH=$1
    if is_root && ! "${SERVER_AS[@]}" test -x "$1"; then
        exec 9<"$1"
        POSTGRES_PATH=/proc/self/fd/9
    fi
}

# Makes the cluster in $VAR/postgres.new, and only then gives it its name: an interrupted
# first start leaves nothing half made.
postgres_make() {
    local new=$VAR/postgres.new

    say "Making the private Postgres database in ${VAR#"$ROOT"/}/postgres ..."
    rm -rf "$new"
    server_make_dir "$new"
    server_become "$new"
    postgres_reach "$new"
    enter /
    child_job "$3" "making the database" "${SERVER_AS[@]}" \
        bash -c "$(declare -f postgres_init) && postgres_init \"\$@\"" postgres_init \
        "$1" "$POSTGRES_PATH" 127.0.0.1/32 <<<"$2"
    enter "$ROOT"
    mv "$new" "$VAR/postgres"
}

# Gives the database its roles, before the server runs; each start does, so that a database
# made by an older version gets them too.
postgres_make_roles() {
    local sql

    sql=$(postgres_roles_sql postgres_role_password "$2")$'\n\n'
    child_job "$VAR/log/roles.log" "giving the database its roles" "${SERVER_AS[@]}" \
        bash -c "$(declare -f postgres_apply) && postgres_apply \"\$@\"" postgres_apply \
        "$1" "$POSTGRES_PATH" <<<"$sql"
}

# Starts Postgres and sets DATABASE_URL, the administrator's, and DATABASE_URLS, the roles'.
postgres_start() {
    local data=$VAR/postgres log=$VAR/log/postgres.log programs secret port role

    programs=$(postgres_programs "$data")
    secret=$(server_secret)
    [[ -d $data ]] || postgres_make "$programs" "$secret" "$log"
    server_make_dir "$data"
    server_become "$data"
    postgres_reach "$data"
    port=$(server_port "$SERVER_POSTGRES_PORT")
    postgres_config "$(memory_mb)" "$port" 127.0.0.1 >"$data/analytics.conf"
    ! is_root || chown "$(server_user "$data"):" "$data/analytics.conf"
    enter /
    postgres_make_roles "$programs" "$secret"
    child_start_logged postgres "$log" "${SERVER_AS[@]}" setpriv --pdeathsig INT -- \
        "$programs/postgres" -D "$POSTGRES_PATH" </dev/null
    enter "$ROOT"
    DATABASE_URL=postgresql://analytics:$secret@127.0.0.1:$port/analytics
    for role in owner processor reporting; do
        DATABASE_URLS[$role]=postgresql://analytics_$role:$(
            postgres_role_password "$secret" "analytics_$role"
        )@127.0.0.1:$port/analytics
    done
    server_wait postgres "$log" "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"
}
