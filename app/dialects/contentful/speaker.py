"""Who speaks, of which space, and which version is meant: what every view asks first."""

from __future__ import annotations

import re

from flask import request

from app.core.document import Document
from app.core.errors import Code, Moved, UploadError
from app.core.policy import Principal, Scope
from app.dialects.contentful.links import MASTER
from app.web.dialect import doors

VERSION = "X-Contentful-Version"
NUMBER = re.compile(r"-?[0-9]{1,18}")


def caller(space: str, scope: Scope) -> Principal:
    """Whoever holds any key or token of the tenant: its one space has the tenant's name, and another space is as unknown as none.

    Raises UploadError: UNAUTHENTICATED, NOT_FOUND (space), FORBIDDEN.
    """
    who = doors().access.bearer(request.headers.get("Authorization"))
    if space != who.tenant:
        raise UploadError(Code.NOT_FOUND, what="space")
    doors().access.require(who, scope)
    return who


def within(space: str, environment: str, scope: Scope) -> Principal:
    """The same for what lies in an environment. Raises NOT_FOUND for another one than master, too."""
    who = caller(space, scope)
    if environment != MASTER:
        raise UploadError(Code.NOT_FOUND, what="environment")
    return who


def named_version() -> int | None:
    """The version that the request names, None without one. Raises UploadError(BAD_REQUEST) for what is no number."""
    header = request.headers.get(VERSION)
    if header is None:
        return None
    if not NUMBER.fullmatch(header.strip()):
        raise UploadError(Code.BAD_REQUEST, reason=f'The "{VERSION}" header must be an integer')
    return int(header)


def required_version() -> int:
    """The version that the request must name. Raises UploadError: VERSION_CONFLICT without one, BAD_REQUEST."""
    version = named_version()
    if version is None:
        raise UploadError(Code.VERSION_CONFLICT)
    return version


def require_current(document: Document, version: int | None) -> None:
    """Raise Moved(PRECONDITION) unless the document stands at the version that was named, if one was."""
    if version not in {None, document.revision}:
        raise Moved(Code.PRECONDITION, version=document.revision)
