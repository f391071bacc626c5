"""The token endpoint, and who may do what with what it gave."""

from __future__ import annotations

import pytest

from tests.dialects.house import Row, basic, bearer
from tests.dialects.squidex.speak import APP, ASSETS, FORM, asset, file, folder, form, refusal, token

TOKEN = "/squidex/identity-server/connect/token"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_token_lives_thirty_days_and_its_scope_is_the_vendors(door):
    client_id, secret = door.client_of()
    sent = f"grant_type=client_credentials&client_id={client_id.replace(':', '%3A')}&client_secret={secret}&scope=squidex-api"
    wanted = {"access_token": lambda v: isinstance(v, str), "token_type": "Bearer", "expires_in": 2592000, "scope": "squidex-api"}
    headers = URLENCODED | {"X-AuthRequest": "1", "X-AuthSource": "Client"}
    got = door.run(Row("POST", TOKEN, headers, sent, shows=wanted)).get_json()
    door.run(Row("GET", ASSETS, bearer(got["access_token"])))
    door.pass_time(2592001)
    door.run(Row("GET", ASSETS, bearer(got["access_token"]), status=401, shows=refusal(401)))


def test_a_client_may_leave_the_scope_out_and_show_itself_by_basic(door):
    client_id, secret = door.client_of()
    door.run(
        Row("POST", f"{TOKEN}/", URLENCODED | basic(client_id, secret), "grant_type=client_credentials", shows={"scope": "squidex-api"})
    )


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ("", 400, "invalid_request"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&client_id=acme:default&client_secret=wrong&scope=squidex-api", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=acme:default&client_id=x&client_secret=wrong", 400, "invalid_request"),
        ('{"grant_type": 7}', 400, "invalid_request"),
        ("\xff=\xfe&%ff", 400, "invalid_request"),
    ],
)
def test_what_is_no_request_for_a_token_is_refused(door, sent, status, error):
    door.client_of()
    answer = door.run(Row("POST", TOKEN, URLENCODED, sent, status))
    assert answer.get_json()["error"] == error


def test_a_scope_that_nobody_knows_is_refused(door):
    client_id, secret = door.client_of()
    sent = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": "squidex-api everything"}
    assert door.client.post(TOKEN, data=sent).get_json()["error"] == "invalid_scope"


WRITES = [
    ("POST", ASSETS),
    ("POST", f"{ASSETS}/chosen"),
    ("PUT", f"{ASSETS}/{{id}}/content"),
    ("PUT", f"{ASSETS}/{{id}}"),
    ("PUT", f"{ASSETS}/{{id}}/parent"),
    ("DELETE", f"{ASSETS}/{{id}}"),
    ("PUT", f"{ASSETS}/tags/a"),
    ("POST", f"{ASSETS}/folders"),
    ("PUT", f"{ASSETS}/folders/{{folder}}"),
    ("PUT", f"{ASSETS}/folders/{{folder}}/parent"),
    ("DELETE", f"{ASSETS}/folders/{{folder}}"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_reader_changes_nothing_and_another_app_is_not_found(door, mine, method, path):
    there = {"id": asset(door, mine)["id"], "folder": folder(door, mine)["id"]}
    at = path.format(**there)
    reader, other = token(door, role="viewer", name="reader"), token(door, "other")
    headers = {"Content-Type": FORM} if (method == "POST" and "folders" not in path) or "content" in path else {}
    sent = form(file()) if headers else {}
    door.run(Row(method, at, reader | headers, sent, 403, shows=refusal(403)))
    door.run(Row(method, at, other | headers, sent, 404, shows=refusal(404)))


def test_a_reader_reads_and_gets_no_links_to_what_it_may_not(door, mine):
    made = asset(door, mine)
    reader = token(door, role="viewer", name="reader")
    links = door.run(Row("GET", f"{ASSETS}/{made['id']}", reader)).get_json()["_links"]
    assert sorted(links) == ["content", "content/slug", "self"]
    assert sorted(door.run(Row("GET", ASSETS, reader)).get_json()["_links"]) == ["self", "tags"]


def test_a_key_of_the_tenant_is_as_good_as_a_token(door):
    door.run(Row("GET", ASSETS, door.key(), sends={"X-AppId": lambda v: len(v) == 36}))


def test_the_id_of_an_app_is_always_the_same_and_anothers_is_another(door, mine):
    ids = {door.run(Row("GET", path, who)).headers["X-AppId"] for path, who in ((ASSETS, mine), (f"{APP}/assets/tags", mine))}
    other = door.run(Row("GET", "/squidex/api/apps/other/assets", token(door, "other"))).headers["X-AppId"]
    assert len(ids) == 1
    assert other not in ids
