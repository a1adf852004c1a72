/* hosts.c -- see hosts.h. */
#include "shared/pg/hosts.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "shared/base/fnv.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"

/* No value of any option: libpq refuses it after it has gathered all options and before it
 * looks for a server. */
static const char spoilt[] = "?";

/* --- all options in force --------------------------------------------------------- */

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option && option->keyword; option++) {
        if (strcmp(option->keyword, keyword) == 0)
            return option->val && option->val[0] != '\0' ? option->val : NULL;
    }
    return NULL;
}

/* The options that libpq would connect with.  Only a connection knows those of a service
 * file, so one is made that cannot come to life: its option `spoil` is refused. */
static enum err_code gather(const char *url, const char *spoil,
                            PQconninfoOption **ret_options, struct err *err)
{
    /* What stands before the URL is a default.  Without that of gssencmode libpq looks for
     * Kerberos credentials first, and MIT's library follows a NULL there when memory runs
     * out. */
    const char *names[] = {
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "gssencmode",
        "dbname",
        spoil,
        NULL,
    };
    const char *values[] = {
        "10", "5",    "3",  "10000", getenv("PGGSSENCMODE") ? NULL : "disable",
        url,  spoilt, NULL,
    };
    PGconn *conn = PQconnectStartParams(names, values, 1);
    PQconninfoOption *options = PQconninfo(conn); /* NULL is fine */
    const char *value = value_of(options, spoil);
    enum err_code code = ERR_OK;

    if (!options) {
        code = err_set(err, ERR_NOMEM, "out of memory");
    } else if (!value || strcmp(value, spoilt) != 0) {
        /* A service that is not defined, say: the options are not all there. */
        (void)pg_err_of_conn(conn, "DATABASE_URL", err);
        code = err->code = ERR_CONFIG;
    }
    PQfinish(conn);
    if (code)
        PQconninfoFree(options);
    else
        *ret_options = options;
    return code;
}

static enum err_code load_options(struct pg_hosts *hosts, const char *url,
                                  struct err *err)
{
    PQconninfoOption *others = NULL;
    const char *sslmode;
    enum err_code code = gather(url, "sslmode", &hosts->options, err);

    if (!code)
        code = gather(url, "target_session_attrs", &others, err);
    if (code)
        return code;
    sslmode = value_of(others, "sslmode");
    hosts->sslmode = sslmode ? mem_strdup(sslmode) : NULL;
    if (sslmode && !hosts->sslmode)
        code = err_set(err, ERR_NOMEM, "out of memory");
    PQconninfoFree(others);
    return code;
}

/* --- the list ----------------------------------------------------------------------- */

static size_t count_elements(const char *list)
{
    size_t count = 1;

    if (!list)
        return 0;
    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

/* A copy of one element of a list with commas, from 0; *ret_text is NULL when the element
 * is empty or not there. */
static enum err_code copy_element(const char *list, size_t index, char **ret_text)
{
    size_t len;

    *ret_text = NULL;
    for (; list && index > 0; index--) {
        list = strchr(list, ',');
        if (list)
            list++;
    }
    len = list ? strcspn(list, ",") : 0;
    if (len == 0)
        return ERR_OK;
    *ret_text = mem_alloc(len + 1);
    if (!*ret_text)
        return ERR_NOMEM;
    memcpy(*ret_text, list, len);
    (*ret_text)[len] = '\0';
    return ERR_OK;
}

/* Hosts are only told apart by it, and only within this process. */
static uint64_t add_to_id(uint64_t id, const char *text)
{
    return fnv_byte(text ? fnv_bytes(id, text, strlen(text)) : id, 0xff);
}

static void set_id(struct pg_host *host)
{
    host->id = add_to_id(FNV_START, host->name);
    host->id = add_to_id(host->id, host->address);
    host->id = add_to_id(host->id, host->port) | 1;
}

static void release_host(struct pg_host *host)
{
    mem_free(host->name);
    mem_free(host->address);
    mem_free(host->port);
}

/* Takes the host over, on failure too.  ERR_TOO_BIG when the list is full. */
static enum err_code take_host(struct pg_hosts *hosts, struct pg_host *host)
{
    if (hosts->count == PG_HOSTS_MAX) {
        release_host(host);
        return ERR_TOO_BIG;
    }
    set_id(host);
    hosts->list[hosts->count++] = *host;
    return ERR_OK;
}

/* Adds the host once more, with an address of its name. */
static enum err_code add_address(struct pg_hosts *hosts, const struct pg_host *named,
                                 const struct addrinfo *found)
{
    struct pg_host host = {.name = mem_strdup(named->name)};
    char address[NI_MAXHOST];

    if (getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
                    NI_NUMERICHOST)) {
        mem_free(host.name);
        return ERR_OK; /* not one that can be connected to */
    }
    host.address = mem_strdup(address);
    host.port = named->port ? mem_strdup(named->port) : NULL;
    if (!host.name || !host.address || (named->port && !host.port)) {
        release_host(&host);
        return ERR_NOMEM;
    }
    return take_host(hosts, &host);
}

