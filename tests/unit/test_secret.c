/* test_secret.c -- secrets, lists of words, and the keyed hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/access/secret.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"
#include "shared/text/words.h"

static void test_bearer_is_right_only_when_it_is_the_secret(void **state)
{
    (void)state;
    assert_true(secret_is_bearer("Bearer s3cret", "s3cret"));
    assert_true(secret_is_bearer("bearer s3cret", "s3cret"));
    assert_false(secret_is_bearer(NULL, "s3cret"));
    assert_false(secret_is_bearer("", "s3cret"));
    assert_false(secret_is_bearer("Bearer ", "s3cret"));
    assert_false(secret_is_bearer("Bearer s3cre", "s3cret"));
    assert_false(secret_is_bearer("Bearer s3crets", "s3cret"));
    assert_false(secret_is_bearer("Bearer s3crets3cret", "s3cret"));
    assert_false(secret_is_bearer("Bearer S3CRET", "s3cret"));
    assert_false(secret_is_bearer("Basic s3cret", "s3cret"));
    assert_false(secret_is_bearer("s3cret", "s3cret"));
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_secret_comes_from_the_first_line_of_a_file(void **state)
{
    char path[] = "/tmp/test_secret.XXXXXX";
    int fd = mkstemp(path);
    char *secret = NULL;
    struct err err;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    write_file(path, "s3cret\r\nsecond line\n");
    assert_int_equal(secret_load("", path, &secret, &err), ERR_OK);
    assert_string_equal(secret, "s3cret");
    mem_free(secret);
    assert_int_equal(secret_load("x", path, &secret, &err), ERR_CONFIG);
    write_file(path, "\n");
    assert_int_equal(secret_load("", path, &secret, &err), ERR_CONFIG);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(secret_load("", path, &secret, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, path));
    assert_int_equal(secret_load("", "", &secret, &err), ERR_OK);
    assert_null(secret);
}

static void test_words_are_found_whole(void **state)
{
    struct words words;
    struct err err;

    (void)state;
    assert_int_equal(words_parse(" b ,a,, long word,\tab", &words, &err), ERR_OK);
    assert_int_equal(words.count, 4);
    assert_true(words_has(&words, "a", 1));
    assert_true(words_has(&words, "ab", 2));
    assert_true(words_has(&words, "abc", 2));
    assert_true(words_has(&words, "b", 1));
    assert_true(words_has(&words, "long word", 9));
    assert_false(words_has(&words, "", 0));
    assert_false(words_has(&words, "long", 4));
    assert_false(words_has(&words, "abc", 3));
    assert_false(words_has(&words, "c", 1));
    words_release(&words);
    assert_int_equal(words_parse("", &words, &err), ERR_OK);
    assert_int_equal(words.count, 0);
    assert_false(words_has(&words, "a", 1));
    words_release(&words);
}

static void test_words_survive_each_failed_allocation(void **state)
{
    (void)state;
    for (long after = 0;; after++) {
        struct words words;
        struct err err;
        enum err_code code;
        mem_fail_after(after);
        code = words_parse("a,b", &words, &err);
        mem_fail_after(-1);
        if (!code) {
            assert_true(after > 0);
            words_release(&words);
            return;
        }
        assert_int_equal(code, ERR_NOMEM);
    }
}

/* The example of the paper's appendix A, and the first values of its reference code. */
static void test_siphash_gives_the_values_of_the_paper(void **state)
{
    const struct siphash_key key = {.k0 = 0x0706050403020100ULL,
                                    .k1 = 0x0f0e0d0c0b0a0908ULL};
    unsigned char bytes[15];

    (void)state;
    for (unsigned char i = 0; i < sizeof(bytes); i++)
        bytes[i] = i;
    assert_true(siphash(&key, bytes, 15) == 0xa129ca6149be45e5ULL);
    assert_true(siphash(&key, bytes, 0) == 0x726fdb47dd0e0e31ULL);
    assert_true(siphash(&key, bytes, 1) == 0x74f839c593dc67fdULL);
}

static void test_siphash_is_the_same_for_bytes_in_pieces(void **state)
{
    struct siphash_key key;
    unsigned char bytes[40];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    key = siphash_key_of(bytes);
    assert_true(key.k0 == 0x0706050403020100ULL && key.k1 == 0x0f0e0d0c0b0a0908ULL);
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        struct siphash_state pieces = siphash_begin(&key);
        siphash_add(&pieces, bytes, cut);
        siphash_add(&pieces, bytes + cut, sizeof(bytes) - cut);
        assert_true(siphash_end(&pieces) == siphash(&key, bytes, sizeof(bytes)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bearer_is_right_only_when_it_is_the_secret),
        cmocka_unit_test(test_secret_comes_from_the_first_line_of_a_file),
        cmocka_unit_test(test_words_are_found_whole),
        cmocka_unit_test(test_words_survive_each_failed_allocation),
        cmocka_unit_test(test_siphash_gives_the_values_of_the_paper),
        cmocka_unit_test(test_siphash_is_the_same_for_bytes_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
