# shellcheck shell=bash
# postgres.sh -- making and configuring a database cluster; the same for the private server
# of scripts/up and for the container of docker-compose.yml.  Needs common.sh.

# Prints the folder of Postgres' programs: of the version $1 that made the data in the
# folder $2, else, where $1 is empty, of the newest that has the hll extension.
postgres_programs() {
    local data=$2 version found=$1

    if [[ -n $found ]]; then
        [[ $found =~ ^[0-9.]+$ ]] || die "$data/PG_VERSION has no version of Postgres in it"
        [[ -x /usr/lib/postgresql/$found/bin/postgres ]] ||
            die "the data in $data is of Postgres $found, which is not installed any more:" \
                "install postgresql-$found and postgresql-$found-hll, or move it away"
    else
        for version in /usr/lib/postgresql/*; do
            version=${version##*/}
            if [[ $version =~ ^[1-9][0-9]*(\.[0-9]+)?$ &&
                -x /usr/lib/postgresql/$version/bin/initdb &&
                -e /usr/share/postgresql/$version/extension/hll.control &&
                ${version%%.*} -gt ${found:-0} ]]; then
                found=$version
            fi
        done
        [[ -n $found ]] || die "no Postgres with the hll extension in /usr/lib/postgresql"
    fi
    printf '/usr/lib/postgresql/%s/bin' "$found"
}

# Prints the memory of the machine (or of the container) in megabytes.
memory_mb() {
    local limit

    limit=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    if [[ -r /sys/fs/cgroup/memory.max && $(</sys/fs/cgroup/memory.max) != max ]]; then
        local group=$(($(</sys/fs/cgroup/memory.max) / 1048576))
        ((group >= limit)) || limit=$group
    fi
    printf '%s' "$limit"
}

# Prints how the programs in $1 compress whole pages in the log: with lz4, at half the time,
# where they can (Postgres 15, built with it).
postgres_wal_compression() {
    local version=${1#/usr/lib/postgresql/}

    if ((${version%%[./]*} >= 15)) && [[ $(ldd "$1/postgres") == *liblz4* ]]; then
        printf lz4
    else
        printf pglz
    fi
}

# Prints the settings for a machine with $1 megabytes, port $2, address $3 and the programs
# in $4.  fsync and synchronous_commit stay on: a batch is acknowledged to Redis once it is
# committed.
postgres_config() {
    local memory=$1 buffers

    buffers=$((memory / 8))
    ((buffers >= 128)) || buffers=128
    ((buffers <= 2048)) || buffers=2048
    cat <<CONFIG
# Written anew at every start: change settings with ALTER SYSTEM, which wins.
listen_addresses = '$3'
port = $2
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = ${buffers}MB
effective_cache_size = $((memory / 2))MB
work_mem = 32MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
min_wal_size = 256MB
checkpoint_timeout = 15min
wal_compression = $(postgres_wal_compression "$4")
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
log_checkpoints = off
CONFIG
}

# Prints the process number that a server died with, from the lock file in the data folder
# $1, unless a Postgres of that folder has it.  Postgres takes the number of any process of
# its own user for a running server; after a power cut it is often the first process of the
# same container.  In PG_GRANDPARENT_PID it is told that this one is none, and goes on with
# its other checks.  By itself in a bash of the server's user.
postgres_stale_pid() {
    local pid=

    [[ ! -r $1/postmaster.pid ]] || read -r pid <"$1/postmaster.pid" || true
    pid=${pid#-} # so is that of a server in single-user mode marked
    [[ $pid =~ ^[1-9][0-9]*$ ]] || return 0
    if [[ $(readlink "/proc/$pid/exe") != */postgres* || ! "/proc/$pid/cwd" -ef $1 ]]; then
        printf '%s' "$pid"
    fi
}

# Becomes the server.  By itself in a bash of the server's user.
#   postgres_become PROGRAMS DATA
postgres_become() {
    PG_GRANDPARENT_PID=$(postgres_stale_pid "$2")
    export PG_GRANDPARENT_PID
    exec "$1/postgres" -D "$2"
}

# Writes the settings, which come by stdin.  By itself in a bash of the server's user; a
# link that stands in the place of the file is replaced, not followed.
#   postgres_configure DATA
postgres_configure() {
    umask 077
    cat >"$1/analytics.conf.new" && mv -fT "$1/analytics.conf.new" "$1/analytics.conf"
}

# Runs statements from stdin in the database $3 of a cluster whose server is not running, with
# further options from $4 on.  What the server says goes to people and into logs, so that it
# must not show the statements, which have passwords in them: not those that fail, and not
# where an administrator has all of them logged.
#   postgres_single PROGRAMS DATA DATABASE [OPTION...]
postgres_single() {
    local programs=$1 data=$2 database=$3
    shift 3

    "$programs/postgres" --single -D "$data" -c log_min_error_statement=panic \
        -c log_statement=none -c log_min_duration_statement=-1 -c log_min_duration_sample=-1 \
        -c log_transaction_sample_rate=0 "$@" "$database"
}

# Makes a cluster with the role and the database analytics; the password comes by stdin.
# Runs by itself in a bash of the server's user, with postgres_single.
#   postgres_init PROGRAMS DATA NETWORK
postgres_init() {
    local programs=$1 data=$2 network=$3 secret said

    IFS= read -r secret
    "$programs/initdb" -D "$data" --username analytics --encoding UTF8 --locale C.UTF-8 \
        --auth trust --no-instructions || return 1
    # Until here nobody can connect.  From here on only with the password.
    printf 'host all all %s scram-sha-256\n' "$network" >"$data/pg_hba.conf"
    printf "include 'analytics.conf'\n" >>"$data/postgresql.conf"
    : >"$data/analytics.conf"
    said=$(printf '%s\n' "ALTER ROLE analytics PASSWORD '${secret//\'/\'\'}'" \
        "CREATE DATABASE analytics" |
        postgres_single "$programs" "$data" postgres 2>&1) || return 1
    printf '%s\n' "$said"
    [[ $said != *ERROR* && $said != *FATAL* ]]
}

# Prints the password of a role of sql/roles.sql, made from the administrator's, $1.
postgres_role_password() {
    local hash

    hash=$(printf '%s %s' "$1" "$2" | sha256sum)
    printf '%s' "${hash:0:48}"
}

# Prints what gives the database its roles: sql/roles.sql, and their passwords, for which a
# function is called with the role's name.
#   postgres_roles_sql PASSWORD_FUNCTION ARGUMENT...
postgres_roles_sql() {
    local role password

    cat "$ROOT/sql/roles.sql"
    for role in analytics_owner analytics_processor analytics_reporting; do
        password=$("$@" "$role")
        printf "\nALTER ROLE %s PASSWORD '%s';\n" "$role" "${password//\'/\'\'}"
    done
    printf '\n'
}

# Runs statements from stdin, an empty line after each, in the database of a cluster whose
# server is not running.  By itself in a bash of the server's user, as postgres_init, with
# postgres_stale_pid besides.
#   postgres_apply PROGRAMS DATA
postgres_apply() {
    local said

    PG_GRANDPARENT_PID=$(postgres_stale_pid "$2")
    export PG_GRANDPARENT_PID
    said=$(postgres_single "$1" "$2" analytics -j 2>&1) || {
        printf '%s\n' "$said"
        return 1
    }
    printf '%s\n' "$said"
    [[ $said != *ERROR:* && $said != *FATAL:* ]]
}
