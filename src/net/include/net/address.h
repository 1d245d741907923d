/*
 * Addresses of sockets: IPv4, IPv6, or none, which a peer without an address (a socket pair) has.
 */
#ifndef HC_NET_ADDRESS_H
#define HC_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* Plain data, smaller than struct sockaddr_storage. */
struct hc_address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    };
};

/* "127.0.0.1:8000", "[::1]:8000" or "unknown". */
enum { HC_ADDRESS_TEXT_SIZE = 64 };
void hc_address_format(const struct hc_address *address, char text[HC_ADDRESS_TEXT_SIZE]);

/* In host byte order; 0 for those without. */
uint16_t hc_address_port(const struct hc_address *address);

#endif
