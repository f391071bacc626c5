"""What a bucket does when it is tried, by the same ways that uploads take; under keys of our own, which go again.

The sum of CRC64NVME is that of CRC RevEng's catalogue for the text 123456789. RFC 9112, section 7.1, and the AWS S3 API reference, "Signature
calculations with trailing headers", have the frames of aws-chunked.
"""

from __future__ import annotations

import contextlib
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from app.core import keys
from app.core.errors import StoreDown, UploadError
from app.core.ports.inspection import BucketFacts, Rule, StoreFacts, Welcome
from app.stores import multipart
from app.stores.address import S3Address
from app.stores.link import Link
from app.stores.presign import Presigner

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef

TRIED = b"123456789"
SUM = "rosUhgp5mIg="  # CRC-64/NVME of it: ae8b14860a799888
WRONG = "AAAAAAAAAAA="
FRAMED = b"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n"
PATIENCE = 10.0  # seconds for an answer
GOOD = range(200, 300)


class BucketInspector:
    """The port StoreInspector over one bucket."""

    def __init__(self, at: S3Address) -> None:
        self._link = Link(at)
        self._presigner = Presigner(self._link)

    def look(self, origins: Sequence[str]) -> StoreFacts:
        """As the port says."""
        with self._probe() as key:
            skew = self._put(key, {})
            same = self._read(key) == TRIED
            keeps = self._keeps(key)
            unframed = self._unframed(key)
        presigned, welcomes = self._presigned(origins)
        return BucketFacts(
            where=str(self._link.at),
            prefix=self._link.at.prefix,
            skew=skew,
            same=same,
            keeps=keeps,
            verifies=self._verifies(),
            unframed=unframed,
            presigned=presigned,
            origins=welcomes,
            rules=self._rules(),
        )

    @contextlib.contextmanager
    def _probe(self) -> Iterator[str]:
        """A key of our own, removed at the end."""
        key = f"{keys.STAGING}_doctor/{secrets.token_hex(8)}"
        try:
            yield key
        finally:
            with self._link.speaking() as s3:
                s3.delete_object(Bucket=self._link.bucket, Key=self._link.full(key))

    def _put(self, key: str, sums: Mapping[str, str]) -> float:
        """Write it; the server's clock minus ours. The sum stands in the head of the request."""
        with self._link.speaking() as s3:
            answer = s3.put_object(Bucket=self._link.bucket, Key=self._link.full(key), Body=TRIED, **sums)  # type: ignore[arg-type]  # one optional name
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return 0.0 if date is None else parsedate_to_datetime(date).timestamp() - time.time()

    def _read(self, key: str) -> bytes:
        with self._link.speaking() as s3:
            return s3.get_object(Bucket=self._link.bucket, Key=self._link.full(key))["Body"].read()

    # ------------------------------------------------------------ sums

    def _keeps(self, key: str) -> bool:
        """Whether a sum that was sent is kept, and told."""
        try:
            self._put(key, {"ChecksumCRC64NVME": SUM})
            with self._link.speaking() as s3:
                head = s3.head_object(Bucket=self._link.bucket, Key=self._link.full(key), ChecksumMode="ENABLED")
        except StoreDown:
            return False
        return head.get("ChecksumCRC64NVME") == SUM

    def _verifies(self) -> bool:
        """Whether bytes that do not have their sum are refused."""
        with self._probe() as key:
            try:
                self._put(key, {"ChecksumCRC64NVME": WRONG})
            except StoreDown:
                return True
            return False

    def _unframed(self, key: str) -> bool | None:
        """Whether the frames of a body in aws-chunked are taken off; None where such a body is refused."""
        url = self._presigner.place(key)
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Decoded-Content-Length": str(len(TRIED)),
            "X-Amz-Trailer": "x-amz-checksum-crc32",
        }
        request = AWSRequest(method="PUT", url=url, headers=headers, data=FRAMED)
        request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}  # where botocore looks when it signs
        S3SigV4Auth(self._link.credentials(), "s3", self._link.region).add_auth(request)
        status, _ = _sent("PUT", url, dict(request.headers.items()), FRAMED)
        return self._read(key) == TRIED if status in GOOD else None

    # ------------------------------------------------------------ as clients come

    def _presigned(self, origins: Sequence[str]) -> tuple[str, dict[str, Welcome]]:
        """A part, PUT by a signed URL: what went wrong, and what a page of each origin meets."""
        key = f"{keys.STAGING}_doctor/{secrets.token_hex(8)}"
        session = multipart.begin(self._link, key)
        try:
            url = self._presigner.part_url(key, session, 1, len(TRIED), time.time() + 60)
            status, said = _sent("PUT", url, {}, TRIED)
            wrong = "" if status in GOOD else str(said.get("fault") or f"status {status}")
            return wrong, {origin: _welcome(url, origin) for origin in origins} if not wrong else {}
        finally:
            multipart.abort(self._link, key, session)

    # ------------------------------------------------------------ rules

    def _rules(self) -> list[Rule] | None:
        """The lifecycle, as far as it is in force; None where we may not read it."""
        try:
            with self._link.speaking() as s3:
                found = s3.get_bucket_lifecycle_configuration(Bucket=self._link.bucket)["Rules"]
        except (StoreDown, UploadError) as fault:
            cause = fault.__cause__
            code = cause.response.get("Error", {}).get("Code") if isinstance(cause, ClientError) else None
            return [] if code == "NoSuchLifecycleConfiguration" else None
        return [_rule(each) for each in found if each.get("Status") == "Enabled"]


def _rule(told: LifecycleRuleOutputTypeDef) -> Rule:
    narrowed: Mapping[str, Any] = told.get("Filter") or {}
    prefix = narrowed.get("Prefix") or (narrowed.get("And") or {}).get("Prefix") or told.get("Prefix") or ""
    expiry, abort = told.get("Expiration") or {}, told.get("AbortIncompleteMultipartUpload") or {}
    days = 0 if "Date" in expiry else expiry.get("Days")
    return Rule(told.get("ID") or prefix or "without a name", prefix, days, abort.get("DaysAfterInitiation"))


def _welcome(url: str, origin: str) -> Welcome:
    """A browser's two requests: may I, and the PUT itself (WHATWG Fetch, CORS protocol)."""
    page = "https://page.example" if origin == "*" else origin
    status, told = _sent("OPTIONS", url, {"Origin": page, "Access-Control-Request-Method": "PUT"}, None)
    allowed = (
        status in GOOD and told.get("access-control-allow-origin") in {page, "*"} and "PUT" in told.get("access-control-allow-methods", "")
    )
    _, told = _sent("PUT", url, {"Origin": page}, TRIED)
    shown = {name.strip().lower() for name in told.get("access-control-expose-headers", "").split(",")}
    return Welcome(allowed, bool({"etag", "*"} & shown))


def _sent(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, dict[str, str]]:
    """The status and the header of an answer; 0, and the `fault`, where none came."""
    request = urllib.request.Request(url, body, {**headers, **({} if body is None else {"Content-Type": ""})}, method=method)  # noqa: S310 - an endpoint is http(s), the settings see to it
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, {name.lower(): value for name, value in refused.headers.items()}
    except OSError as fault:
        return 0, {"fault": str(getattr(fault, "reason", fault))}
