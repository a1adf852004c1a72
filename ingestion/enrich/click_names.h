/* click_names.h -- the ids that advertisers and networks add to links, one row each.
 *
 *   X(name, KIND, pays)
 *
 *   name  of the key in a url's query, in lower case: as it is stored
 *   KIND  SEARCH or SOCIAL: whose it is
 *   pays  whether it stands on advertisements alone; others are added to every link
 */
#ifndef INGESTION_ENRICH_CLICK_NAMES_H
#define INGESTION_ENRICH_CLICK_NAMES_H

/* clang-format off */
#define CLICK_NAMES(X) \
    X("gclid",     SEARCH, true)  /* Google Ads */ \
    X("gbraid",    SEARCH, true)  /* the same, from apps of iOS */ \
    X("wbraid",    SEARCH, true) \
    X("dclid",     SEARCH, true)  /* Google Display & Video */ \
    X("msclkid",   SEARCH, true)  /* Microsoft Advertising */ \
    X("yclid",     SEARCH, true)  /* Yandex Direct */ \
    X("fbclid",    SOCIAL, false) /* Facebook, Instagram */ \
    X("igshid",    SOCIAL, false) /* Instagram */ \
    X("igsh",      SOCIAL, false) \
    X("ttclid",    SOCIAL, true)  /* TikTok */ \
    X("twclid",    SOCIAL, true)  /* X */ \
    X("li_fat_id", SOCIAL, true)  /* LinkedIn */ \
    X("rdt_cid",   SOCIAL, true)  /* Reddit */ \
    X("epik",      SOCIAL, true)  /* Pinterest */ \
    X("sccid",     SOCIAL, true)  /* Snapchat */
/* clang-format on */

#endif
