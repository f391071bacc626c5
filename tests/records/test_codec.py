"""Whatever an entity holds comes back, and other versions of this code are understood."""

import json
import re
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.asset import Asset, Blob, Pointer
from app.core.credentials import Credential, Token
from app.core.errors import Code, Problem, Unreadable
from app.core.facts import Facts
from app.core.operation import Operation
from app.core.parts import Part, Parts
from app.core.policy import Principal, Scope
from app.core.refs import Kind, Ref
from app.core.renditions import WRITABLE, Order, Renditions, Spec
from app.core.upload import Upload
from app.records import codec, keys
from tests.records.samples import an_asset, an_operation, an_upload

FACT = st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.lists(st.text())
PROBLEM = st.builds(Problem, st.sampled_from(Code), st.text(), st.dictionaries(st.text(), FACT))
SIDE, PLACE = st.none() | st.integers(1, 10_000), st.floats(-1, 1)
SPEC = st.builds(
    Spec,
    width=SIDE,
    height=SIDE,
    quality=st.none() | st.integers(1, 100),
    media_type=st.none() | st.sampled_from(sorted(WRITABLE)),
    focus=st.none() | st.tuples(PLACE, PLACE),
    background=st.none() | st.text(max_size=32),
)
OPERATION = st.builds(Operation, problem=st.none() | PROBLEM, order=st.none() | st.builds(Order, spec=SPEC))
ENTITIES = st.one_of(st.builds(Upload), OPERATION, st.builds(Asset), st.builds(Blob), st.builds(Pointer), st.builds(Renditions))
OTHERS = [Credential, Token, Principal]


def no_nan(value):
    return re.search(r"\bnan\b", repr(value)) is None


@given(ENTITIES.filter(no_nan))
def test_every_entity_comes_back(entity):
    holders = getattr(entity, "holders", 0)
    assert codec.decode(entity.ref, codec.encode(entity), holders) == entity


@given(st.dictionaries(st.integers(1, 10_000), st.builds(Part)))
def test_a_part_table_comes_back(held):
    table = Parts("acme", "u1", held)
    assert codec.decode(table.ref, codec.encode(table)) == table


@given(st.one_of(*(st.builds(kind) for kind in OTHERS)).filter(no_nan))
def test_whatever_the_keyring_keeps_comes_back(thing):
    assert codec.from_hash(type(thing), codec.to_hash(thing)) == thing
    assert codec.loads(type(thing), codec.dumps(thing)) == thing


@given(ENTITIES.filter(no_nan))
def test_a_hash_is_text_alone_and_one_field_an_attribute(entity):
    written = codec.encode(entity)
    assert {type(part) for pair in written.items() for part in pair} == {str}
    assert written.keys() <= {field.name for field in fields(entity)}


@pytest.mark.parametrize("entity", [an_upload(), an_operation(), an_asset()])
def test_a_newer_process_may_write_more(entity):
    written = codec.encode(entity) | {"invented": "later", "also": '{"x":1}'}
    assert codec.decode(entity.ref, written) == entity


def test_a_newer_process_may_write_more_inside():
    up = an_upload()
    written = codec.encode(up)
    written["policy"] = json.dumps({**json.loads(written["policy"]), "invented": 1})
    assert codec.decode(up.ref, written) == up


def test_an_older_process_wrote_less():
    up = an_upload(policy=replace(an_upload().policy, asset_ttl=None))
    written = {name: text for name, text in codec.encode(up).items() if name not in {"metadata", "version", "planned"}}
    policy = json.loads(written["policy"])
    del policy["max_frames"]
    assert codec.decode(up.ref, written | {"policy": json.dumps(policy)}) == up


def test_facts_of_an_older_process_tell_of_no_trailing_bytes():
    of = Asset("a", "t", "me", "v1", "x.png", 0.0, 0.0, blob="b", facts=Facts(9, "sha256:aa", "image/png", 3, 3, 1, 1, has_alpha=False))
    written = codec.encode(of)
    facts = json.loads(written["facts"])
    del facts["trailing"]
    assert codec.decode(of.ref, written | {"facts": json.dumps(facts)}) == of


def test_a_none_is_told_from_a_default_inside_a_policy():
    kept = an_upload(policy=replace(an_upload().policy, asset_ttl=None))
    assert codec.decode(kept.ref, codec.encode(kept)).policy.asset_ttl is None


def test_types_are_restored():
    up = codec.decode(an_upload().ref, codec.encode(an_upload()))
    token = codec.loads(Token, codec.dumps(Token(Principal("t", "o", frozenset({Scope.ADMIN})), 1.0, 2.0)))
    assert [type(up.policy.media_types), type(up.state), type(token.principal.scopes)] == [tuple, type(an_upload().state), frozenset]


# ---------------------------------------------------------------- keys

NAMES = st.text(alphabet="ab:%3A/é", max_size=6)
REFS = st.builds(Ref, st.sampled_from(Kind), NAMES, NAMES)


@given(REFS)
def test_a_member_names_its_ref(ref):
    assert keys.ref_of(keys.member(ref)) == ref


@given(st.lists(REFS, unique=True, min_size=2, max_size=8))
def test_no_two_refs_share_a_key(refs):
    made = [
        key(ref)
        for ref in refs
        for key in (keys.record, keys.holders, keys.tombstone, keys.lock)
        if key is not keys.holders or ref.kind is Kind.BLOB
    ]
    assert len(set(made)) == len(made)


def test_what_a_newer_process_allowed_is_unreadable_and_no_refusal():
    wide = an_operation(order=Order("blobs/acme/u1", 10, "image/png", Spec(10), "renditions/acme/u1"))
    fields_of_it = codec.encode(wide)
    assert codec.decode(wide.ref, fields_of_it) == wide
    with pytest.raises(Unreadable):
        codec.decode(wide.ref, {**fields_of_it, "order": fields_of_it["order"].replace('"width":10', '"width":99999')})
