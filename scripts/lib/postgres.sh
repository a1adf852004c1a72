# shellcheck shell=bash
# postgres.sh -- making and configuring a database cluster; the same for the private server
# of scripts/up and for the container of docker-compose.yml.  Needs common.sh.

# Prints the folder of Postgres' programs: of the version that made the data, if there is
# data in the folder $1, else of the newest that has the hll extension.
postgres_programs() {
    local data=$1 version found=

    if [[ -s $data/PG_VERSION ]]; then
        found=$(<"$data/PG_VERSION")
        [[ -x /usr/lib/postgresql/$found/bin/postgres ]] ||
            die "the data in $data is of Postgres $found, which is not installed any more:" \
                "install postgresql-$found and postgresql-$found-hll, or move it away"
    else
        for version in /usr/lib/postgresql/*; do
            version=${version##*/}
            if [[ -x /usr/lib/postgresql/$version/bin/initdb &&
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

# Prints the settings for a machine with $1 megabytes, port $2 and address $3.  fsync and
# synchronous_commit stay on: a batch is acknowledged to Redis once it is committed.
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
wal_compression = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
log_checkpoints = off
CONFIG
}

# Makes a cluster with the role and the database analytics; the password comes by stdin.
# Runs by itself in a bash of the server's user, so it uses nothing from outside.
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
        "$programs/postgres" --single -D "$data" postgres 2>&1) || return 1
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
# server is not running.  By itself in a bash of the server's user, as postgres_init.
#   postgres_apply PROGRAMS DATA
postgres_apply() {
    local said

    said=$("$1/postgres" --single -j -D "$2" analytics 2>&1) || {
        printf '%s\n' "$said"
        return 1
    }
    printf '%s\n' "$said"
    [[ $said != *ERROR:* && $said != *FATAL:* ]]
}
