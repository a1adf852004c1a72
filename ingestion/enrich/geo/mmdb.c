/* mmdb.c -- see mmdb.h. */
#include "ingestion/enrich/geo/mmdb.h"

#include <netinet/in.h>
#include <string.h>

#include <maxminddb.h>

#include "ingestion/enrich/geo/place_text.h"
#include "shared/access/address.h"
#include "shared/base/mem.h"

enum {
    KEYS_MAX = 4,     /* of a path into a record, with its end */
    IPV4_OFFSET = 12, /* of an IPv4 address in its IPv6 form */
    CODE_MAX = 3,     /* of the part of ISO 3166-2 after the country */
};

struct mmdb {
    MMDB_s file; /* owned */
};

/* Where databases keep a text: in MaxMind's and DB-IP's, else in those of IPinfo. */
struct place_path {
    const char *keys[KEYS_MAX];
};

static const struct place_path country_paths[] = {
    {{"country", "iso_code"}},
    {{"country_code"}},
    {{"country"}},
};

static const struct place_path region_paths[] = {
    {{"subdivisions", "0", "iso_code"}},
    {{"region_code"}},
};

static const struct place_path city_paths[] = {
    {{"city", "names", "en"}},
    {{"city"}},
};

static enum err_code mmdb_err(int status, const char *path, struct err *err)
{
    if (status == MMDB_OUT_OF_MEMORY_ERROR)
        return err_set(err, ERR_NOMEM, "out of memory");
    return err_set(err, ERR_CONFIG, "could not open the database \"%s\": %s", path,
                   MMDB_strerror(status));
}

enum err_code mmdb_open(const char *path, struct mmdb **ret_mmdb, struct err *err)
{
    struct mmdb *mmdb = mem_calloc(1, sizeof(*mmdb));
    int status;

    if (!mmdb)
        return err_set(err, ERR_NOMEM, "out of memory");
    status = MMDB_open(path, MMDB_MODE_MMAP, &mmdb->file);
    if (status != MMDB_SUCCESS) {
        mem_free(mmdb);
        return mmdb_err(status, path, err);
    }
    *ret_mmdb = mmdb;
    return ERR_OK;
}

void mmdb_close(struct mmdb *mmdb)
{
    if (!mmdb)
        return;
    MMDB_close(&mmdb->file);
    mem_free(mmdb);
}

const char *mmdb_type(const struct mmdb *mmdb)
{
    const char *type = mmdb->file.metadata.database_type;

    return type ? type : "";
}

/* The first text that there is; false when there is none. */
static bool text_at(MMDB_entry_s *entry, const struct place_path *paths, size_t count,
                    MMDB_entry_data_s *ret)
{
    for (size_t i = 0; i < count; i++) {
        int status = MMDB_aget_value(entry, ret, paths[i].keys);
        if (status == MMDB_SUCCESS && ret->has_data &&
            ret->type == MMDB_DATA_TYPE_UTF8_STRING && ret->data_size > 0)
            return true;
    }
    return false;
}

static MMDB_lookup_result_s look_up(const struct mmdb *mmdb,
                                    const struct address *address, int *ret_status)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const struct sockaddr *socket = (const struct sockaddr *)&v6;

    if (address_is_v4(address)) {
        memcpy(&v4.sin_addr, address->bytes + IPV4_OFFSET, sizeof(v4.sin_addr));
        socket = (const struct sockaddr *)&v4;
    } else {
        memcpy(&v6.sin6_addr, address->bytes, sizeof(v6.sin6_addr));
    }
    return MMDB_lookup_sockaddr(&mmdb->file, socket, ret_status);
}

#define TEXT_AT(entry, paths, ret)                                                       \
    text_at((entry), (paths), sizeof(paths) / sizeof((paths)[0]), (ret))

void mmdb_find(const struct mmdb *mmdb, const struct address *address,
               struct place *ret_place)
{
    int status = MMDB_SUCCESS;
    MMDB_lookup_result_s result = look_up(mmdb, address, &status);
    MMDB_entry_data_s text;

    if (status != MMDB_SUCCESS || !result.found_entry)
        return;
    if (TEXT_AT(&result.entry, country_paths, &text))
        place_set_country(ret_place, text.utf8_string, text.data_size);
    if (TEXT_AT(&result.entry, region_paths, &text) && text.data_size <= CODE_MAX)
        place_set_region(ret_place, text.utf8_string, text.data_size);
    if (TEXT_AT(&result.entry, city_paths, &text))
        place_set_city(ret_place, text.utf8_string, text.data_size);
}
