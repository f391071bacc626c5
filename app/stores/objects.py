"""Objects of the bucket, below our own prefix: written, read, listed, removed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain, groupby
from typing import TYPE_CHECKING, BinaryIO

from app.core import keys
from app.core.errors import Code, StoreDown, UploadError
from app.core.ports import Fetched
from app.core.upload import Staged
from app.stores.link import GONE, Link
from app.stores.multipart import sessions
from app.stores.spool import window

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef, ObjectTypeDef

OUT = 1024 * 1024
BATCH = 1000  # keys that one DeleteObjects takes
OUTSIDE = {"InvalidRange": Code.RANGE}


def put(link: Link, key: str, content: bytes) -> None:
    """Write an object, whole or not at all."""
    with link.speaking() as s3:
        s3.put_object(Bucket=link.bucket, Key=link.full(key), Body=content)


def place(link: Link, key: str, file: BinaryIO) -> None:
    """Write an object out of a local file, whole or not at all."""
    file.flush()
    size = os.fstat(file.fileno()).st_size
    with link.speaking() as s3:
        s3.put_object(Bucket=link.bucket, Key=link.full(key), Body=window(file.fileno(), 0, size), ContentLength=size)


def get(link: Link, key: str) -> bytes | None:
    """A small object, or None."""
    try:
        with link.speaking(GONE) as s3:
            return s3.get_object(Bucket=link.bucket, Key=link.full(key))["Body"].read()
    except UploadError:
        return None


@contextlib.contextmanager
def fetch(link: Link, key: str, offset: int, length: int) -> Iterator[Fetched]:
    """A run of bytes as they arrive; none when it lies outside. Raises UploadError(GONE)."""
    if length <= 0:
        if link.head(key) is None:
            raise UploadError(Code.GONE, what="asset")
        yield Fetched(iter(()))
        return
    try:
        with link.speaking({**GONE, **OUTSIDE}, "asset") as s3:
            span = f"bytes={offset}-{offset + length - 1}"
            body = s3.get_object(Bucket=link.bucket, Key=link.full(key), Range=span)["Body"]
    except UploadError as refusal:
        if refusal.code is not Code.RANGE:
            raise
        yield Fetched(iter(()))
        return
    with contextlib.closing(body):
        yield Fetched(_chunks(link, body))


def _chunks(link: Link, body: StreamingBody) -> Iterator[bytes]:
    while True:
        with link.speaking():
            chunk = body.read(OUT)
        if not chunk:
            return
        yield chunk


def remove(link: Link, doomed: Sequence[str]) -> None:
    """Remove objects; those that are not there are no error."""
    for at in range(0, len(doomed), BATCH):
        listed: list[ObjectIdentifierTypeDef] = [{"Key": link.full(key)} for key in doomed[at : at + BATCH]]
        with link.speaking() as s3:
            answer = s3.delete_objects(Bucket=link.bucket, Delete={"Objects": listed, "Quiet": True})
        if failed := answer.get("Errors"):
            raise StoreDown(f"{link.at}: {len(failed)} objects were not removed: {failed[0].get('Code', '?')}")


def names_of(link: Link, staging_key: str) -> list[str]:
    """The keys of everything staged under one upload: the whole and the pieces, those too that no record knows."""
    mine = keys.upload_of(staging_key)
    with link.speaking() as s3:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=link.bucket, Prefix=link.full(staging_key))
        found = [link.short(each["Key"]) for page in pages for each in page.get("Contents", [])]
    return [key for key in found if keys.upload_of(key) == mine]


def staged_before(link: Link, age: float) -> Iterator[Staged]:
    """Uploads whose last object, and multipart uploads whose beginning, is older than `age` seconds by the bucket's own clock."""
    before = _clock(link) - timedelta(seconds=age)
    for (tenant, upload_id), touched in groupby(_staged(link), key=lambda each: keys.upload_of(each[0])):
        if max(moment for _, moment in touched) < before:
            yield Staged(keys.staging(tenant, upload_id))
    for session in chain(sessions(link, keys.STAGING), sessions(link, keys.BLOBS)):  # a bucket without a prefix may be shared with others
        if session.begun < before:
            yield Staged(session.key, session=session.name)


def resting(link: Link, folder: str) -> Iterator[tuple[str, int]]:
    """Key and size of every object below a folder."""
    return ((link.short(each["Key"]), each["Size"]) for each in _listed(link, folder))


def _staged(link: Link) -> Iterator[tuple[str, datetime]]:
    """Key and last change of every staged object."""
    return ((link.short(each["Key"]), each["LastModified"]) for each in _listed(link, keys.STAGING))


def _listed(link: Link, folder: str) -> Iterator[ObjectTypeDef]:
    """Every object below a folder, a page at a time, so that a sweep may stop early."""
    token: dict[str, str] = {}
    while True:
        with link.speaking() as s3:
            page = s3.list_objects_v2(Bucket=link.bucket, Prefix=link.full(folder), **token)  # type: ignore[arg-type]  # one optional name
        yield from page.get("Contents", [])
        if not page.get("IsTruncated"):
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}


def _clock(link: Link) -> datetime:
    with link.speaking() as s3:
        answer = s3.list_objects_v2(Bucket=link.bucket, Prefix=link.full(keys.STAGING), MaxKeys=1)
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
