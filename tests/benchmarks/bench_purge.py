"""What a purge costs: in proportion to what expired, whatever else lives. `make bench` prints it; nothing is asserted of time.

Both sides run in one process, interleaved: a Redis with 100,000 live uploads beside one with none, 500 uploads expired in each.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace

from app.core import keys, upload
from app.core.operation import Operation
from app.core.policy import Policy
from app.core.ports import Change
from app.core.retention import Retention
from app.core.signing import Signer
from app.records import open_records
from app.stores import open_store
from tests.services.redis_server import RedisServer

LIVE = int(os.environ.get("LIVE", "100000"))
EXPIRED = 500
ROUNDS = 5


def one_more(records, policy: Policy, now: float) -> None:
    new = keys.new_id()
    common = {"tenant": "bench", "owner": "bench", "created_at": now}
    up = upload.Upload(
        id=new,
        dialect="v1",
        policy=policy,
        operation_id=keys.new_id(),
        staged=upload.Staged(keys.staging("bench", new)),
        expires_at=now + policy.upload_ttl,
        part_size=policy.part_size,
        **common,
    )
    op = Operation(id=up.operation_id, kind="ingest", upload_id=new, updated_at=now, expires_at=now + policy.operation_ttl, **common)
    records.commit([up.ref, op.ref], lambda *_: Change(put=(up, op)))


def purge(records, store) -> float:
    past = records.now() - 10_000
    for _ in range(EXPIRED):
        one_more(records, Policy(upload_ttl=1), past)
    began = time.perf_counter()
    swept = Retention(records, store).expire_uploads()
    assert swept.done == EXPIRED
    return (time.perf_counter() - began) / EXPIRED


def test_purge_beside_many_live_uploads():
    store = open_store("memory://", fsync=False, signer=Signer(b"bench"))
    with RedisServer() as server:
        crowded, empty = open_records(server.url_of(1)).records, open_records(server.url_of(2)).records
        policy = replace(Policy(), upload_ttl=86400)
        for _ in range(LIVE):
            one_more(crowded, policy, crowded.now())
        pairs = [(purge(crowded, store), purge(empty, store)) for _ in range(ROUNDS)]
    ratios = [many / none for many, none in pairs]
    print(f"\npurge of {EXPIRED} expired uploads, per upload, median of {ROUNDS} interleaved rounds")
    print(f"  beside {LIVE:>7,} live ones  {statistics.median(many for many, _ in pairs) * 1e6:8.0f} us")
    print(f"  beside       0 live ones  {statistics.median(none for _, none in pairs) * 1e6:8.0f} us")
    print(f"  ratio {statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})")
