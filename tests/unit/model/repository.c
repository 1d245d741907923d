#include "model/repository.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "scratch.h"
#include "test.h"

static void models_are_the_folders_of_all_repositories(void **state) {
    (void)state;
    scratch_make_folder("one/zebra/1");
    scratch_make_folder("one/both");
    scratch_make_folder("one/.git");
    scratch_write_text("one/readme", "");
    scratch_make_folder("two/both");
    scratch_make_folder("two/ape");
    assert_int_equal(symlink("zebra", scratch_path("one/linked")), 0);
    char *one = scratch_path("one");
    char *two = scratch_path("two");
    hc_auto_repository_listing listing = {0};
    assert_int_equal(hc_repository_list((char *[]){one, two, one}, 3, &listing, NULL), HC_OK);
    assert_int_equal(listing.n, 4);
    assert_string_equal(listing.models[0].name, "ape");
    assert_string_equal(listing.models[0].folder, scratch_path("two/ape"));
    assert_string_equal(listing.models[1].name, "both");
    assert_null(listing.models[1].folder);
    assert_string_equal(listing.models[2].name, "linked");
    assert_string_equal(listing.models[3].name, "zebra");
}

static void repositories_in_repositories_are_no_models(void **state) {
    (void)state;
    scratch_make_folder("one/more/a");
    scratch_make_folder("one/model/parts");
    scratch_make_folder("one/versions/parts");
    scratch_make_folder("one/hidden/.a");
    scratch_write_text("one/more/a/config.pbtxt", "");
    scratch_write_text("one/more/readme", "");
    scratch_make_folder("one/more/2nd");
    scratch_write_text("one/model/config.pbtxt", "");
    scratch_write_text("one/model/parts/config.pbtxt", "");
    scratch_write_text("one/versions/parts/config.pbtxt", "");
    scratch_make_folder("one/versions/1");
    scratch_write_text("one/hidden/.a/config.pbtxt", "");
    char *one = scratch_path("one");
    hc_auto_repository_listing listing = {0};
    assert_int_equal(hc_repository_list((char *[]){one}, 1, &listing, NULL), HC_OK);
    assert_int_equal(listing.n, 3);
    assert_string_equal(listing.models[0].name, "hidden");
    assert_string_equal(listing.models[1].name, "model");
    assert_string_equal(listing.models[2].name, "versions");
}

static void a_repository_that_is_not_there_hides_no_other(void **state) {
    (void)state;
    scratch_make_folder("there/m");
    char *there = scratch_path("there");
    char *missing = scratch_path("missing");
    hc_auto_repository_listing listing = {0};
    struct hc_error error;
    char expected[256];
    assert_int_equal(hc_repository_list((char *[]){missing, there}, 2, &listing, &error),
                     HC_INTERNAL);
    snprintf(expected, sizeof expected,
             "failed to poll model repository '%s': No such file or directory", missing);
    assert_string_equal(error.message, expected);
    assert_int_equal(listing.n, 1);
}

static void models_are_found_by_name(void **state) {
    (void)state;
    scratch_make_folder("left/a");
    scratch_make_folder("left/both");
    scratch_make_folder("right/both");
    char *left = scratch_path("left");
    char *right = scratch_path("right");
    char *roots[] = {left, right};
    hc_auto(text) folder = NULL;
    struct hc_error error;
    assert_int_equal(hc_repository_find(roots, 2, "a", &folder, NULL), HC_OK);
    assert_string_equal(folder, scratch_path("left/a"));
    assert_int_equal(hc_repository_find(roots, 2, "both", &folder, &error), HC_INVALID_ARGUMENT);
    assert_string_equal(error.message,
                        "failed to poll model 'both': not unique across all model repositories");
    assert_int_equal(hc_repository_find(roots, 2, "c", &folder, &error), HC_NOT_FOUND);
    assert_string_equal(error.message,
                        "failed to poll model 'c': model not found in any model repository.");
    assert_int_equal(hc_repository_find(roots, 2, "../left/a", &folder, NULL), HC_INVALID_ARGUMENT);
}

