"""Where a store is: its URL, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

QUERY = frozenset({"endpoint", "public", "region"})


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A folder."""

    root: Path


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket and a prefix in it (no slash at either end).

    `endpoint`: where we speak to it, None for AWS. `public`: where clients reach it, when that differs. `region`: None leaves it to boto3.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    public: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix} at {self.endpoint or 'AWS'}"


@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """The memory of this process."""


Address = FileAddress | S3Address | MemoryAddress


def parse(url: str) -> Address:
    """The address that a URL names. Raises ValueError with what is wrong with it."""
    split = urlsplit(url)
    match split.scheme:
        case "file":
            return _file(url, split)
        case "s3":
            return _s3(url, split)
        case "memory":
            return MemoryAddress()
    raise ValueError(f"{url!r} is no store: use file:///path, s3://bucket/prefix?endpoint=… or memory://")


def _file(url: str, split: SplitResult) -> FileAddress:
    path = Path(unquote(split.path))
    if split.netloc or not path.is_absolute() or path == Path("/"):
        raise ValueError(f"{url!r} names no folder: write file:///absolute/path")
    if split.query or split.fragment:
        raise ValueError(f"{url!r}: a folder takes no query")
    return FileAddress(path)


def _s3(url: str, split: SplitResult) -> S3Address:
    if not split.netloc or "@" in split.netloc or ":" in split.netloc:
        raise ValueError(f"{_bare(split)} names no bucket: write s3://bucket/prefix; credentials go into the environment")
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    if unknown := sorted(query.keys() - QUERY):
        raise ValueError(f"{url!r}: unknown {', '.join(unknown)}; known are {', '.join(sorted(QUERY))}")
    for name in ("endpoint", "public"):
        _check_base(url, name, query.get(name))
    prefix = unquote(split.path).strip("/")
    return S3Address(split.netloc, prefix, _base(query.get("endpoint")), _base(query.get("public")), query.get("region") or None)


def _check_base(url: str, name: str, value: str | None) -> None:
    if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise ValueError(f"{url!r}: {name} must be an http or https URL, not {value!r}")


def _base(value: str | None) -> str | None:
    return value.rstrip("/") if value else None


def _bare(split: SplitResult) -> str:
    """The URL without what may be a secret."""
    return repr(f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}")
