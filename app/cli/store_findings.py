"""What is wrong with the store, judged by what was measured: pure functions from facts to findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.cli.findings import Finding, fault, ok, skew, warning
from app.core import keys
from app.core.policy import DAY, Policy
from app.core.ports.inspection import BucketFacts, FolderFacts, MemoryFacts, Rule, StoreFacts, Welcome

FREE_LEAST = 0.1  # of the disk …
FREE_BYTES = 2 * 1024**3  # … or so much
FILES_LEAST = 1000
AT_REST = (keys.BLOBS, keys.RENDITIONS, keys.MANIFESTS, keys.FOLDERS, keys.DOCUMENTS)


def store(facts: StoreFacts, policies: Sequence[Policy]) -> Iterator[Finding]:
    """Where bytes lie; `policies` are those of all doors."""
    match facts:
        case FolderFacts():
            yield from _folder(facts)
        case BucketFacts():
            yield from _bucket(facts, policies)
        case MemoryFacts():
            yield fault("store", "bytes are kept in the memory of each process", "Name a folder or a bucket: SLIPWAY_STORE.")


def _folder(facts: FolderFacts) -> Iterator[Finding]:
    if facts.same and facts.links:
        yield ok("store", f"{facts.root}: written, synced, read, linked, removed")
    else:
        what = "makes no hard links" if facts.same else "does not give back what is written"
        yield fault("store", f"{facts.root} {what}", "Use a local file system, such as ext4 or XFS.")
    told = f"{facts.free >> 20} of {facts.total >> 20} MiB free"
    if facts.free < min(FREE_BYTES, FREE_LEAST * facts.total) or facts.files < FILES_LEAST:
        yield warning("store: disk", f"{told}, room for {facts.files} files", "Make room: a full disk refuses uploads.")
    else:
        yield ok("store: disk", told)


def _bucket(facts: BucketFacts, policies: Sequence[Policy]) -> Iterator[Finding]:
    if facts.same:
        yield ok("store", f"{facts.where}: written, read, removed")
    else:
        yield fault("store", f"{facts.where} does not give back what is written", "Use another server.")
    yield skew("clock of S3", facts.skew)
    yield _sums(facts)
    yield _frames(facts)
    yield _signed(facts)
    yield from (_page(origin, welcome) for origin, welcome in facts.origins.items())
    yield from _lifecycle(facts, policies)


def _sums(facts: BucketFacts) -> Finding:
    if facts.verifies and facts.keeps:
        return ok("store: checksums", "CRC64NVME is verified and kept")
    if facts.verifies:
        return warning("store: checksums", "CRC64NVME is verified, not kept", "Nothing to do: the worker reads every byte to be sure.")
    return warning("store: checksums", "a wrong CRC64NVME is not refused", "Bytes that break on the way are found by the worker only.")


def _frames(facts: BucketFacts) -> Finding:
    check = "store: aws-chunked"
    if facts.unframed is None:
        return warning(
            check, "bodies in frames are refused", "Nothing to do here; other clients need `request_checksum_calculation = when_required`."
        )
    if not facts.unframed:
        return warning(
            check, "frames are kept as if they were bytes", "Nothing to do here; other clients that send checksums spoil what they write."
        )
    return ok(check, "frames are taken off")


def _signed(facts: BucketFacts) -> Finding:
    if facts.presigned:
        remedy = "Clients PUT parts to that address: see `public=` in SLIPWAY_STORE, and the proxy in front of it."
        return fault("store: signed URLs", f"a part cannot be sent to the public endpoint: {facts.presigned}", remedy)
    return ok("store: signed URLs", "a part was sent to the public endpoint")


def _page(origin: str, welcome: Welcome) -> Finding:
    check = f"store: CORS for {origin}"
    if not welcome.allowed:
        return fault(check, "a page may not PUT parts", "Allow PUT from this origin in the bucket's CORS configuration.")
    if not welcome.shown:
        return warning(check, "a page is not shown the ETag of a part", "Add ETag to ExposeHeaders in the bucket's CORS configuration.")
    return ok(check, "a page may PUT parts, and sees their ETag")


def _lifecycle(facts: BucketFacts, policies: Sequence[Policy]) -> Iterator[Finding]:
    check = "store: lifecycle"
    if facts.rules is None:
        yield warning(check, "may not be read", "See to it that no rule removes what is below the prefix.")
        return
    wrong = [found for rule in facts.rules for found in _rule(rule, facts.prefix, policies)]
    yield from wrong
    if not any(rule.aborts is not None for rule in facts.rules):
        said = "no rule ends unfinished multipart uploads; Slipway sweeps its own once a day"
        yield warning(check, said, "As a second net: AbortIncompleteMultipartUpload after 7 days.")
    elif not wrong:
        yield ok(check, f"{len(facts.rules)} rules, none in the way")


def _rule(rule: Rule, prefix: str, policies: Sequence[Policy]) -> Iterator[Finding]:
    """What a rule does to uploads under way, and to what rests."""
    longest = max((policy.upload_ttl for policy in policies), default=0.0)
    check = "store: lifecycle"
    for ends, what in ((rule.aborts, "ends unfinished multipart uploads"), (rule.expires, "removes staged bytes")):
        if ends is not None and ends * DAY < longest and _touches(rule, prefix, keys.STAGING):
            said = f"the rule {rule.name} {what} after {ends:g} days, uploads may take {longest / DAY:.1f}"
            yield fault(check, said, "Give it more days than the longest SLIPWAY_…_UPLOAD_TTL.")
    kept = [tree for tree in AT_REST if _touches(rule, prefix, tree)]
    if rule.expires is not None and kept:
        said = f"the rule {rule.name} removes {', '.join(kept)} after {rule.expires:g} days, also what somebody keeps"
        yield fault(check, said, "Take it away: Slipway removes what nobody keeps.")


def _touches(rule: Rule, prefix: str, tree: str) -> bool:
    place = f"{prefix}/{tree}" if prefix else tree
    return place.startswith(rule.prefix) or rule.prefix.startswith(place)
