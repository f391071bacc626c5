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


AGAIN = 16  # so many of one part are looked at: SeaweedFS lists it as often as it came


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


def listed(link: Link, key: str, session: str) -> list[PartTypeDef]:
    """What S3 lists, page by page. Raises UploadError(GONE) when a lifecycle rule ended the multipart upload before its time."""
    with link.speaking(GONE) as s3:
        pages = s3.get_paginator("list_parts").paginate(Bucket=link.bucket, Key=link.full(key), UploadId=session)
        return [part for page in pages for part in page.get("Parts", [])]


def listed_alone(link: Link, key: str, session: str, number: int) -> list[PartTypeDef]:
    """What S3 lists of one part, in one question however many there are. Raises as `listed`."""
    with link.speaking(GONE) as s3:
        page = s3.list_parts(Bucket=link.bucket, Key=link.full(key), UploadId=session, PartNumberMarker=number - 1, MaxParts=AGAIN)
        return [part for part in page.get("Parts", []) if part["PartNumber"] == number]


def held(listed: Sequence[PartTypeDef], recorded: Parts, part_size: int) -> Parts:
    """The parts of a list.

    SeaweedFS lists a part that came twice twice, to the second: the newest wins, and among equals the one that came through our own door.
    """
    newest: dict[int, PartTypeDef] = {}
    for part in listed:
        known = newest.get(part["PartNumber"])
        if known is None or _rank(known, recorded) <= _rank(part, recorded):
            newest[part["PartNumber"]] = part
    return replace(recorded, held={n: _part(newest[n], recorded, part_size) for n in sorted(newest)})


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


def _part(listed: PartTypeDef, recorded: Parts, part_size: int) -> Part:
    """One part; its sum, where it is the one that came through our own door."""
    number, etag, size = listed["PartNumber"], listed["ETag"].strip('"'), listed["Size"]
    ours = recorded.held.get(number)
    known = ours.sum if ours is not None and (ours.etag, ours.size) == (etag, size) else None
    return Part(number, (number - 1) * part_size, size, etag, sum=known)
