/*
 * An intrusive, circular, doubly linked list: a head and links inside the items.
 *
 * A head is initialised to an empty list; a link that is in no list is zeroed or was removed, and
 * hc_list_in() tells. Nothing is allocated; items are found from their links by hc_list_item().
 */
#ifndef HC_BASE_LIST_H
#define HC_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct hc_list {
    struct hc_list *next;
    struct hc_list *previous;
};

static inline void hc_list_init(struct hc_list *head) {
    head->next = head;
    head->previous = head;
}

static inline bool hc_list_empty(const struct hc_list *head) {
    return head->next == head;
}

static inline bool hc_list_in(const struct hc_list *link) {
    return link->next != NULL;
}

static inline void hc_list_insert_after(struct hc_list *place, struct hc_list *link) {
    link->previous = place;
    link->next = place->next;
    place->next->previous = link;
    place->next = link;
}

static inline void hc_list_append(struct hc_list *head, struct hc_list *link) {
    hc_list_insert_after(head->previous, link);
}

static inline void hc_list_prepend(struct hc_list *head, struct hc_list *link) {
    hc_list_insert_after(head, link);
}

/* Does nothing to a link that is in no list. */
static inline void hc_list_remove(struct hc_list *link) {
    if (hc_list_in(link)) {
        link->previous->next = link->next;
        link->next->previous = link->previous;
        link->next = NULL;
        link->previous = NULL;
    }
}

/* The first link, taken out of the list; NULL when it is empty. */
static inline struct hc_list *hc_list_pop(struct hc_list *head) {
    struct hc_list *link = head->next;
    if (link == head) {
        return NULL;
    }
    hc_list_remove(link);
    return link;
}

#define hc_list_item(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

/* VARIABLE runs over the links; the body must not remove any. */
#define hc_list_each(variable, head)                                                               \
    for (struct hc_list *variable = (head)->next; variable != (head); variable = variable->next)

/* As above; the body may remove VARIABLE, but no other link. */
#define hc_list_each_safe(variable, head)                                                          \
    for (struct hc_list *variable = (head)->next, *hc_next_##variable = variable->next;            \
         variable != (head); variable = hc_next_##variable, hc_next_##variable = variable->next)

#endif
