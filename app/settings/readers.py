"""How the text of a variable is read. Each reader raises ValueError, saying what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.core.policy import ANY, Trailing
from app.settings import sentinels

SECRET_LEAST = 16  # characters
LONGEST = 25  # digits of a number, with what parts them
LARGEST = 2**53 - 1  # bytes: what a number in Lua counts exactly
UNITS = {
    "B": 1,
    **{f"{letter}{unit}": base**power for power, letter in enumerate("KMGTP", 1) for unit, base in (("B", 1000), ("iB", 1024))},
}
NAME = r"[a-z0-9!#$&^_.+-]{1,127}"  # of a type or a subtype, RFC 6838, section 4.2
ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)  # RFC 6454, section 6.2
PORT_MOST = 65535
PORTS = {"http": "80", "https": "443"}  # which browsers leave out


def folder(text: str) -> Path:
    """A path, absolute."""
    return Path(text).expanduser().absolute()


def url(*schemes: str) -> Callable[[str], str]:
    """A URL of one of these schemes, without a slash at its end."""

    def read(text: str) -> str:
        if urlsplit(text).scheme not in schemes or not text.partition("://")[2].strip("/"):
            raise ValueError("a URL that begins with " + ", ".join(f"{scheme}://" for scheme in schemes))
        _reachable(text)
        return text.rstrip("/")

    return read


def _reachable(text: str) -> None:
    """Raise ValueError for a port that cannot be, and for an option of an S3 URL that is none, or no URL."""
    parts = urlsplit(text)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("a URL with a port from 0 to 65535") from None
    for name, values in parse_qs(parts.query).items() if parts.scheme == "s3" else ():
        if name not in {"endpoint", "public", "region"}:
            raise ValueError("an s3:// URL with endpoint, public or region")
        if name != "region" and urlsplit(values[0]).scheme not in {"http", "https"}:
            raise ValueError(f"an s3:// URL whose {name} is an http:// or https:// URL")


def redis(text: str) -> str:
    """A URL of a Redis, or of the sentinels before it."""
    return text if sentinels.parse(text) else url("redis", "rediss", "unix", "sentinel")(text)


def broker(text: str) -> str:
    """A URL as kombu wants it, which has a scheme of its own for sockets; the number of a unix:// URL's database is kept."""
    if sentinels.parse(text):
        return text
    url("redis", "rediss", "unix", "sentinel", "redis+socket")(text)
    parts = urlsplit(text)
    if parts.scheme != "unix":
        return text
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


def store(text: str) -> str:
    """Where bytes lie: file://, s3://, or memory:."""
    return text if text.rstrip("/") == "memory:" else url("file", "s3", "memory")(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number, both ends included."""

    def read(text: str) -> int:
        if len(text) > LONGEST or not re.fullmatch(r"-?[0-9]+(_[0-9]+)*", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def size(text: str) -> int:
    """A number of bytes, with or without a unit: 50GB, 1.5 GiB, 200_000."""
    found = re.fullmatch(r"([0-9]{1,19}(?:_[0-9]{1,19})*)(\.[0-9]{1,9})? ?([KMGTP]i?B|B)?", text)
    wanted = Fraction(found[1].replace("_", "") + (found[2] or "")) * UNITS[found[3] or "B"] if found else -1
    if not 0 <= wanted <= LARGEST:
        raise ValueError("a number of bytes like 50GB or 1GiB")
    return int(wanted)


def switch(text: str) -> bool:
    """On or off."""
    known = {"1": True, "on": True, "true": True, "yes": True, "0": False, "off": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("on or off")
    return known[text.lower()]


def trailing(text: str) -> Trailing:
    """What becomes of bytes behind an image's end."""
    if text.lower() not in set(Trailing):
        raise ValueError(", ".join(Trailing))
    return Trailing(text.lower())


def seconds(text: str) -> float:
    """A number of seconds, with or without a fraction."""
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,9})?", text):
        raise ValueError("a number of seconds")
    return float(text)


def share(text: str) -> float:
    """A part of a whole, from 0 to 1."""
    if not re.fullmatch(r"0(\.[0-9]{1,9})?|1(\.0{1,9})?", text):
        raise ValueError("a number from 0 to 1")
    return float(text)


def words(text: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def media_types(text: str) -> tuple[str, ...]:
    """Media types separated by commas, at least one."""
    found = tuple(word.lower() for word in words(text))
    if not found or not all(word == ANY or re.fullmatch(f"{NAME}/{NAME}", word) for word in found):
        raise ValueError(f"media types like image/png, or {ANY}, separated by commas")
    return found


def origins(text: str) -> tuple[str, ...]:
    """Origins of pages as browsers write them, separated by commas, or `*`."""
    return tuple(map(_origin, words(text)))


def _origin(word: str) -> str:
    found = ORIGIN.fullmatch(word)
    if word != "*" and (not found or int(found[3] or 0) > PORT_MOST):
        raise ValueError("origins like https://app.example without a path, separated by commas, or *")
    if not found:
        return word
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    return f"{scheme}://{host}" if port in {None, PORTS.get(scheme)} else f"{scheme}://{host}:{int(port)}"


def networks(text: str) -> tuple[str, ...]:
    """Networks in CIDR form, separated by commas."""
    try:
        return tuple(str(ip_network(word)) for word in words(text))
    except ValueError:
        raise ValueError("networks like 10.1.0.0/16 or fd00::/8, separated by commas") from None


def location(text: str) -> str:
    """A path of a proxy, without a slash at its end."""
    if not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?", text):
        raise ValueError("a path like /_store")
    return text.rstrip("/")


def language(text: str) -> str:
    """The tag of a language, RFC 5646."""
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", text):
        raise ValueError("a language like en or pt-BR")
    return text


LISTS = frozenset({words, origins, networks})


def secret(text: str) -> bytes:
    """A secret that is long enough to be one."""
    if len(text) < SECRET_LEAST:
        raise ValueError(f"at least {SECRET_LEAST} characters")
    return text.encode("utf-8", "surrogateescape")  # as os.fsencode: any bytes will do


def pair(text: str) -> str:
    """user:password."""
    if not all(text.partition(":")[::2]):
        raise ValueError("user:password")
    return text


def level(text: str) -> str:
    """The name of a level of logging."""
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def numbers_by_type(text: str) -> dict[str, int]:
    """type=number, type=number."""
    pairs = [word.partition("=") for word in words(text)]
    try:
        return {media_types(name)[0]: whole(1, 2**62)(number.strip()) for name, _, number in pairs}
    except ValueError as bad:
        raise ValueError("type=number, type=number, as in image/webp=25000000") from bad
