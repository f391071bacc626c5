"""Which addresses may be spoken to."""

import socket
from ipaddress import IPv4Address, ip_address

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Code
from app.fetching import addresses
from app.fetching.addresses import Guard, own, public
from app.fetching.refusals import NOT_PUBLIC, UNREACHABLE
from tests.fetching.conftest import raises

PUBLIC = """1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255
203.0.114.0 223.255.255.255 2606:4700:4700::1111 2001:200:: 2001:4860:4860::8888 2003:: 3ffe:: 3fff:1000:: 64:ff9b::8.8.8.8"""

CLOSED = """0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.255 168.63.129.16
169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 100::1
1fff:ffff:: 2001:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1ff:ffff:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1
3fff::1 3fff:fff:: 4000:: 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ffff::"""

MAPPED = ["127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.1.1", "0.0.0.0", "100.64.0.1"]


@pytest.mark.parametrize("address", PUBLIC.split())
def test_the_public_ones_are_open(address):
    assert Guard().judge(address) == ip_address(address)


@pytest.mark.parametrize("address", [*CLOSED.split(), *(f"::ffff:{address}" for address in MAPPED)])
def test_all_others_are_closed(address):
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        Guard().judge(address)


def test_a_mapped_address_is_the_one_that_it_maps():
    assert Guard().judge("::ffff:8.8.8.8") == IPv4Address("8.8.8.8")


@given(st.ip_addresses())
def test_what_is_open_is_global_for_python_too(address):
    """Never the other way: some that Python takes for global are closed here."""
    assert not public(address) or (address.is_global and not address.is_multicast) or address in addresses.TRANSLATED


@pytest.mark.parametrize(
    ("allow", "address", "open_"),
    [
        ("10.1.0.0/16", "10.1.255.255", True),
        ("10.1.0.0/16", "10.2.0.0", False),
        ("10.1.0.0/16", "::ffff:10.1.0.1", True),
        ("10.1.0.0/16", "64:ff9b::10.1.0.1", False),
        ("64:ff9b::/96", "64:ff9b::10.1.0.1", True),
        ("127.0.0.2/32", "127.0.0.1", False),
        ("::/0", "127.0.0.1", False),
        ("0.0.0.0/0", "::1", False),
        ("0.0.0.0/0", "169.254.169.254", True),
    ],
)
def test_the_operator_may_open_networks(allow, address, open_):
    guard = Guard((allow,))
    if open_:
        guard.judge(address)
    else:
        with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
            guard.judge(address)


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0.0/33", "intranet", "", "10.0.0.0-10.0.0.9"])
def test_a_network_that_is_none_is_a_fault(network):
    with pytest.raises(ValueError, match=r".*"):
        Guard((network,))


def test_a_resolver_that_gives_no_address_finds_nothing():
    with raises(Code.FETCH_FAILED, reason=UNREACHABLE):
        Guard().judge("localhost")


def _own_addresses():
    found = [
        entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries if entry.family == socket.AF_INET
    ]
    assert "127.0.0.1" in found
    return found


def test_this_machine_knows_its_own_addresses():
    assert all(own(ip_address(address)) for address in _own_addresses())
    assert not own(ip_address("8.8.8.8"))
    assert not own(ip_address("2606:4700:4700::1111"))


def test_its_own_address_is_closed_even_when_it_is_public(monkeypatch):
    monkeypatch.setattr(addresses, "own", lambda address: str(address) == "8.8.8.8")
    assert Guard().judge("8.8.4.4")
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        Guard().judge("8.8.8.8")
    assert Guard(("8.8.8.8/32",)).judge("8.8.8.8")
