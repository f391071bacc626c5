"""Pages of a list: the cursor, the URL of the next page, and `Link: rel="next"` (RFC 8288).

A cursor says where the last page ended, and of which question it is a page; it is text that clients pass on unread. It opens nothing: whose
list is read follows from who asks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Request, Response

from app.core.errors import Code, UploadError
from app.core.library import LONGEST_ID
from app.core.refs import Kind, Place, Ref
from app.web.replies import absolute, answer

LONGEST = 1024  # characters of a cursor
ELSEWHERE = frozenset({"cursor", "limit"})  # what may change from page to page

Query = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks a list of `kind` records of a tenant for. `path`: of the list, below the public base."""

    path: str
    kind: Kind
    tenant: str
    asked: Query

    @property
    def place(self) -> Place | None:
        """Where the page begins; None at the first. Raises UploadError(INVALID) for a cursor that is malformed, or another question's."""
        told = self.asked.get("cursor")
        if told is None:
            return None
        try:
            made, name, filters = json.loads(base64.b64decode(str(told)[:LONGEST].encode(), altchars=b"-_", validate=True))
            sound = math.isfinite(made) and 0 < len(name.encode()) <= LONGEST_ID
        except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise _invalid("Not a cursor of ours.") from error
        if not sound:
            raise _invalid("Not a cursor of ours.")
        if filters != self._filters:
            raise _invalid("It was given for other filters.")
        return Place(float(made), Ref(self.kind, self.tenant, name))

    def page(self, items: list[dict[str, object]], end: Place | None) -> Response:
        """The page that ends at `end`; None: the last one."""
        after = self._next(end) if end and end.ref else None
        response = answer({"items": items, "next": after})
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Authorization"
        if after:
            response.headers["Link"] = f'<{after}>; rel="next"'
        return response

    def _next(self, end: Place) -> str:
        text = json.dumps([end.made, end.ref.id if end.ref else "", self._filters], separators=(",", ":"))
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
        kept = {name: value for name, value in self.asked.items() if name != "cursor"}
        return absolute(f"{self.path}?{urlencode({**kept, 'cursor': cursor}, doseq=True)}")

    @property
    def _filters(self) -> str:
        """What a cursor remembers of its question."""
        filters = sorted((name, value) for name, value in self.asked.items() if name not in ELSEWHERE)
        return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:16]


def query(request: Request) -> dict[str, str | list[str]]:
    """The query of a request: text, or a list of what was sent more than once, so that who asks for text can refuse it."""
    found = request.args.to_dict(flat=False)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _invalid(why: str) -> UploadError:
    line = f"cursor: {why}"
    return UploadError(Code.INVALID, reason=line, errors=[line])
