"""Multipart uploads of S3: begun, filled, listed, completed, aborted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.core.parts import Part, Parts, Slot
from app.stores.link import CHANGED, GONE, Link, quoted
from app.stores.spool import window

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedMultipartUploadTypeDef, PartTypeDef


@dataclass(frozen=True, slots=True)
class Session:
    """A multipart upload that nobody completed: the storage key it is for, its name, when it began."""

    key: str
    name: str
    begun: datetime


def begin(link: Link, key: str) -> str:
    """A new multipart upload of the object at `key`."""
    with link.speaking() as s3:
        return s3.create_multipart_upload(Bucket=link.bucket, Key=link.full(key))["UploadId"]


def abort(link: Link, key: str, session: str) -> None:
    """End a multipart upload and free its parts; one that is not there is no error."""
    with link.speaking() as s3, contextlib.suppress(s3.exceptions.NoSuchUpload):
        s3.abort_multipart_upload(Bucket=link.bucket, Key=link.full(key), UploadId=session)


def upload_part(link: Link, key: str, session: str, slot: Slot, fd: int) -> Part:
    """Send the first bytes of a file as one part. Raises UploadError(GONE) when the multipart upload is no more."""
    body = window(fd, 0, slot.size)
    with link.speaking(GONE) as s3:
        answer = s3.upload_part(Bucket=link.bucket, Key=link.full(key), UploadId=session, PartNumber=slot.number, Body=body)
    return Part(slot.number, slot.offset, slot.size, answer["ETag"].strip('"'))


def complete(link: Link, key: str, session: str, parts: Sequence[Part]) -> None:
    """Make the object of exactly these parts. Raises UploadError: CHANGED when one is not as listed, GONE without the multipart upload."""
    listed: CompletedMultipartUploadTypeDef = {"Parts": [{"PartNumber": part.number, "ETag": quoted(part.etag)} for part in parts]}
    with link.speaking({**GONE, **CHANGED}) as s3:
        s3.complete_multipart_upload(Bucket=link.bucket, Key=link.full(key), UploadId=session, MultipartUpload=listed)


def held(link: Link, key: str, session: str, recorded: Parts, part_size: int) -> Parts:
    """What S3 lists, page by page. Raises UploadError(GONE) when a lifecycle rule ended the multipart upload before its time.

    SeaweedFS lists a part that came twice twice, to the second: the newest wins, and among equals the one that came through our own door.
    """
    newest: dict[int, PartTypeDef] = {}
    with link.speaking(GONE) as s3:
        pages = s3.get_paginator("list_parts").paginate(Bucket=link.bucket, Key=link.full(key), UploadId=session)
        for listed in (part for page in pages for part in page.get("Parts", [])):
            known = newest.get(listed["PartNumber"])
            if known is None or _rank(known, recorded) <= _rank(listed, recorded):
                newest[listed["PartNumber"]] = listed
    return replace(recorded, held={n: _part(newest[n], part_size) for n in sorted(newest)})


def sessions(link: Link, prefix: str) -> Iterator[Session]:
    """The unfinished multipart uploads of keys that begin so."""
    with link.speaking() as s3:
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=link.bucket, Prefix=link.full(prefix))
        found = [
            Session(link.short(each["Key"]), each["UploadId"], each["Initiated"])
            for page in pages
            for each in page.get("Uploads", [])
            if each["Key"].startswith(link.full(prefix))
        ]
    yield from found


def _rank(listed: PartTypeDef, recorded: Parts) -> tuple[datetime, bool]:
    ours = recorded.held.get(listed["PartNumber"])
    return listed["LastModified"], ours is not None and ours.etag == listed["ETag"].strip('"')


def _part(listed: PartTypeDef, part_size: int) -> Part:
    number = listed["PartNumber"]
    return Part(number, (number - 1) * part_size, listed["Size"], listed["ETag"].strip('"'))
