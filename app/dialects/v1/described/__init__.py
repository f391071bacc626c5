"""Every route of `/v1` and of what belongs to no dialect, told for the document. A test holds the table to the url map, both ways."""

from __future__ import annotations

from app.dialects.v1.described import elsewhere, promises, uploads
from app.dialects.v1.told import Told

TABLE: tuple[Told, ...] = (*uploads.TABLE, *promises.TABLE, *elsewhere.TABLE)
