/* fuzz_access.c -- what decides who asks: the lists of proxies, origins and hosts.
 *
 * The first byte says which.  Whatever a client has written in front of it, the client is
 * what the trusted proxy wrote; and whatever a setting takes matches what it says. */
#include <string.h>

#include "shared/access/forwarded.h"
#include "shared/access/hosts.h"
#include "shared/access/origins.h"
#include "tests/fuzz/fuzz.h"

static struct address address_of(const char *text)
{
    struct address address;

    MUST(address_parse(text, strlen(text), &address));
    return address;
}

static void check_forwarded(enum forwarded_form form, const char *made_up, size_t len)
{
    static const char *const ours[] = {
        [FORWARDED_LIST] = ", 192.0.2.1:443, 10.0.0.2",
        [FORWARDED_PAIRS] = ", for=\"192.0.2.1:443\";proto=http, for=10.0.0.2",
    };
    struct networks trusted = {1, {{address_of("10.0.0.0"), 104}}};
    struct address peer = address_of("10.0.0.1");
    struct address wanted = address_of("192.0.2.1");
    size_t tail = strlen(ours[form]);
    char *list = malloc(len + tail);
    struct address client;
    bool is_read;

    MUST(list);
    memcpy(list, made_up, len);
    memcpy(list + len, ours[form], tail);
    client = forwarded_client(&(struct forwarded){form, list, len + tail}, &peer,
                              &trusted, &is_read);
    MUST(is_read && memcmp(client.bytes, wanted.bytes, sizeof(wanted.bytes)) == 0);
    /* And nothing else than an answer is wanted of the list alone. */
    (void)forwarded_client(&(struct forwarded){form, list, len}, &peer, &trusted,
                           &is_read);
    free(list);
}

static void check_origins(const char *text)
{
    struct origins origins;
    struct err err;

    if (origins_parse(text, false, &origins, &err))
        return;
    for (size_t i = 0; i < origins.count; i++)
        MUST(origins_have(&origins, origins.items[i].text));
    MUST(!origins_have(&origins, ""));
    MUST(origins.has_all || !origins_have(&origins, "null"));
    origins_release(&origins);
}

static void check_hosts(const char *text)
{
    struct hosts hosts;
    struct err err;

    (void)hosts_have(&(struct hosts){.has_all = false}, text);
    if (hosts_parse(text, &hosts, &err))
        return;
    for (size_t i = 0; i < hosts.names.count; i++) {
        const char *name = hosts.names.items[i];
        if (strncmp(name, "*.", 2) == 0)
            name += 2;
        MUST(hosts.has_all || hosts_have(&hosts, name));
    }
    hosts_release(&hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (size > 0) {
        switch (text[0]) {
        case 'l':
            check_forwarded(FORWARDED_LIST, text + 1, size - 1);
            break;
        case 'p':
            check_forwarded(FORWARDED_PAIRS, text + 1, size - 1);
            break;
        case 'o':
            check_origins(text + 1);
            break;
        default:
            check_hosts(text + 1);
            break;
        }
    }
    free(text);
    return 0;
}