static void names_are_no_paths(void **state) {
    (void)state;
    static const struct {
        struct hc_text name;
        bool ok;
    } rows[] = {
        {HC_TEXT("linear"), true}, {HC_TEXT("a.b-c_1"), true}, {HC_TEXT("m\xc3\xa9"), true},
        {HC_TEXT(""), false},      {HC_TEXT("."), false},      {HC_TEXT(".."), false},
        {HC_TEXT("a/b"), false},   {HC_TEXT("/etc"), false},   {HC_TEXT("..\\a"), false},
        {HC_TEXT("a\0b"), false},  {HC_TEXT("a/../b"), false},
    };
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        assert_int_equal(hc_repository_check_name(rows[i].name, NULL) == HC_OK, rows[i].ok);
    }
}

static void assert_versions(const struct hc_versions *versions, const char *expected) {
    hc_auto_buf text = {0};
    for (size_t i = 0; i < versions->n; i++) {
        hc_buf_appendf(&text, "%lld ", (long long)versions->numbers[i]);
    }
    assert_string_equal(hc_buf_string(&text), expected);
}

static void versions_are_folders_named_by_numbers(void **state) {
    (void)state;
    static const char *const folders[] = {
        "10",
        "9",
        "0",
        "01",
        "2x",
        "-3",
        "configs",
        "warmup",
        "initial_state",
        "notes",
        ".5",
        "9223372036854775807",
        "9223372036854775808",
    };
    for (size_t i = 0; i < N_ITEMS(folders); i++) {
        char path[64];
        snprintf(path, sizeof path, "versions/%s", folders[i]);
        scratch_make_folder(path);
    }
    scratch_write_text("versions/11", "no folder");
    hc_auto_versions versions = {0};
    assert_int_equal(hc_repository_versions(scratch_path("versions"), &versions, NULL), HC_OK);
    assert_versions(&versions, "0 9 10 9223372036854775807 ");
    struct hc_error error;
    assert_int_equal(hc_repository_versions("/nowhere", &versions, &error), HC_INTERNAL);
    assert_string_equal(error.message,
                        "failed to open directory /nowhere: No such file or directory");
}

static void the_policy_chooses_versions(void **state) {
    (void)state;
    static const struct {
        const char *policy;
        const char *chosen; /* NULL: none, which is an error */
    } rows[] = {
        {"version_policy { latest { num_versions: 1 } }", "10 "},
        {"version_policy { latest { num_versions: 3 } }", "2 9 10 "},
        {"version_policy { latest { num_versions: 4294967295 } }", "1 2 9 10 "},
        {"version_policy { latest { } }", NULL},
        {"version_policy { all { } }", "1 2 9 10 "},
        {"version_policy { }", "1 2 9 10 "},
        {"version_policy { specific { versions: [ 9, 1, 9, 5 ] } }", "1 9 "},
        {"version_policy { specific { versions: [ 5, -1 ] } }", NULL},
        {"version_policy { specific { } }", NULL},
    };
    static int64_t numbers[] = {1, 2, 9, 10};
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        hc_auto(config) config = NULL;
        hc_auto_versions chosen = {0};
        struct hc_error error;
        assert_int_equal(hc_config_parse(hc_text_of(rows[i].policy), "", &config, NULL), HC_OK);
        enum hc_code code = hc_repository_choose(
            config, &(struct hc_versions){numbers, N_ITEMS(numbers)}, &chosen, &error);
        assert_int_equal(code, rows[i].chosen != NULL ? HC_OK : HC_INVALID_ARGUMENT);
        if (code == HC_OK) {
            assert_versions(&chosen, rows[i].chosen);
        } else {
            assert_string_equal(error.message, "at least one version must be available under the "
                                               "version policy of model ''");
        }
    }
}

static void a_version_has_a_folder_and_a_file(void **state) {
    (void)state;
    hc_auto(config) config = NULL;
    assert_int_equal(
        hc_config_parse(HC_TEXT("default_model_filename: 'model.py'"), "", &config, NULL), HC_OK);
    hc_auto(text) folder = hc_repository_version_folder("/models/m", 3);
    hc_auto(text) file = hc_repository_model_file("/models/m", 3, config);
    assert_string_equal(folder, "/models/m/3");
    assert_string_equal(file, "/models/m/3/model.py");
}

