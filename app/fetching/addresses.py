"""Which addresses may be spoken to: the public ones, and those that the operator allows.

The table follows IANA's registries of special-purpose addresses (RFC 6890) and does not ask `ipaddress`, whose idea of "global" changes between
versions of Python. Of IPv6 only 2000::/3 is public at all. An address that carries an IPv4 address to a translator is judged by that one.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from app.fetching.refusals import NOT_PUBLIC, UNREACHABLE, failed, refused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

log = logging.getLogger(__name__)

SPECIAL_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers; the metadata service of one cloud
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # public by number, but on every Azure host its platform's own service
            "169.254.0.0/16",  # link-local; the metadata service of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; the metadata service of one cloud
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
PUBLIC_6 = IPv6Network("2000::/3")
SPECIAL_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them: an IPv4 address in disguise
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: another one
            "3fff::/20",  # documentation
        ),
    )
)
TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64 (RFC 6052): its last 32 bits are the IPv4 address that is really spoken to


class Guard:
    """Judges addresses. `allow`: networks in CIDR form that may be spoken to whatever they are; ValueError for one that is none."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allowed: tuple[Network, ...] = tuple(map(ip_network, allow))

    def judge(self, address: str) -> Address:
        """The address to connect to. Raises FETCH_REFUSED for one that is neither public nor allowed, or is this machine's own."""
        found = _plain(address)
        if any(found in network for network in self._allowed):
            return found
        if not public(found) or own(found):
            log.warning("an address that may not be fetched from", extra={"address": str(found)})
            raise refused(NOT_PUBLIC)
        return found


def public(address: Address) -> bool:
    """Whether anybody may reach it from anywhere: it is in none of the ranges set aside."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_4)
    if address in TRANSLATED:
        return public(IPv4Address(address.packed[-4:]))
    return address in PUBLIC_6 and not any(address in network for network in SPECIAL_6)


def own(address: Address) -> bool:
    """Whether it is an address of this machine: behind its firewalls, what listens here may trust whom it hears.

    The kernel chooses the address to speak from; for one of its own it chooses that one. Nothing is sent.
    """
    with socket.socket(family(address), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:
            return False  # no way leads there: the connection will say so
        return ip_address(probe.getsockname()[0]) == address


def family(address: Address) -> socket.AddressFamily:
    """The family of sockets that speak to it."""
    return socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6


def _plain(address: str) -> Address:
    """The address that a socket would really speak to: an IPv4 address mapped into IPv6 is the IPv4 address."""
    try:
        found = ip_address(address)
    except ValueError:
        raise failed(UNREACHABLE) from None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
