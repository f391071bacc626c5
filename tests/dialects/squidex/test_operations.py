"""What happens when the answer takes longer than its asker waits; files that are fetched."""

from __future__ import annotations

import pytest

from app.core.policy import MIB
from tests.dialects.house import BASE, Row
from tests.dialects.pictures import picture
from tests.dialects.squidex.speak import ASSETS, FORM, asset, file, form, part, refusal, token, upload

ASYNC = {"Prefer": "respond-async"}


def promised(door, who, *parts, path=ASSETS, method="POST"):
    """Sent and not waited for: where to look."""
    answer = upload(door, who, *parts, path=path, method=method, status=202, headers=ASYNC)
    assert answer.headers["Location"].startswith(f"{BASE}/squidex/api/operations/")
    assert answer.get_json()["_links"]["self"]["href"] in answer.headers["Location"]
    return answer.headers["Location"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", ASSETS, 201), ("POST", f"{ASSETS}/chosen", 200), ("PUT", f"{ASSETS}/there/content", 200)]
)
def test_the_vendors_answer_is_found_at_the_location(door, mine, method, path, status):
    asset(door, mine, b"before", query="?id=there")
    door.jobs.hold = True
    at = promised(door, mine, file(), path=path, method=method)
    door.run(Row("GET", at, mine, status=202, sends={"Retry-After": "1", "Location": at}))
    door.jobs.run()
    told = door.run(Row("GET", at, mine, status=status)).get_json()
    assert told == door.run(Row("GET", f"{ASSETS}/{told['id']}", mine)).get_json()


def test_a_duplicate_is_told_as_one_however_late(door, mine):
    first = asset(door, mine)
    at = promised(door, mine)
    assert door.run(Row("GET", at, mine, status=201)).get_json() == first | {"_meta": {"isDuplicate": "true"}}


def test_who_waits_in_vain_is_told_where_to_look(open_door):
    door = open_door(SLIPWAY_SQUIDEX_PATIENCE="0.05")
    who = token(door)
    door.jobs.hold = True
    at = upload(door, who, status=202).headers["Location"]
    door.jobs.run()
    door.run(Row("GET", at, who, status=201))


def test_two_who_chose_one_id_at_once(door, mine):
    door.jobs.hold = True
    places = [promised(door, mine, file(bytes([n])), path=f"{ASSETS}?id=my-id") for n in range(2)]
    door.jobs.run()
    statuses = {door.send("GET", at, mine).status_code: door.send("GET", at, mine).get_json() for at in places}
    assert sorted(statuses) == [201, 409]
    assert statuses[409]["message"] == "Entity (my-id) already exists."
    assert statuses[409]["errorCode"] == "OBJECT_CONFLICT"


def test_an_operation_belongs_to_its_app(door, mine):
    at = promised(door, mine)
    door.run(Row("GET", at, token(door, "other"), status=404, shows=refusal(404)))
    door.run(Row("GET", at, status=401))
    door.run(Row("GET", f"{BASE}/squidex/api/operations/none", mine, status=404))


def test_an_asset_that_is_deleted_before_anybody_looked_is_not_found(door, mine):
    at = promised(door, mine, path=f"{ASSETS}/chosen")
    door.run(Row("DELETE", f"{ASSETS}/chosen", mine, status=204))
    door.run(Row("GET", at, mine, status=404))


def test_a_cancelled_operation_says_so(door, mine):
    door.jobs.hold = True
    at = promised(door, mine)
    op = door.house.library.operation(door.principal(), at.rpartition("/")[2])
    door.house.reception.cancel(op)
    door.run(Row("GET", at, mine, status=410))


# ---------------------------------------------------------------- fetched


@pytest.fixture
def web(door):
    """What is there to be fetched, by address."""
    return door.fetcher.files


def fetched(door, who, url="http://far/a.png", name="logo.png", path=ASSETS, method="POST", status=201, **more):
    return upload(door, who, part("url", url), part("name", name), path=path, method=method, status=status, **more)


def test_a_file_is_fetched_by_its_address(door, mine, web):
    web["http://far/a.png"] = picture()
    told = fetched(door, mine).get_json()
    assert (told["fileName"], told["mimeType"], told["type"], told["slug"]) == ("logo.png", "image/png", "Image", "logo.png")
    assert door.send("GET", f"/squidex/api/assets/acme/{told['id']}").get_data() == picture()
    assert fetched(door, mine).get_json()["_meta"] == {"isDuplicate": "true"}


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/chosen", 200), ("PUT", "/there/content", 200)])
def test_a_new_content_is_fetched_too(door, mine, web, method, path, status):
    asset(door, mine, b"before", query="?id=there")
    web["http://far/a.png"] = b"fetched"
    told = fetched(door, mine, path=ASSETS + path, method=method, status=status).get_json()
    assert told["fileSize"] == 7


@pytest.mark.parametrize(
    ("address", "said"),
    [("http://far/none.png", "Failed to download file."), ("http://far/large.png", "File exceeded maximum request size.")],
)
def test_what_cannot_be_fetched_is_said_in_the_vendors_words(door, mine, web, address, said):
    web["http://far/large.png"] = b"0" * (5 * MIB + 1)
    fetched(door, mine, address, status=400, shows=refusal(400, said))


def test_a_file_counts_before_an_address(door, mine):
    told = upload(door, mine, part("url", "http://far/a.png"), part("name", "x"), file(b"text", "a.txt", "text/plain")).get_json()
    assert told["fileName"] == "a.txt"


def test_a_folder_that_is_not_there_is_said_before_anything_is_fetched(door, mine):
    fetched(door, mine, path=f"{ASSETS}?parentId=nowhere", status=400, shows=refusal(400, "ParentId: Asset folder does not exist."))


def test_a_name_that_cannot_be_kept_is_refused_for_a_fetched_file_too(door, mine):
    for name in ("..", "x" * 300):
        door.run(Row("POST", ASSETS, mine | {"Content-Type": FORM}, form(part("url", "http://far/a"), part("name", name)), 400))
