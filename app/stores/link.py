"""The line to one bucket: the client, made at first use in each process, and what its errors mean."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from app.core.errors import Code, StoreDown, UploadError
from app.stores.address import S3Address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"  # signed for when neither the URL nor boto3's own configuration names one
CONNECT, READ = 5, 20  # seconds
TRIES = 3
POOL = 64  # connections; as many as a process has threads, and those that carry parts beside them

GONE: Mapping[str, Code] = {"NoSuchKey": Code.GONE, "NoSuchUpload": Code.GONE, "404": Code.GONE}  # HEAD has no body to say more
CHANGED: Mapping[str, Code] = {
    "PreconditionFailed": Code.CHANGED,
    "412": Code.CHANGED,
    "InvalidPart": Code.CHANGED,
    "InvalidPartOrder": Code.CHANGED,
    "EntityTooSmall": Code.CHANGED,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a bucket says of an object: its etag without quotes, its size in bytes."""

    etag: str
    size: int


class Link:
    """One bucket and a prefix in it. Safe to make before a fork and to use from many threads."""

    def __init__(self, at: S3Address) -> None:
        self.at = at
        self._lock = threading.Lock()
        self._pid = 0
        self._session: boto3.session.Session | None = None
        self._client: S3Client | None = None

    @property
    def bucket(self) -> str:
        """Its name."""
        return self.at.bucket

    def full(self, key: str) -> str:
        """The key in the bucket."""
        return f"{self.at.prefix}/{key}" if self.at.prefix else key

    def short(self, full: str) -> str:
        """The storage key of a key in the bucket."""
        return full.removeprefix(f"{self.at.prefix}/") if self.at.prefix else full

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        return self.at.region or self._own_session().region_name or REGION

    def credentials(self) -> Credentials:
        """By boto3's ordinary chain. Raises StoreDown without any."""
        found = self._own_session().get_credentials()
        if found is None:
            raise StoreDown(f"{self.at}: no credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)")
        return found

    @contextlib.contextmanager
    def speaking(self, refusals: Mapping[str, Code] | None = None, what: str = "upload") -> Iterator[S3Client]:
        """The client. An S3 error named in `refusals` becomes UploadError; every other, and every failure on the way, StoreDown."""
        try:
            yield self._own_client()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            if refusals and code in refusals:
                self._check_bucket(refusals[code])
                raise UploadError(refusals[code], what=what) from error
            raise StoreDown(f"{self.at}: {error.operation_name} was refused: {code}") from error
        except (BotoCoreError, OSError) as fault:
            raise StoreDown(f"{self.at}: {fault}") from fault

    def head(self, key: str) -> Found | None:
        """What is at a key, or None."""
        try:
            with self.speaking(GONE) as s3:
                answer = s3.head_object(Bucket=self.bucket, Key=self.full(key))
        except UploadError:
            return None
        return Found(answer["ETag"].strip('"'), answer["ContentLength"])

    def _check_bucket(self, code: Code) -> None:
        """A key may be missing because the bucket is: that is no reason to give an upload up. Raises StoreDown."""
        if code is Code.GONE:
            with self.speaking() as s3:
                s3.head_bucket(Bucket=self.bucket)

    def _own_client(self) -> S3Client:
        session = self._own_session()
        with self._lock:
            if self._client is None:
                self._client = session.client(
                    "s3", endpoint_url=self.at.endpoint, region_name=self.at.region or session.region_name or REGION, config=self._config()
                )
            return self._client

    def _own_session(self) -> boto3.session.Session:
        """A child of a fork shares no socket with its parent: it makes its own."""
        with self._lock:
            if self._session is None or self._pid != os.getpid():
                self._session, self._client, self._pid = boto3.session.Session(), None, os.getpid()
            return self._session

    def _config(self) -> Config:
        return Config(
            signature_version="s3v4",
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=POOL,
            s3={"addressing_style": "path" if self.at.endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )


def quoted(etag: str) -> str:
    """An etag as HTTP writes it."""
    return f'"{etag}"'
