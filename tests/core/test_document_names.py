"""The names that a document gets and gives up when it is revised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.alias import alias_ref
from app.core.document import revised
from app.core.errors import Code, Moved, UploadError
from tests.core.worlds import Meanwhile


@pytest.fixture
def documents(door):
    return door.house.documents


@pytest.fixture
def who(door):
    return door.principal()


def named(door, who, name):
    return door.house.library.find(who, name).id


def same(of, now):
    return revised(of, now)


def test_names_come_and_go_with_a_revision(door, documents, who):
    of = documents.create(who, "d", "one", {}, ("a",))
    after = documents.revise(of, same, claim=("b", "c"), drop=("a",))
    assert (after.aliases, after.revision) == (("b", "c"), 2)
    assert (named(door, who, "b"), named(door, who, "c")) == ("one", "one")
    with pytest.raises(UploadError) as refused:
        named(door, who, "a")
    assert refused.value.code is Code.NOT_FOUND
    documents.create(who, "d", "two", {}, ("a",))
    assert named(door, who, "a") == "two"


def test_a_name_that_it_has_already_may_be_claimed_again(documents, who):
    of = documents.create(who, "d", "one", {}, ("a",))
    assert documents.revise(of, same, claim=("a",)).aliases == ("a",)


def test_a_name_that_another_has_is_refused_and_nothing_changes(door, documents, who):
    of = documents.create(who, "d", "one", {}, ("a",))
    documents.create(who, "d", "two", {}, ("b",))
    with pytest.raises(Moved) as refused:
        documents.revise(of, same, claim=("c", "b"), drop=("a",))
    assert refused.value.code is Code.EXISTS
    assert documents.document(who, "d", "one") == of
    assert (named(door, who, "a"), named(door, who, "b")) == ("one", "two")
    with pytest.raises(UploadError):
        named(door, who, "c")


def test_a_name_that_another_has_is_not_given_up_for_it(door, documents, who):
    of = documents.create(who, "d", "one", {})
    documents.create(who, "d", "two", {}, ("b",))
    assert documents.revise(of, same, drop=("b",)).aliases == ()
    assert named(door, who, "b") == "two"


def test_names_go_with_the_document(door, documents, who):
    of = documents.create(who, "d", "one", {})
    documents.delete(documents.revise(of, same, claim=("a",)))
    documents.create(who, "d", "two", {}, ("a",))
    assert named(door, who, "a") == "two"


def test_a_name_that_comes_while_the_document_goes_goes_too(door, documents, who):
    of = documents.create(who, "d", "one", {})
    late = Meanwhile(door.house.records, "commit", lambda: documents.revise(of, same, claim=("a",)))
    replace(documents, records=late).delete(of)
    assert late.done
    assert door.house.records.get(alias_ref(who.tenant, "a")) is None
    assert documents.create(who, "d", "two", {}, ("a",)).aliases == ("a",)
