/* Addresses of sockets. */
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

void hc_address_format(const struct hc_address *address, char text[HC_ADDRESS_TEXT_SIZE]) {
    char host[INET6_ADDRSTRLEN];
    if (address->any.sa_family == AF_INET &&
        inet_ntop(AF_INET, &address->ipv4.sin_addr, host, sizeof host) != NULL) {
        snprintf(text, HC_ADDRESS_TEXT_SIZE, "%s:%u", host, hc_address_port(address));
    } else if (address->any.sa_family == AF_INET6 &&
               inet_ntop(AF_INET6, &address->ipv6.sin6_addr, host, sizeof host) != NULL) {
        snprintf(text, HC_ADDRESS_TEXT_SIZE, "[%s]:%u", host, hc_address_port(address));
    } else {
        snprintf(text, HC_ADDRESS_TEXT_SIZE, "unknown");
    }
}

uint16_t hc_address_port(const struct hc_address *address) {
    switch (address->any.sa_family) {
    case AF_INET:
        return ntohs(address->ipv4.sin_port);
    case AF_INET6:
        return ntohs(address->ipv6.sin6_port);
    default:
        return 0;
    }
}
