/* place.c -- see place.h. */
#include "ingestion/enrich/place.h"

#include <stdio.h>
#include <string.h>

#include "ingestion/enrich/geo/mmdb.h"
#include "ingestion/enrich/geo/ranges.h"
#include "shared/access/address.h"
#include "shared/base/mem.h"

enum {
    ORIGIN_MAX = 256,
};

struct places {
    struct mmdb *mmdb;     /* owned; NULL: none */
    struct ranges *ranges; /* owned; NULL: none */
    char origin[ORIGIN_MAX];
};

static enum err_code load_text(struct places *places, const char *folder, struct err *err)
{
    enum err_code code = ranges_load(folder, &places->ranges, err);

    if (code == ERR_NOT_FOUND && strcmp(folder, PLACES_TEXT_DIR) == 0)
        return ERR_OK;
    if (code == ERR_NOT_FOUND)
        err->code = code = ERR_CONFIG;
    if (code)
        return err_wrap(err, "GEOIP_TEXT_DIR");
    (void)snprintf(places->origin, sizeof(places->origin),
                   "countries by the files in %.100s (IPFire Location, CC BY-SA 4.0, "
                   "https://location.ipfire.org)",
                   folder);
    return ERR_OK;
}

static enum err_code open_db(struct places *places, const char *path, struct err *err)
{
    if (mmdb_open(path, &places->mmdb, err))
        return err_wrap(err, "GEOIP_DB");
    (void)snprintf(places->origin, sizeof(places->origin),
                   "places by %.100s (%.60s; mind its licence)", path,
                   mmdb_type(places->mmdb));
    return ERR_OK;
}

enum err_code places_new(const char *geoip_db, const char *text_dir,
                         struct places **ret_places, struct err *err)
{
    struct places *places = mem_calloc(1, sizeof(*places));
    enum err_code code = ERR_OK;

    if (!places)
        return err_set(err, ERR_NOMEM, "out of memory");
    (void)snprintf(places->origin, sizeof(places->origin),
                   "no places: there is no database of addresses");
    if (geoip_db[0])
        code = open_db(places, geoip_db, err);
    else if (text_dir[0])
        code = load_text(places, text_dir, err);
    if (code) {
        places_free(places);
        return code;
    }
    *ret_places = places;
    return ERR_OK;
}

void places_free(struct places *places)
{
    if (!places)
        return;
    mmdb_close(places->mmdb);
    ranges_free(places->ranges);
    mem_free(places);
}

const char *places_origin(const struct places *places)
{
    return places->origin;
}

void place_find(const struct places *places, const struct address *address,
                struct place *ret_place)
{
    *ret_place = (struct place){.country = ""};
    if (places->mmdb)
        mmdb_find(places->mmdb, address, ret_place);
    else if (places->ranges)
        (void)ranges_find(places->ranges, address, ret_place->country);
}
