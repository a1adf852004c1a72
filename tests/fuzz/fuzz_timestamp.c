/* fuzz_timestamp.c -- what the contract accepts is accepted, as the same point in time, and
 * nothing else; and a point in time comes back from its canonical form. */
#include "shared/text/timestamp.h"
#include "tests/fuzz/contract_time.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char canonical[TIMESTAMP_TEXT_LEN];
    int64_t ms;
    int64_t again;
    int64_t expected;
    bool is_accepted = timestamp_parse((const char *)data, size, &ms) == ERR_OK;

    MUST(contract_time_accepts((const char *)data, size, &expected) == is_accepted);
    if (!is_accepted) {
        MUST(!timestamp_is_date((const char *)data, size));
        return 0;
    }
    MUST(ms == expected);
    MUST(ms >= TIMESTAMP_MIN_MS && ms <= TIMESTAMP_MAX_MS);
    timestamp_format(ms, canonical);
    MUST(timestamp_parse(canonical, sizeof(canonical), &again) == ERR_OK);
    MUST(again == ms);
    MUST(timestamp_is_date(canonical, 10));
    return 0;
}
