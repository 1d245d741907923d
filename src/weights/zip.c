/* Zip archives: the end record, the directory, the members. */
#include "zip.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"
#include "bytes.h"

enum {
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    ENTRY_SIGNATURE = 0x02014b50,
    LOCAL_SIGNATURE = 0x04034b50,
    END_SIZE = 22,
    LOCATOR64_SIZE = 20,
    MAX_COMMENT = 0xffff,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    EXTRA_ZIP64 = 1,
    MAX_MEMBERS = 1 << 17,
};

/* Expanded members may come to this much, and so many times the archive: weights hardly shrink. */
static const size_t expanded_allowance = (size_t)64 << 20;
static const size_t expanded_factor = 16;

struct directory {
    uint64_t n_members;
    uint64_t offset;
    uint64_t size;
};

static enum hc_code broken(const char *what, struct hc_error *error) {
    return hc_error_set(error, HC_INVALID_ARGUMENT, "is not a sound zip archive: %s", what);
}

bool zip_begins(struct hc_text bytes) {
    return bytes.size >= 4 && memcmp(bytes.data, "PK\3\4", 4) == 0;
}

/* Numbers one after the other, each of its width in bytes. */
static bool read_numbers(struct bytes *bytes, const uint8_t *widths, size_t n, uint64_t *numbers) {
    for (size_t i = 0; i < n; i++) {
        if (!bytes_number(bytes, widths[i], &numbers[i])) {
            return false;
        }
    }
    return true;
}

static bool is_signature(struct hc_text bytes, size_t at, uint32_t signature) {
    struct bytes reader = {bytes.data, bytes.size, at};
    uint64_t number;
    return bytes_number(&reader, 4, &number) && number == signature;
}

/* Where the end record is: the last thing in the file but for a comment. */
static bool find_end(struct hc_text bytes, size_t *end) {
    if (bytes.size < END_SIZE) {
        return false;
    }
    size_t last = bytes.size - END_SIZE;
    size_t first = last > MAX_COMMENT ? last - MAX_COMMENT : 0;
    for (size_t at = last + 1; at-- > first;) {
        if (is_signature(bytes, at, END_SIGNATURE)) {
            *end = at;
            return true;
        }
    }
    return false;
}

/* A large archive has a second end record, told by a locator before the first. */
static bool read_end64(struct hc_text bytes, size_t end, struct directory *directory) {
    uint64_t offset;
    struct bytes locator = {bytes.data, bytes.size, end - LOCATOR64_SIZE + 8};
    if (!bytes_number(&locator, 8, &offset) || offset > bytes.size ||
        !is_signature(bytes, offset, END64_SIGNATURE)) {
        return false;
    }
    struct bytes record = {bytes.data, bytes.size, offset};
    uint64_t numbers[10]; /* signature, size, versions, disks, members here, all, size, offset */
    static const uint8_t widths[] = {4, 8, 2, 2, 4, 4, 8, 8, 8, 8};
    if (!read_numbers(&record, widths, 10, numbers)) {
        return false;
    }
    *directory = (struct directory){numbers[7], numbers[9], numbers[8]};
    return true;
}

static bool read_end(struct hc_text bytes, size_t end, struct directory *directory) {
    if (end >= LOCATOR64_SIZE && is_signature(bytes, end - LOCATOR64_SIZE, LOCATOR64_SIGNATURE)) {
        return read_end64(bytes, end, directory);
    }
    struct bytes record = {bytes.data, bytes.size, end};
    uint64_t numbers[7]; /* signature, disks, members here, all, size, offset */
    static const uint8_t widths[] = {4, 2, 2, 2, 2, 4, 4};
    if (!read_numbers(&record, widths, 7, numbers)) {
        return false;
    }
    *directory = (struct directory){numbers[4], numbers[6], numbers[5]};
    return true;
}

struct entry {
    uint64_t flags;
    uint64_t method;
    uint64_t crc;
    uint64_t stored_size;
    uint64_t size;
    uint64_t local_offset;
    struct hc_text name;
};

