"""What is kept, and the bytes behind it."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from app.core import asset, timing
from app.core.asset import Asset, AssetState, Blob, BlobState
from app.core.errors import Code, Moved
from app.core.facts import Facts

NOW = 1000.0
FACTS = Facts(9, "sha256:aa", "image/png", 3, 3)


def an_asset(**fields):
    return replace(Asset("a", "t", "me", "v1", "cat.png", 0.0, 0.0, expires_at=NOW, version=3), **fields)


def a_blob(**fields):
    return replace(Blob("blobs/t/u", "t", version=3), **fields)


KEPT = {"updated_at": NOW, "version": 4, "expires_at": None}

# (asset, usage, now) -> what changes, or the code of the refusal
KEEPING = [
    ({}, None, NOW, KEPT),
    ({}, "album", NOW, {**KEPT, "usage": "album"}),
    ({"usage": "album"}, "album", NOW, KEPT),
    ({"usage": "album"}, None, NOW, KEPT),
    ({"usage": "album"}, "cover", NOW, Code.IN_USE),
    ({"usage": "album", "expires_at": None}, "cover", NOW, Code.IN_USE),
    ({}, "album", NOW + 0.1, Code.GONE),
    ({"expires_at": None}, None, NOW, KEPT),
    ({"state": AssetState.DELETED}, "album", NOW, Code.GONE),
    ({"state": AssetState.DELETED, "expires_at": None}, None, NOW, Code.GONE),
]


@pytest.mark.parametrize(("fields", "usage", "now", "outcome"), KEEPING)
def test_keeping(fields, usage, now, outcome):
    before = an_asset(**fields)
    if isinstance(outcome, Code):
        with pytest.raises(Moved) as moved:
            asset.keep(before, usage, now)
        assert moved.value.code is outcome
    else:
        assert asset.keep(before, usage, now) == replace(before, **outcome)


@pytest.mark.parametrize(("state", "now"), [(AssetState.READY, NOW), (AssetState.READY, NOW + 99), (AssetState.PLACEHOLDER, NOW)])
def test_deleting_is_possible_until_it_is_deleted(state, now):
    gone = asset.delete(an_asset(state=state), now)
    assert gone == an_asset(state=AssetState.DELETED, expires_at=None, updated_at=now, version=4)
    with pytest.raises(Moved) as moved:
        asset.delete(gone, now)
    assert moved.value.code is Code.GONE


@pytest.mark.parametrize(
    ("fields", "now", "there"),
    [
        ({}, NOW, True),
        ({}, NOW + 0.1, False),
        ({"expires_at": None}, NOW * 9, True),
        ({"state": AssetState.DELETED, "expires_at": None}, 0.0, False),
    ],
)
def test_an_asset_is_there_until_its_deadline_swept_or_not(fields, now, there):
    with nullcontext() if there else pytest.raises(Moved, match="existed and was removed"):
        asset.require_ready(an_asset(**fields), now)


@pytest.mark.parametrize(("state", "lives"), [(BlobState.PROMOTING, True), (BlobState.LIVE, False), (BlobState.DOOMED, False)])
def test_only_what_is_being_promoted_comes_to_live(state, lives):
    if lives:
        found = asset.live(a_blob(state=state), FACTS)
        assert found == a_blob(state=BlobState.LIVE, size=9, digest="sha256:aa", media_type="image/png", version=4)
    else:
        with pytest.raises(Moved) as moved:
            asset.live(a_blob(state=state), FACTS)
        assert moved.value.code is Code.VERSION_CONFLICT


@pytest.mark.parametrize("state", [BlobState.PROMOTING, BlobState.LIVE])
def test_doomed_bytes_wait_longer_than_any_worker(state):
    found = asset.doom(a_blob(state=state), NOW)
    assert found == a_blob(state=BlobState.DOOMED, doomed_at=NOW + timing.GRACE, version=4)