static uint64_t stamp_of(int64_t version) {
    uint64_t stamp;
    assert_int_equal(hc_repository_stamp(scratch_path("m"), version, &stamp, NULL), HC_OK);
    return stamp;
}

static void begin_model(void) {
    scratch_write_text("m/config.pbtxt", "");
    scratch_write_text("m/1/model.py", "");
    scratch_write_text("m/1/part/weights", "");
    scratch_write_text("m/2/model.py", "");
}

static void a_stamp_changes_with_the_files_of_a_version(void **state) {
    (void)state;
    begin_model();
    uint64_t first = stamp_of(1);
    assert_true(stamp_of(1) == first);

    scratch_write_text("m/1/model.py", "changed");
    uint64_t written = stamp_of(1);
    assert_true(written != first);

    scratch_write_text("m/1/part/more", "");
    uint64_t added = stamp_of(1);
    assert_true(added != written);

    assert_int_equal(rename(scratch_path("m/1/part/more"), scratch_path("m/1/part/other")), 0);
    uint64_t renamed = stamp_of(1);
    assert_true(renamed != added);

    assert_int_equal(unlink(scratch_path("m/1/part/other")), 0);
    assert_true(stamp_of(1) == written);

    scratch_write_text("m/labels.txt", "");
    assert_true(stamp_of(1) != written);
}

static void a_stamp_changes_with_an_old_file_of_the_same_size(void **state) {
    (void)state;
    begin_model();
    uint64_t before = stamp_of(1);
    scratch_write_text("m/1/model.py", "");
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path("m/1/model.py"), times, 0), 0);
    assert_true(stamp_of(1) != before);
}

static void a_stamp_does_not_change_with_what_a_version_does_not_read(void **state) {
    (void)state;
    static const char *const paths[] = {
        "m/2/model.py",
        "m/3/model.py",
        "m/config.pbtxt",
        "m/configs/other.pbtxt",
        "m/1/.model.py.swp",
        "m/1/.model.py.swx",
        "m/1/model.py~",
        "m/1/#model.py#",
        "m/1/.#model.py",
        "m/1/4913",
        "m/1/.nfs0001",
        "m/1/__pycache__/model.pyc",
        "m/1/part/__pycache__/x.pyc",
        "m/1/.ipynb_checkpoints/model.py",
    };
    begin_model();
    uint64_t before = stamp_of(1);
    for (size_t i = 0; i < N_ITEMS(paths); i++) {
        scratch_write_text(paths[i], "changed");
        assert_true(stamp_of(1) == before);
    }
}

static void a_stamp_is_taken_in_spite_of_broken_and_circular_links(void **state) {
    (void)state;
    begin_model();
    uint64_t before = stamp_of(1);
    assert_int_equal(symlink("nowhere", scratch_path("m/1/broken")), 0);
    assert_true(stamp_of(1) != before);
    assert_int_equal(symlink("..", scratch_path("m/1/circle")), 0);
    uint64_t after = stamp_of(1);
    assert_true(stamp_of(1) == after);
    uint64_t stamp;
    assert_int_equal(hc_repository_stamp("/nowhere", 1, &stamp, NULL), HC_INTERNAL);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(models_are_the_folders_of_all_repositories),
        IN_SCRATCH(repositories_in_repositories_are_no_models),
        IN_SCRATCH(a_repository_that_is_not_there_hides_no_other),
        IN_SCRATCH(models_are_found_by_name),
        IN_SCRATCH(names_are_no_paths),
        IN_SCRATCH(versions_are_folders_named_by_numbers),
        IN_SCRATCH(the_policy_chooses_versions),
        IN_SCRATCH(a_version_has_a_folder_and_a_file),
        IN_SCRATCH(a_stamp_changes_with_the_files_of_a_version),
        IN_SCRATCH(a_stamp_changes_with_an_old_file_of_the_same_size),
        IN_SCRATCH(a_stamp_does_not_change_with_what_a_version_does_not_read),
        IN_SCRATCH(a_stamp_is_taken_in_spite_of_broken_and_circular_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
