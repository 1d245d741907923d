/*
 * Which line of a config a message is about: checks work on what was read, which has no lines. A
 * message names in quotes what it is about, or a part of the config in plain words.
 */
#include <ctype.h>
#include <string.h>

#include "check_repository.h"

/* Words of messages, and the field that they are about. */
static const struct {
    const char *words;
    const char *field;
} subjects[] = {
    {"max_batch_size", "max_batch_size"},
    {"version policy", "version_policy"},
    {"num_versions", "version_policy"},
    {"instance group", "instance_group"},
    {"dynamic batching", "dynamic_batching"},
    {"priority", "dynamic_batching"},
    {"preserve_ordering", "preserve_ordering"},
    {"Queue policy", "dynamic_batching"},
    {"sequence batching", "sequence_batching"},
    {"initial_state", "initial_state"},
    {"warmup", "model_warmup"},
    {"ensemble", "ensemble_scheduling"},
    {"Response Cache", "response_cache"},
    {"batch input", "batch_input"},
    {"batch output", "batch_output"},
    {"source input", "source_input"},
    {"target output", "target_name"},
    {"repo agent", "model_repository_agents"},
    {"model input", "input"},
    {"model output", "output"},
    {"backend", "backend"},
    {"platform", "platform"},
    {"directory name", "name"},
};

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* The offset of WORD on its own, not inside a comment; the text's size when there is none. */
static size_t find_word(struct hc_text text, struct hc_text word) {
    bool comment = false;
    for (size_t i = 0; i + word.size <= text.size; i++) {
        char c = text.data[i];
        comment = c == '#' || (comment && c != '\n');
        bool begins = i == 0 || !is_word(text.data[i - 1]);
        bool ends = i + word.size == text.size || !is_word(text.data[i + word.size]);
        if (!comment && begins && ends && memcmp(text.data + i, word.data, word.size) == 0) {
            return i;
        }
    }
    return text.size;
}

static unsigned line_of(struct hc_text text, size_t offset) {
    unsigned line = 1;
    for (size_t i = 0; i < offset; i++) {
        line += text.data[i] == '\n' ? 1 : 0;
    }
    return line;
}

/* NAME as a value in quotes, or else anywhere. */
static size_t find_name(struct hc_text text, struct hc_text name) {
    for (size_t i = 0; i + name.size + 2 <= text.size; i++) {
        if (text.data[i] == '"' && memcmp(text.data + i + 1, name.data, name.size) == 0 &&
            text.data[i + 1 + name.size] == '"') {
            return i;
        }
    }
    return find_word(text, name);
}

/* The first that the message has in quotes and the config has as well. */
static size_t find_quoted(struct hc_text text, const char *message) {
    for (const char *open = message; (open = strchr(open, '\'')) != NULL;) {
        const char *close = strchr(open + 1, '\'');
        if (close == NULL) {
            break;
        }
        struct hc_text name = {open + 1, (size_t)(close - open - 1)};
        size_t offset = name.size > 0 ? find_name(text, name) : text.size;
        if (offset < text.size) {
            return offset;
        }
        open = close + 1;
    }
    return text.size;
}

static size_t find_subject(struct hc_text text, const char *message) {
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strstr(message, subjects[i].words) != NULL) {
            size_t offset = find_word(text, hc_text_of(subjects[i].field));
            if (offset < text.size) {
                return offset;
            }
        }
    }
    return text.size;
}

unsigned find_line(struct hc_text text, const char *message) {
    size_t offset = find_quoted(text, message);
    if (offset == text.size) {
        offset = find_subject(text, message);
    }
    return offset < text.size ? line_of(text, offset) : 0;
}
