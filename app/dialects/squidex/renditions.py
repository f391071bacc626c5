"""Renditions: another size or format of an image, as the query of a download asks for it.

Source: `AssetContentQueryDto` of the vendor's server. `force` is heard and without effect, because anybody may ask; watermarks and TGA are
not there. What cannot be rendered is sent as it is, which is what the vendor does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import ValidationError, fields

from app.core.asset import Asset
from app.core.errors import Code, UploadError
from app.core.operation import Operation
from app.core.rendering import Ready
from app.core.renditions import Mode, Spec
from app.dialects.squidex.asked import NAME, Query, Switch, query
from app.dialects.squidex.pocket import Pocket
from app.web.dialect import doors
from app.web.patience import settled

FORMATS: Mapping[str, str] = {name: f"image/{name}" for name in ("avif", "bmp", "gif", "jpeg", "png", "tiff", "webp")}
AUTOMATIC = ("image/avif", "image/webp")  # in this order, where the client accepts them


def _mode(value: str) -> None:
    if value.lower() not in set(Mode):
        raise ValidationError(f"The value '{value}' is not valid.")


def _format(value: str) -> None:
    if value.lower() not in FORMATS:
        raise ValidationError(f"The value '{value}' is not valid.")


class Shape(Query):
    """What is asked for; 0 stands for nothing."""

    width = fields.Integer(load_default=0)
    height = fields.Integer(load_default=0)
    quality = fields.Integer(load_default=0)
    mode = fields.String(load_default=Mode.CROP.value, validate=_mode)
    format = fields.String(load_default=None, validate=_format)
    background = fields.String(data_key="bg", load_default=None)
    focus_x = fields.Float(data_key="focusx", load_default=None)
    focus_y = fields.Float(data_key="focusy", load_default=None)
    no_focus = Switch(data_key="nofocus", load_default=False)
    auto = Switch(load_default=False)
    force = Switch(load_default=False)


def wanted(of: Asset) -> Spec:
    """What the query asks for. Raises UploadError(INVALID)."""
    asked = query(Shape())
    return Spec(
        width=_positive(asked["width"]),
        height=_positive(asked["height"]),
        mode=Mode(asked["mode"].lower()),
        quality=_positive(asked["quality"]),
        media_type=FORMATS[asked["format"].lower()] if asked["format"] else _accepted(auto=asked["auto"]),
        focus=_focus(of, asked),
        background=asked["background"] or None,
    )


def ready(of: Asset, spec: Spec) -> Ready | Operation | None:
    """The rendition; what is still at it when the patience is over; None where the original is to be sent.

    Raises UploadError(NOT_FOUND) when the asset goes meanwhile.
    """
    if not doors().rendering.applies(of, spec):
        return None
    try:
        got = doors().rendering.request(of, spec)
    except UploadError as refusal:
        raise UploadError(Code.NOT_FOUND, what="asset") if refusal.code is Code.GONE else refusal from None
    if isinstance(got, Ready):
        return got
    op = settled(got, NAME)
    return doors().rendering.found(of, spec) if op.final else op


def _positive(number: int) -> int | None:
    return number if number > 0 else None


def _accepted(*, auto: bool) -> str | None:
    """The better format that the client accepts by name, where it leaves the choice to us."""
    accepted = request.headers.get("Accept", "").lower() if auto else ""
    return next((kind for kind in AUTOMATIC if kind in accepted), None)


def _focus(of: Asset, asked: Mapping[str, Any]) -> tuple[float, float] | None:
    """Of the query, else of the asset's metadata."""
    if asked["no_focus"]:
        return None
    if asked["focus_x"] is not None and asked["focus_y"] is not None:
        return asked["focus_x"], asked["focus_y"]
    metadata = Pocket(of).metadata
    x, y = (metadata.get(name) for name in ("focusX", "focusY"))
    kept = all(isinstance(at, int | float) and not isinstance(at, bool) and abs(at) <= 1 for at in (x, y))
    return (float(x), float(y)) if kept and x is not None and y is not None else None
