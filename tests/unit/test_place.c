/* test_place.c -- the place of an address, by a database and by text files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingestion/enrich/geo/ranges.h"
#include "ingestion/enrich/place.h"
#include "shared/access/address.h"
#include "shared/base/mem.h"

#define DATABASE TEST_DATA "/places.mmdb"

static struct address address_of(const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

/* "country/region/city" of an address. */
static const char *find(const struct places *places, const char *text)
{
    static char found[300];
    struct address address = address_of(text);
    struct place place;

    place_find(places, &address, &place);
    (void)snprintf(found, sizeof(found), "%s/%s/%s", place.country, place.region,
                   place.city);
    return found;
}

static void test_a_database_names_country_region_and_city(void **state)
{
    struct places *places = NULL;
    struct err err;

    (void)state;
    assert_int_equal(places_new(DATABASE, "/nowhere", &places, &err), ERR_OK);
    assert_non_null(strstr(places_origin(places), "Test-City"));
    assert_string_equal(find(places, "192.0.2.1"), "DE/DE-BE/Berlin");
    assert_string_equal(find(places, "192.0.2.200"), "JP//T\xc5\x8dky\xc5\x8d");
    assert_string_equal(find(places, "2001:db8::1"), "NP//");
    assert_string_equal(find(places, "10.0.0.1"), "//");
    assert_string_equal(find(places, "2001:db9::1"), "//");
    places_free(places);
}

static void test_a_flat_database_is_understood_too(void **state)
{
    struct places *places = NULL;
    struct err err;

    (void)state;
    assert_int_equal(places_new(DATABASE, "", &places, &err), ERR_OK);
    assert_string_equal(find(places, "198.51.100.1"), "US/US-CA/Mountain View");
    assert_string_equal(find(places, "203.0.113.1"), "FR//");
    /* "Germany" is no country, "B/E" no region, \xff\xfe no text. */
    assert_string_equal(find(places, "203.0.113.200"), "//");
    places_free(places);
}