/* The extra field of a large member has what did not fit, in this order. */
static bool read_extra(struct hc_text extra, struct entry *entry) {
    struct bytes bytes = {extra.data, extra.size, 0};
    uint64_t *const places[] = {&entry->size, &entry->stored_size, &entry->local_offset};
    while (bytes_left(&bytes) >= 4) {
        uint64_t id;
        uint64_t size;
        struct hc_text field;
        if (!bytes_number(&bytes, 2, &id) || !bytes_number(&bytes, 2, &size) ||
            !bytes_text(&bytes, size, &field)) {
            return false;
        }
        struct bytes numbers = {field.data, field.size, 0};
        for (size_t i = 0; i < 3 && id == EXTRA_ZIP64; i++) {
            if (*places[i] == UINT32_MAX && !bytes_number(&numbers, 8, places[i])) {
                return false;
            }
        }
    }
    return true;
}

static bool read_entry(struct bytes *bytes, struct entry *entry) {
    static const uint8_t widths[] = {4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4};
    uint64_t numbers[17];
    struct hc_text extra;
    struct hc_text comment;
    if (!read_numbers(bytes, widths, 17, numbers) || numbers[0] != ENTRY_SIGNATURE) {
        return false;
    }
    *entry = (struct entry){
        .flags = numbers[3],
        .method = numbers[4],
        .crc = numbers[7],
        .stored_size = numbers[8],
        .size = numbers[9],
        .local_offset = numbers[16],
    };
    return bytes_text(bytes, numbers[10], &entry->name) && bytes_text(bytes, numbers[11], &extra) &&
           bytes_text(bytes, numbers[12], &comment) && read_extra(extra, entry);
}

/* Where the member's bytes are: behind its local header, whose name and extra field it skips. */
static bool find_stored(struct hc_text bytes, const struct entry *entry, struct hc_text *stored) {
    static const uint8_t widths[] = {4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2};
    uint64_t numbers[11];
    struct hc_text skipped;
    if (entry->local_offset > bytes.size) {
        return false;
    }
    struct bytes local = {bytes.data, bytes.size, entry->local_offset};
    return read_numbers(&local, widths, 11, numbers) && numbers[0] == LOCAL_SIGNATURE &&
           bytes_text(&local, numbers[9], &skipped) && hc_text_equal(skipped, entry->name) &&
           bytes_text(&local, numbers[10], &skipped) &&
           bytes_text(&local, entry->stored_size, stored);
}

static enum hc_code make_member(struct hc_text bytes, const struct entry *entry,
                                struct zip_member *member, struct hc_error *error) {
    if ((entry->flags & FLAG_ENCRYPTED) != 0 ||
        (entry->method != METHOD_STORED && entry->method != METHOD_DEFLATED)) {
        return hc_error_set(error, HC_UNIMPLEMENTED,
                            "its member '%.*s' is encrypted or compressed by a method other than "
                            "deflate",
                            HC_TEXT_ARGS(entry->name));
    }
    *member = (struct zip_member){
        .name = entry->name,
        .size = entry->size,
        .deflated = entry->method == METHOD_DEFLATED,
        .crc = (uint32_t)entry->crc,
    };
    if (!find_stored(bytes, entry, &member->stored)) {
        return broken("a member reaches beyond the end", error);
    }
    if (!member->deflated && entry->size != entry->stored_size) {
        return broken("a member has two sizes", error);
    }
    return HC_OK;
}

static int compare_places(const void *a, const void *b) {
    const char *first = ((const struct zip_member *)a)->stored.data;
    const char *second = ((const struct zip_member *)b)->stored.data;
    return (first > second) - (first < second);
}

static int compare_names(const void *a, const void *b) {
    struct hc_text first = ((const struct zip_member *)a)->name;
    struct hc_text second = ((const struct zip_member *)b)->name;
    size_t size = first.size < second.size ? first.size : second.size;
    int order = size > 0 ? memcmp(first.data, second.data, size) : 0;
    return order != 0 ? order : (first.size > second.size) - (first.size < second.size);
}

static enum hc_code check_apart(struct zip *zip, struct hc_error *error) {
    qsort(zip->members, zip->n_members, sizeof *zip->members, compare_places);
    for (size_t i = 1; i < zip->n_members; i++) {
        struct hc_text before = zip->members[i - 1].stored;
        if (before.data + before.size > zip->members[i].stored.data) {
            return broken("members overlap", error);
        }
    }
    qsort(zip->members, zip->n_members, sizeof *zip->members, compare_names);
    for (size_t i = 1; i < zip->n_members; i++) {
        if (hc_text_equal(zip->members[i - 1].name, zip->members[i].name)) {
            return broken("two members have the same name", error);
        }
    }
    return HC_OK;
}

