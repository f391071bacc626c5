"""The Contentful door: what happens to an asset between the look at it and the promise about it."""

from __future__ import annotations

import pytest

from tests.dialects.contentful.speak import asset, at, body, fetched, file_from, paths_of, process, processed, put, upload, url_of, version
from tests.dialects.house import Row
from tests.dialects.pictures import picture

OLD, NEW = "https://pictures.example/old.png", "https://pictures.example/new.png"


@pytest.fixture
def meanwhile(monkeypatch):
    """The next time that a port is asked for `name`, `happens` comes first."""

    def prepare(port, name, happens):
        call, waiting = getattr(type(port), name), [happens]

        def raced(*args, **kwargs):
            while waiting:
                waiting.pop()()
            return call(*args, **kwargs)

        monkeypatch.setattr(type(port), name, raced)
        return waiting

    return prepare


def remote(url):
    return {"contentType": "image/png", "fileName": "cat.png", "upload": url}


def update(door, mine, of, files):
    sent = {"fields": of["fields"] | {"file": files}}
    return door.run(Row("PUT", at(of), mine | version(of["sys"]["version"]), sent)).get_json()


@pytest.mark.parametrize("hold", [False, True])
def test_the_source_of_an_update_that_comes_in_between_is_the_one(door, mine, meanwhile, hold):
    door.jobs.hold = hold
    made = asset(door, mine)
    newer = {"en-US": file_from(upload(door, mine, b"newer"))}
    waiting = meanwhile(door.house.library, "upload", lambda: update(door, mine, made, newer))
    process(door, mine, made)
    assert not waiting
    door.jobs.run()
    after = fetched(door, mine, made)
    assert after["sys"]["version"] == 3
    assert door.run(Row("GET", url_of(after))).get_data() == b"newer"


def test_the_url_of_an_update_that_comes_in_between_is_the_one(door, mine, meanwhile):
    door.fetcher.files |= {OLD: picture(), NEW: b"newer"}
    made = asset(door, mine, body({"en-US": remote(OLD)}))
    waiting = meanwhile(door.house.store, "stage", lambda: update(door, mine, made, {"en-US": remote(NEW)}))
    process(door, mine, made)
    assert not waiting
    assert door.run(Row("GET", url_of(fetched(door, mine, made)))).get_data() == b"newer"
    assert list(door.house.store.staged_before(-60)) == []


def test_a_file_that_is_taken_out_in_between_is_not_processed(door, mine, meanwhile):
    made = asset(door, mine)
    meanwhile(door.house.library, "upload", lambda: update(door, mine, made, {}))
    [error] = process(door, mine, made, status=422).get_json()["details"]["errors"]
    assert error["details"] == "No file specified for locale: en-US"


def test_an_asset_that_is_put_away_in_between_is_not_processed(door, mine, meanwhile):
    made = asset(door, mine)
    meanwhile(door.house.library, "upload", lambda: put(door, mine, made, "archived"))
    process(door, mine, made, status=400)
    assert fetched(door, mine, made)["sys"]["version"] == 2


def test_an_asset_that_is_deleted_in_between_is_not_found(door, mine, meanwhile):
    made = asset(door, mine)
    meanwhile(door.house.library, "upload", lambda: door.run(Row("DELETE", at(made), mine, status=204)))
    process(door, mine, made, status=404)


def test_two_who_ask_at_once_ask_once(door, mine, meanwhile):
    made = asset(door, mine)
    door.jobs.hold = True
    before = door.jobs.backlog()
    meanwhile(door.house.library, "upload", lambda: process(door, mine, made))
    process(door, mine, made)
    assert door.jobs.backlog() == before + 1
    door.jobs.run()
    assert fetched(door, mine, made)["sys"]["version"] == 2


def test_a_file_that_is_done_in_between_is_not_done_again(door, mine, meanwhile):
    made = asset(door, mine)
    meanwhile(door.house.library, "upload", lambda: process(door, mine, made))
    assert paths_of(process(door, mine, made, status=422)) == [["fields", "file", "en-US", name] for name in ("upload", "uploadFrom")]
    assert fetched(door, mine, made)["sys"]["version"] == 2


def test_another_locale_that_is_done_in_between_changes_nothing(door, mine, meanwhile):
    up = upload(door, mine)
    made = asset(door, mine, body({"en-US": file_from(up), "de": file_from(up)}))
    meanwhile(door.house.library, "upload", lambda: process(door, mine, made, "de"))
    process(door, mine, made)
    assert fetched(door, mine, made)["sys"]["version"] == 3


def test_what_is_published_between_two_processings_stays(door, mine, meanwhile):
    made = put(door, mine, processed(door, mine), "published")
    changed = update(door, mine, made, {"en-US": file_from(upload(door, mine, b"newer"))})
    meanwhile(door.house.library, "upload", lambda: put(door, mine, changed, "published", method="DELETE"))
    process(door, mine, changed)
    after = fetched(door, mine, made)
    assert after["sys"]["version"] == changed["sys"]["version"] + 2
    assert door.run(Row("GET", url_of(after))).get_data() == b"newer"
    door.run(Row("GET", url_of(made), status=404))
