"""The grammar of URLs that are fetched: RFC 3986 without what makes two readers disagree about where a URL leads.

There is one spelling of an IPv4 address (four decimal numbers), no user info, no backslash and no control character; a name outside ASCII is mapped
(UTS 46) and then read again as if it had come so. What passes is written anew from its parts, never sent as it came.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

import idna

from app.fetching.refusals import DOWNGRADE, MALFORMED, PORT, SCHEME, USER_INFO, refused

LONGEST_URL = 8000  # characters; what RFC 9110 4.1 asks everybody to take
LONGEST_NAME = 253  # RFC 1035
PORTS = {"http": 80, "https": 443}

# The Fetch standard's "bad ports": other protocols listen there, and might obey lines of a request.
BAD_PORTS = frozenset(
    (
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115),
        *(117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587),
        *(601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669),
        *(6679, 6697, 10080),
    )
)

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(?:#.*)?")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]{0,5}))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*({_LABEL})")
_NUMBER = re.compile(
    r"[0-9]+|0x[0-9a-f]*"
)  # what some readers take for an IPv4 address when it stands last (WHATWG URL, "ends in a number")
_VISIBLE = string.ascii_letters + string.digits + string.punctuation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is. `host`: a name in ASCII, or a literal address without brackets; `target`: path and query, as they are sent."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as in a Host field."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def moved(self, location: bytes) -> Place:
        """Where a redirect leads from here. Raises FETCH_REFUSED."""
        text = location.decode("utf-8", "surrogateescape")
        _check_text(text)
        try:
            joined = urljoin(f"{self.scheme}://{self.authority}{self.target}", text)
        except ValueError:
            raise refused(MALFORMED) from None
        place = parse(joined)
        if (self.scheme, place.scheme) == ("https", "http"):
            raise refused(DOWNGRADE)
        return place


def parse(url: str) -> Place:
    """The place that a URL names. Raises FETCH_REFUSED."""
    _check_text(url)
    found = _URL.fullmatch(url)
    if found is None:
        raise refused(MALFORMED)
    scheme, authority, target = found[1].lower(), found[2], found[3]
    if scheme not in PORTS:
        raise refused(SCHEME)
    if "@" in authority:
        raise refused(USER_INFO)
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise refused(MALFORMED)
    rooted = target if target.startswith("/") else f"/{target}"
    return Place(scheme, _host(parts[1]), _port(parts[2] or str(PORTS[scheme])), quote(rooted, safe=_VISIBLE))


def _check_text(url: str) -> None:
    if len(url) > LONGEST_URL or _FORBIDDEN.search(url):
        raise refused(MALFORMED)


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 2**16 or port in BAD_PORTS:
        raise refused(PORT)
    return port


def _host(text: str) -> str:
    try:
        return _literal(text[1:-1]) if text.startswith("[") else _name(text)
    except ValueError:  # of idna and ipaddress
        raise refused(MALFORMED) from None


def _literal(text: str) -> str:
    if "%" in text:
        raise ValueError("a zone is of this machine")
    return str(IPv6Address(text))


def _name(text: str) -> str:
    """The name, without the dot of the root: a certificate has none. Raises ValueError."""
    name = (text if text.isascii() else idna.encode(text, uts46=True).decode()).lower().removesuffix(".")
    found = _NAME.fullmatch(name)
    if found is None or len(name) > LONGEST_NAME:
        raise ValueError("no name")
    return str(IPv4Address(name)) if _NUMBER.fullmatch(found[1]) else name