/* A folder with files of the given text; "" for none of that name. */
static void write_file(const char *folder, const char *name, const char *text)
{
    char path[300];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)unlink(path);
    if (text[0] == '\0')
        return;
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static const char *folder_of(const char *v4, const char *v6)
{
    static char folder[64];

    (void)snprintf(folder, sizeof(folder), "/tmp/test_place.XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_file(folder, "geoip", v4);
    write_file(folder, "geoip6", v6);
    return folder;
}

static void remove_folder(const char *folder)
{
    write_file(folder, "geoip", "");
    write_file(folder, "geoip6", "");
    (void)rmdir(folder);
}

static void test_text_files_name_the_country(void **state)
{
    const char *folder = folder_of(
        "# a comment\n\n15726992,15726999,??\n16777216,16777471,AU\n"
        "16777472,16778239,CN\n16778240,16778240,AU\r\n4294967295,4294967295,ZZ\n",
        "2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n"
        "2001:db8:0:0:8000::,2001:db8:0:0:8000::ffff,DE\n"
        "ffff::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,NZ\n");
    static const char *const rows[][2] = {
        {"0.239.248.144", "//"},
        {"0.255.255.255", "//"},
        {"1.0.0.0", "AU//"},
        {"1.0.0.255", "AU//"},
        {"1.0.1.0", "CN//"},
        {"1.0.3.255", "CN//"},
        {"1.0.4.0", "AU//"},
        {"1.0.4.1", "//"},
        {"255.255.255.255", "ZZ//"},
        {"2001:1ff::", "//"},
        {"2001:200::1", "JP//"},
        {"2001:201::", "//"},
        {"2001:db8::", "//"},
        {"ffff::1", "NZ//"},
        {"::", "//"},
        {"2001:db8::8000:0:0:0", "DE//"},
        {"2001:db8::8000:0:0:ffff", "DE//"},
        {"2001:db8::8000:0:1:0", "//"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "NZ//"},
    };
    struct places *places = NULL;
    struct err err;

    (void)state;
    assert_int_equal(places_new("", folder, &places, &err), ERR_OK);
    assert_non_null(strstr(places_origin(places), "CC BY-SA 4.0"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(find(places, rows[i][0]), rows[i][1]) != 0)
            fail_msg("%s is in %s, not %s", rows[i][0], find(places, rows[i][0]),
                     rows[i][1]);
    places_free(places);
    remove_folder(folder);
}

static void test_one_of_the_two_text_files_may_be_missing(void **state)
{
    const char *folder = folder_of("1,2,DE\n", "");
    struct places *places = NULL;
    struct err err;

    (void)state;
    assert_int_equal(places_new("", folder, &places, &err), ERR_OK);
    assert_string_equal(find(places, "0.0.0.2"), "DE//");
    places_free(places);
    write_file(folder, "geoip", "");
    write_file(folder, "geoip6", "::1,::2,DE\n");
    assert_int_equal(places_new("", folder, &places, &err), ERR_OK);
    assert_string_equal(find(places, "::2"), "DE//");
    places_free(places);
    remove_folder(folder);
}

static void test_neighbours_of_one_country_are_kept_as_one(void **state)
{
    const char *folder = folder_of("1,2,DE\n3,4,DE\n5,9,FR\n", "");
    struct ranges *ranges = NULL;
    struct err err;

    (void)state;
    assert_int_equal(ranges_load(folder, &ranges, &err), ERR_OK);
    assert_int_equal(ranges_count(ranges), 3); /* DE, FR, none */
    ranges_free(ranges);
    remove_folder(folder);
}

static void test_a_line_that_is_no_range_is_named(void **state)
{
    static const char *const rows[][2] = {
        {"1,2,DE\nnonsense\n", "line 2 is no range"},
        {"1,2\n", "line 1 is no range"},
        {"2,1,DE\n", "line 1 is no range"},
        {"1,2,DEU\n", "line 1 is no range"},
        {"1,4294967296,DE\n", "line 1 is no range"},
        {"1,99999999999999999999,DE\n", "line 1 is no range"},
        {",2,DE\n", "line 1 is no range"},
        {"5,6,DE\n1,2,DE\n", "line 2: is not in order"},
        {"5,9,DE\n9,9,FR\n", "line 2: is not in order"},
        {"# nothing but this\n", "it has no ranges"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *folder = folder_of(rows[i][0], "");
        struct places *places = NULL;
        struct err err;
        assert_int_equal(places_new("", folder, &places, &err), ERR_CONFIG);
        assert_non_null(strstr(err.msg, "GEOIP_TEXT_DIR: could not read"));
        if (!strstr(err.msg, rows[i][1]))
            fail_msg("%s, not %s", err.msg, rows[i][1]);
        remove_folder(folder);
    }
}

static void test_without_a_database_no_address_has_a_place(void **state)
{
    struct places *places = NULL;
    struct err err;

    (void)state;
    assert_int_equal(places_new("", "", &places, &err), ERR_OK);
    assert_string_equal(find(places, "192.0.2.1"), "//");
    assert_non_null(strstr(places_origin(places), "no places"));
    places_free(places);
}

static void test_a_setting_that_names_no_database_is_refused(void **state)
{
    struct places *places = NULL;
    struct err err;

    (void)state;
    assert_int_equal(places_new("/nowhere/x.mmdb", "", &places, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "GEOIP_DB"));
    assert_non_null(strstr(err.msg, "/nowhere/x.mmdb"));
    assert_int_equal(places_new("/dev/null", "", &places, &err), ERR_CONFIG);
    assert_int_equal(places_new(TEST_DATA "/access.log.gz", "", &places, &err),
                     ERR_CONFIG);
    assert_int_equal(places_new("", "/nowhere", &places, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "GEOIP_TEXT_DIR"));
    assert_null(places);
}

static void test_a_header_gives_the_country_it_names(void **state)
{
    static const char *const rows[][2] = {
        {"DE", "DE"}, {"de", "DE"}, {"XX", ""},  {"T1", ""},
        {"", ""},     {"D", ""},    {"DEU", ""}, {"D\xc3", ""},
    };
    struct place place;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        place = (struct place){.country = ""};
        place_of_header(rows[i][0], &place);
        assert_string_equal(place.country, rows[i][1]);
    }
    place = (struct place){"DE", "DE-BE", "Berlin"};
    place_of_header("XX", &place);
    place_of_header("de", &place);
    assert_string_equal(place.city, "Berlin");
    place_of_header("FR", &place);
    assert_string_equal(place.country, "FR");
    assert_string_equal(place.region, "");
    assert_string_equal(place.city, "");
}

static void test_a_long_city_is_cut_between_characters(void **state)
{
    struct place place = {.country = ""};
    char name[400];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(name); i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    place_set_city(&place, name, sizeof(name));
    assert_int_equal(strlen(place.city), 254);
    place_set_city(&place, "a\x01", 2);
    assert_int_equal(strlen(place.city), 254); /* left as it was */
}

static void test_memory_may_run_out_while_a_file_is_read(void **state)
{
    const char *folder = folder_of("1,2,DE\n4,5,FR\n", "::1,::2,DE\n");

    (void)state;
    for (long after = 0;; after++) {
        struct places *places = NULL;
        struct err err;
        enum err_code code;

        mem_fail_after(after);
        code = places_new("", folder, &places, &err);
        mem_fail_after(-1);
        places_free(places);
        if (!code)
            break;
        assert_int_equal(code, ERR_NOMEM);
    }
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_database_names_country_region_and_city),
        cmocka_unit_test(test_a_flat_database_is_understood_too),
        cmocka_unit_test(test_text_files_name_the_country),
        cmocka_unit_test(test_one_of_the_two_text_files_may_be_missing),
        cmocka_unit_test(test_neighbours_of_one_country_are_kept_as_one),
        cmocka_unit_test(test_a_line_that_is_no_range_is_named),
        cmocka_unit_test(test_without_a_database_no_address_has_a_place),
        cmocka_unit_test(test_a_setting_that_names_no_database_is_refused),
        cmocka_unit_test(test_a_header_gives_the_country_it_names),
        cmocka_unit_test(test_a_long_city_is_cut_between_characters),
        cmocka_unit_test(test_memory_may_run_out_while_a_file_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
