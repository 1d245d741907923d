/*
 * Looking for changes in the repositories, from time to time.
 *
 * Somebody may be writing while we look: a change is taken when the model's folder has looked the
 * same twice, a moment apart.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lifecycle_internal.h"

static const uint64_t stillness_ns = HC_NS_PER_S;

/* What one look at the repositories has found. */
struct look {
    struct hc_lifecycle *lifecycle;
    bool regular;   /* not only because something moved a moment ago */
    bool unsettled; /* something has moved: look again in a moment */
};

/* Whether the folder looks as it did the last time. */
static bool is_still(struct look *look, struct managed *managed, uint64_t stamp) {
    bool still = managed->seen_stamp == stamp;
    look->unsettled = look->unsettled || !still;
    managed->seen_stamp = stamp;
    return still;
}

static void look_at(struct look *look, const char *namespace_,
                    const struct hc_repository_model *found) {
    uint64_t stamp;
    struct hc_error error;
    if (found->folder == NULL) {
        return; /* two of that name: it stays as it is until there is one */
    }
    if (hc_repository_look(found->folder, &stamp, &error) != HC_OK) {
        hc_log_warning("%s", error.message);
        return;
    }
    struct managed *managed = managed_get(look->lifecycle, namespace_, found->name);
    managed->found = true;
    bool failed = managed->failure != NULL && look->regular;
    if (managed->loading == NULL && is_still(look, managed, stamp) &&
        (stamp != managed->taken_stamp || failed)) {
        managed->taken_stamp = stamp;
        managed->by_name = true;
        load_model(managed, &(struct source){.folder = found->folder}, NULL);
    }
}

static bool look_at_repositories(struct look *look, char *const *roots, size_t n_roots,
                                 const char *namespace_) {
    hc_auto_repository_listing listing = {0};
    struct hc_error error;
    if (hc_repository_list(roots, n_roots, &listing, &error) != HC_OK) {
        hc_log_error("%s", error.message);
        return false;
    }
    for (size_t i = 0; i < listing.n; i++) {
        look_at(look, namespace_, &listing.models[i]);
    }
    return true;
}

static bool look_at_all(struct look *look) {
    const struct hc_server_options *options = &look->lifecycle->server->options;
    if (!options->namespacing) {
        return look_at_repositories(look, options->repositories, options->n_repositories, NULL);
    }
    bool complete = true;
    for (size_t i = 0; i < options->n_repositories; i++) {
        char *const *root = &options->repositories[i];
        complete = look_at_repositories(look, root, 1, *root) && complete;
    }
    return complete;
}

/* Models that were there and are no more. */
static void unload_lost(struct look *look) {
    hc_list_each (link, &look->lifecycle->models) {
        struct managed *managed = hc_list_item(link, struct managed, link);
        if (!managed->found && managed->wanted && managed->loading == NULL &&
            is_still(look, managed, 0)) {
            managed->taken_stamp = 0;
            unload_model(managed);
        }
    }
}

static void look_again(struct hc_lifecycle *lifecycle, bool soon) {
    uint64_t now_ns = hc_clock_ns();
    uint64_t period_ns = lifecycle->server->options.poll_s * HC_NS_PER_S;
    if (!soon) {
        lifecycle->next_regular_poll_ns = now_ns + period_ns;
    }
    uint64_t due_ns = soon ? now_ns + stillness_ns : lifecycle->next_regular_poll_ns;
    hc_timer_start(lifecycle->server->control, &lifecycle->poll_timer, due_ns);
}

static void on_due(struct hc_timer *timer) {
    struct hc_lifecycle *lifecycle = hc_list_item(timer, struct hc_lifecycle, poll_timer);
    struct look look = {
        .lifecycle = lifecycle,
        .regular = hc_clock_ns() >= lifecycle->next_regular_poll_ns,
    };
    hc_list_each (link, &lifecycle->models) {
        hc_list_item(link, struct managed, link)->found = false;
    }
    if (look_at_all(&look)) {
        unload_lost(&look);
    }
    look_again(lifecycle, look.unsettled);
}

void start_polling(struct hc_lifecycle *lifecycle) {
    const struct hc_server_options *options = &lifecycle->server->options;
    if (options->control_mode == HC_CONTROL_POLL && options->poll_s > 0) {
        lifecycle->poll_timer.on_due = on_due;
        look_again(lifecycle, false);
    }
}
