# shellcheck shell=bash
# shellcheck disable=SC2034 # REDIS_URL, DATABASE_URL and DATABASE_URLS are for the script
# servers.sh -- the private Redis and the private Postgres of scripts/up: their data under
# var/, on loopback, behind a password that only the owner of var/ can read.  Needs
# common.sh, children.sh, postgres.sh and redis.sh, and VAR, the folder for it all.
#
# Postgres refuses to run as root, and neither the servers nor the daemons have any business
# there.  So where the script runs as root each of them runs as the owner of its data, with
# no capability and no way to get one: Postgres as postgres, the others as users that have
# a number only, each its own.  None of them can reach the clone (think of /root, mode 700),
# nor var/, which is root's with mode 700.  Nothing is opened up for them: the script itself
# enters the folder and hands it over as the working directory, or as an open descriptor
# (Postgres).  From there no way leads up, for var/ lets nobody through.
#
# Root opens names in folders of its own only.  What is written into one of a server's is
# written as that user, since a name there may be a link to any file.

readonly SERVER_REDIS_PORT=6400 # the first of 500 to choose from
readonly SERVER_POSTGRES_PORT=5500
readonly SERVER_START_SECONDS=300 # replaying a long append-only file takes its time

# The users as which the programs run where the script is root, but for Postgres: numbers
# that Debian and systemd give to nobody.
declare -rA SERVER_UIDS=([redis]=61001 [ingestion]=61002 [processor]=61003
    [reporting]=61004)

declare -A REDIS_URLS=()    # by daemon
SERVER_VARIABLES=()         # NAME=value for who looks into the servers with their own tools
declare -A DATABASE_URLS=() # by the name after analytics_ of the role

# Prints the user of the program $1 when we are root: the owner of its data, the folder $2,
# if that is somebody else already.
server_user() {
    local owner=0

    [[ ! -d ${2-} ]] || owner=$(stat -L -c %u "$2")
    if [[ $owner != 0 ]]; then
        printf '%s' "$owner"
    elif [[ $1 != postgres ]]; then
        printf '%s' "${SERVER_UIDS[$1]}"
    elif getent passwd postgres >/dev/null; then
        id -u postgres
    else
        id -u nobody
    fi
}

