/*
 * Zip archives: the directory of one in memory, checked so that no two members share bytes. Large
 * ones too (zip64); the format is PKWARE's APPNOTE.
 */
#ifndef HC_WEIGHTS_ZIP_H
#define HC_WEIGHTS_ZIP_H

#include "reader.h"

struct zip_member {
    struct hc_text name;
    struct hc_text stored; /* as it lies in the archive */
    uint64_t size;         /* when expanded */
    bool deflated;
    uint32_t crc;
};

struct zip {
    struct zip_member *members; /* ascending by name; from the pool */
    size_t n_members;
};

bool zip_begins(struct hc_text bytes);

enum hc_code zip_read(struct hc_text bytes, struct hc_pool *pool, struct zip *zip,
                      struct hc_error *error);

/* The member whose name is PREFIX, then NAME; NULL when there is none. */
const struct zip_member *zip_find(const struct zip *zip, struct hc_text prefix,
                                  struct hc_text name);

/*
 * The content of a member, which is refused when all that was expanded so far comes to far more
 * than the archive.
 */
enum hc_code zip_content(struct hc_weights_reader *reader, const struct zip_member *member,
                         struct hc_text *content, struct hc_error *error);

#endif