enum hc_code zip_read(struct hc_text bytes, struct hc_pool *pool, struct zip *zip,
                      struct hc_error *error) {
    size_t end;
    struct directory directory;
    if (!find_end(bytes, &end) || !read_end(bytes, end, &directory)) {
        return broken("its end is missing", error);
    }
    if (directory.offset > bytes.size || directory.n_members > MAX_MEMBERS) {
        return broken("its directory is not in it", error);
    }
    struct bytes entries = {bytes.data, bytes.size, directory.offset};
    zip->members = hc_pool_alloc(pool, directory.n_members * sizeof *zip->members);
    zip->n_members = 0;
    for (uint64_t i = 0; i < directory.n_members; i++) {
        struct entry entry;
        if (!read_entry(&entries, &entry)) {
            return broken("its directory is cut short", error);
        }
        HC_TRY(make_member(bytes, &entry, &zip->members[zip->n_members++], error));
    }
    return check_apart(zip, error);
}

const struct zip_member *zip_find(const struct zip *zip, struct hc_text prefix,
                                  struct hc_text name) {
    char joined[512];
    if (prefix.size + name.size > sizeof joined) {
        return NULL;
    }
    memcpy(joined, prefix.data, prefix.size);
    memcpy(joined + prefix.size, name.data, name.size);
    const struct zip_member key = {.name = {joined, prefix.size + name.size}};
    return bsearch(&key, zip->members, zip->n_members, sizeof *zip->members, compare_names);
}

/* zlib counts in unsigned int, so large members take several rounds. */
static bool inflate_all(struct hc_text from, char *to, size_t size) {
    static const size_t most = (size_t)1 << 30;
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return false;
    }
    size_t in_left = from.size;
    size_t out_left = size;
    int result = Z_OK;
    stream.next_in = (const Bytef *)from.data;
    stream.next_out = (Bytef *)to;
    while (result == Z_OK) {
        stream.avail_in = (uInt)(in_left < most ? in_left : most);
        stream.avail_out = (uInt)(out_left < most ? out_left : most);
        uInt in_before = stream.avail_in;
        uInt out_before = stream.avail_out;
        result = inflate(&stream, Z_NO_FLUSH);
        in_left -= in_before - stream.avail_in;
        out_left -= out_before - stream.avail_out;
        if (in_before == stream.avail_in && out_before == stream.avail_out) {
            break;
        }
    }
    inflateEnd(&stream);
    return result == Z_STREAM_END && in_left == 0 && out_left == 0;
}

static bool may_expand(struct hc_weights_reader *reader, uint64_t size) {
    size_t limit;
    if (!hc_size_mul(reader->archive_size, expanded_factor, &limit) ||
        !hc_size_add(limit, expanded_allowance, &limit)) {
        limit = SIZE_MAX;
    }
    if (size > limit || reader->expanded_size > limit - size) {
        return false;
    }
    reader->expanded_size += size;
    return true;
}

enum hc_code zip_content(struct hc_weights_reader *reader, const struct zip_member *member,
                         struct hc_text *content, struct hc_error *error) {
    if (!member->deflated || member->size == 0) {
        *content = member->stored;
        return HC_OK;
    }
    if (!may_expand(reader, member->size)) {
        return hc_error_set(error, HC_INVALID_ARGUMENT,
                            "its member '%.*s' of %llu bytes expands far beyond what weights do",
                            HC_TEXT_ARGS(member->name), (unsigned long long)member->size);
    }
    char *memory;
    HC_TRY(reader_memory(reader, member->size, &memory, error));
    if (!inflate_all(member->stored, memory, member->size) ||
        crc32_z(0, (const Bytef *)memory, member->size) != member->crc) {
        return hc_error_set(error, HC_INVALID_ARGUMENT, "its member '%.*s' is damaged",
                            HC_TEXT_ARGS(member->name));
    }
    reader->result.content_size += member->size;
    *content = (struct hc_text){memory, member->size};
    return HC_OK;
}