# Fails where this is root and another user has a hand in the folder $2, which the setting $1
# names, or could put another one in its place: by a link, say, to one of root's.
server_check_way() {
    local at=$2 below='' mode owner

    is_root || return 0
    while true; do
        read -r mode owner < <(stat -c '%a %u' "$at")
        if ((8#$mode & 8#002)) && ! { [[ -n $below ]] && ((8#$mode & 8#1000)); }; then
            die "$1: any user of the machine may write into $at: chmod o-w $at," \
                "and see that nothing of theirs is in it"
        fi
        # In a folder such as /tmp each is master of what is his own.
        if [[ -n $below ]] && is_other_user "$owner"; then
            die "$1: the folder $at above $2 belongs to $(id -un "$owner")"
        elif ((8#$mode & 8#1000)) && [[ -n $below ]] &&
            is_other_user "$(stat -c %u "$below")"; then
            die "$1: the folder $below belongs to $(stat -c %U "$below")"
        fi
        [[ $at != / ]] || break
        below=$at
        at=${at%/*}
        at=${at:-/}
    done
}

# Makes the folder $2 of the program $1, if it is not there.  A folder that is still root's
# is given away with all that is in it; nobody else has had a hand in it until then.
server_make_dir() {
    local program=$1 dir=$2 user

    if [[ ! -d $dir ]]; then
        mkdir -m 700 "$dir" || die "could not make the folder $dir"
    fi
    if is_root; then
        user=$(server_user "$program" "$dir")
        if [[ $(stat -L -c %u "$dir") == 0 ]]; then
            find "$dir/" -mindepth 1 -exec chown -h "$user:$user" {} +
            chown "$user:$user" "$dir"
        fi
    elif [[ ! -O $dir ]]; then
        die "$dir belongs to $(stat -c %U "$dir"): start as that user, or move it away"
    fi
}

# Fills the array SERVER_DROP with what runs a command as the user of the program $1, whose
# data is in the folder $2, without any right of root's; empty when we are not root.
server_drop() {
    local user bounding=--bounding-set=-all

    SERVER_DROP=()
    is_root || return 0
    user=$(server_user "$@")
    # Where even root may not shrink the set, nothing can be got from it either: no new
    # privileges are to be had.
    setpriv "$bounding" true 2>/dev/null || bounding=--inh-caps=-all
    SERVER_DROP=(setpriv --reuid "$user" --regid "$(server_group "$user")" --clear-groups
        --no-new-privs --inh-caps=-all "$bounding" --)
}

# Prints the group of the user number $1; one without an account has its own number.
server_group() {
    id -g "$(getent passwd "$1" | cut -d: -f1)" 2>/dev/null || printf '%s' "$1"
}

# Fills the array SERVER_AS with what runs a command as the user of the program $1, whose
# data is in the folder $2, with an environment that holds none of ours.
server_become() {
    server_drop "$@"
    SERVER_AS=("${SERVER_DROP[@]}" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8)
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
$(redis_account ingestion "$(postgres_role_password "$2" redis_ingestion)")
$(redis_account processor "$(postgres_role_password "$2" redis_processor)")
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

# Starts Redis and sets REDIS_URL, the administrator's, and REDIS_URLS, the daemons'.
redis_start() {
    local dir=$VAR/redis log=$VAR/log/redis.log fsync=$1 memory=$2 port secret config name

    redis_check_version
    secret=$(server_secret)
    port=$(server_port "$SERVER_REDIS_PORT")
    config=$(redis_config "$port" "$secret" "$fsync" "$memory")
    server_make_dir redis "$dir"
    server_become redis "$dir"
    enter "$dir"
    # The configuration goes in by stdin, so that the password is in no file and no ps.
    # shellcheck disable=SC2016 # $0 is for the inner bash
    child_start_logged redis "$log" "${SERVER_AS[@]}" setpriv --pdeathsig TERM -- \
        bash -c 'exec -a redis-server "$0" -' "$(redis_program)" <<<"$config"
    enter "$ROOT"
    server_wait redis "$log" redis_answers "$port" "$secret"
    REDIS_URL=redis://default:$secret@127.0.0.1:$port
    for name in ingestion processor; do
        REDIS_URLS[$name]=redis://$name:$(
            postgres_role_password "$secret" "redis_$name"
        )@127.0.0.1:$port
    done
    SERVER_VARIABLES+=("REDIS_PORT=$port" "REDISCLI_AUTH=$secret")
}

# --- Postgres ------------------------------------------------------------------

# Sets POSTGRES_PATH to a name of the folder $1 that the server's user can use, opening
# descriptor 9 on the folder where its own name will not do.  The server keeps it: by that
# name it finds its settings again when it is told to reload them.
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
    server_make_dir postgres "$new"
    server_become postgres "$new"
    postgres_reach "$new"
    "${SERVER_AS[@]}" find -H "$POSTGRES_PATH" -mindepth 1 -delete # a half-made one
    enter /
    child_job "$3" "making the database" "${SERVER_AS[@]}" \
        bash -c "$(declare -f postgres_single postgres_init) && postgres_init \"\$@\"" postgres_init \
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
        bash -c "$(declare -f postgres_stale_pid postgres_single postgres_apply) &&
            postgres_apply \"\$@\"" \
        postgres_apply "$1" "$POSTGRES_PATH" <<<"$sql"
}

# Starts Postgres and sets DATABASE_URL, the administrator's, and DATABASE_URLS, the roles'.
postgres_start() {
    local data=$VAR/postgres log=$VAR/log/postgres.log programs secret port role version=

    secret=$(server_secret)
    if [[ -d $data ]]; then
        server_make_dir postgres "$data"
        server_become postgres "$data"
        postgres_reach "$data"
        version=$("${SERVER_AS[@]}" cat "$POSTGRES_PATH/PG_VERSION" 2>/dev/null) || true
    fi
    programs=$(postgres_programs "$version" "$data")
    if [[ ! -d $data ]]; then
        postgres_make "$programs" "$secret" "$log"
        server_become postgres "$data"
        postgres_reach "$data"
    fi
    port=$(server_port "$SERVER_POSTGRES_PORT")
    enter /
    child_job "$VAR/log/roles.log" "writing the settings of the database" "${SERVER_AS[@]}" \
        bash -c "$(declare -f postgres_configure) && postgres_configure \"\$@\"" \
        postgres_configure "$POSTGRES_PATH" \
        <<<"$(postgres_config "$(memory_mb)" "$port" 127.0.0.1 "$programs")"
    postgres_make_roles "$programs" "$secret"
    child_start_logged postgres "$log" "${SERVER_AS[@]}" setpriv --pdeathsig INT -- \
        bash -c "$(declare -f postgres_stale_pid postgres_become) && postgres_become \"\$@\"" \
        postgres_become "$programs" "$POSTGRES_PATH" </dev/null
    [[ $POSTGRES_PATH == "$data" ]] || exec 9<&-
    enter "$ROOT"
    DATABASE_URL=postgresql://analytics:$secret@127.0.0.1:$port/analytics
    for role in owner processor reporting; do
        DATABASE_URLS[$role]=postgresql://analytics_$role:$(
            postgres_role_password "$secret" "analytics_$role"
        )@127.0.0.1:$port/analytics
    done
    printf '127.0.0.1:%s:analytics:analytics:%s\n' "$port" "$secret" >"$VAR/pgpass"
    SERVER_VARIABLES+=(PGHOST=127.0.0.1 "PGPORT=$port" PGUSER=analytics PGDATABASE=analytics
        "PGPASSFILE=$VAR/pgpass")
    server_wait postgres "$log" "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"
}
