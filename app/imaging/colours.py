"""Colours as people write them in a URL."""

from __future__ import annotations

import re

from PIL import ImageColor

Colour = tuple[int, int, int, int]

TRANSPARENT: Colour = (0, 0, 0, 0)  # where a format has no transparency it is black, as in Squidex
_HEX = re.compile(r"[0-9a-f]{3,8}")


def colour(text: str | None) -> Colour:
    """Red, green, blue, alpha of `rgb`, `rgba`, `rrggbb`, `rrggbbaa` or a CSS name; TRANSPARENT for what is neither (ImageSharp, Color.TryParse)."""
    name = (text or "").strip().removeprefix("#").lower()
    digits = ImageColor.colormap.get(name, name)
    digits = digits.removeprefix("#") if isinstance(digits, str) else name
    if not _HEX.fullmatch(digits) or len(digits) not in {3, 4, 6, 8}:
        return TRANSPARENT
    if len(digits) < 6:  # noqa: PLR2004 - the short form says each digit once
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue, alpha = bytes.fromhex(digits.ljust(8, "f"))
    return red, green, blue, alpha
