"""The small images of these tests, made once."""

from __future__ import annotations

from functools import cache

from tests.services.pictures import photo


@cache
def picture(kind: str = "PNG", width: int = 8, height: int = 6, shade: int = 1) -> bytes:
    """An image. The same arguments give the same bytes; another shade gives others."""
    return photo(width, height, kind, seed=shade)