static bool is_name(const struct pg_host *host)
{
    return host->name && !host->address && host->name[0] != '/' && host->name[0] != '@';
}

/* Adds the host with each address that its name has; as it is when there is none.  Takes it
 * over. */
static enum err_code take_resolved(struct pg_hosts *hosts, struct pg_host *host)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    size_t before = hosts->count;
    enum err_code code = ERR_OK;

    if (!is_name(host) || getaddrinfo(host->name, NULL, &hints, &found))
        return take_host(hosts, host);
    for (const struct addrinfo *at = found; at && !code; at = at->ai_next) {
        if (hosts->count - before == PG_HOST_ADDRESSES_MAX)
            break;
        code = add_address(hosts, host, at);
    }
    freeaddrinfo(found);
    if (!code && hosts->count == before)
        return take_host(hosts, host);
    release_host(host);
    return code;
}

static enum err_code load_list(struct pg_hosts *hosts, struct err *err)
{
    const char *names = value_of(hosts->options, "host");
    const char *addresses = value_of(hosts->options, "hostaddr");
    const char *ports = value_of(hosts->options, "port");
    size_t count = count_elements(addresses ? addresses : names);
    size_t port_count = count_elements(ports);
    enum err_code code = ERR_OK;

    if (count == 0)
        count = 1;
    if (addresses && names && count_elements(names) != count)
        return err_set(err, ERR_CONFIG, "DATABASE_URL has %zu hosts and %zu hostaddr",
                       count_elements(names), count);
    if (port_count > 1 && port_count != count)
        return err_set(err, ERR_CONFIG, "DATABASE_URL has %zu hosts and %zu ports", count,
                       port_count);
    for (size_t i = 0; i < count && !code; i++) {
        struct pg_host host = {.name = NULL};

        code = copy_element(names, i, &host.name);
        if (!code)
            code = copy_element(addresses, i, &host.address);
        if (!code)
            code = copy_element(ports, port_count > 1 ? i : 0, &host.port);
        if (code)
            release_host(&host);
        else
            code = take_resolved(hosts, &host);
    }
    if (code == ERR_TOO_BIG)
        return hosts->count > 0 ? ERR_OK : code; /* the others are left out */
    return code ? err_set(err, code, "out of memory") : ERR_OK;
}

enum err_code pg_hosts_load(struct pg_hosts *hosts, const char *url, struct err *err)
{
    enum err_code code;

    *hosts = (struct pg_hosts){.count = 0};
    code = load_options(hosts, url, err);
    return code ? code : load_list(hosts, err);
}

void pg_hosts_release(struct pg_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        release_host(&hosts->list[i]);
    mem_free(hosts->sslmode);
    PQconninfoFree(hosts->options);
    *hosts = (struct pg_hosts){.count = 0};
}

/* --- the order -------------------------------------------------------------------- */

static void swap(struct pg_hosts *hosts, size_t a, size_t b)
{
    struct pg_host kept = hosts->list[a];

    hosts->list[a] = hosts->list[b];
    hosts->list[b] = kept;
}

static void shuffle(struct pg_hosts *hosts)
{
    for (size_t left = hosts->count; left > 1; left--) {
        unsigned random = 0;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
            return; /* the order stays as it is then */
        swap(hosts, left - 1, random % left);
    }
}

void pg_hosts_order(struct pg_hosts *hosts, uint64_t first_id, bool shuffles)
{
    if (shuffles)
        shuffle(hosts);
    for (size_t i = 1; i < hosts->count; i++) {
        struct pg_host host = hosts->list[i];

        if (host.id != first_id)
            continue;
        memmove(&hosts->list[1], &hosts->list[0], i * sizeof(host));
        hosts->list[0] = host;
        return;
    }
}

const char *pg_hosts_option(const struct pg_hosts *hosts, const char *keyword)
{
    return value_of(hosts->options, keyword);
}

int64_t pg_host_time_ms(int64_t left_ms, size_t attempts)
{
    int64_t share_ms = attempts > 1 ? left_ms / (int64_t)attempts : left_ms;

    return share_ms > PG_HOST_TIME_MIN_MS ? share_ms : PG_HOST_TIME_MIN_MS;
}
