"""`Idempotency-Key`: what is sent again is answered again and done once, also where a process died over it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from app.core.errors import RecordsDown
from app.jobs import InlineJobs
from app.records.redis_records import RedisRecords
from app.records.replies import RedisReplies
from app.web import idempotency
from tests.dialects.house import CHUNKED, Row, bearer, digest_field
from tests.dialects.pictures import picture

UPLOADS = "/v1/uploads"
KEY = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
PNG = {"Content-Type": "image/png"}
PROBLEM = {"Content-Type": "application/problem+json"}
REUSED = {"code": "idempotency_key_reused", "status": 422}
RUNNING = {"code": "idempotency_key_running", "status": 409}
FIRST, AGAIN = {"Idempotent-Replayed": None}, {"Idempotent-Replayed": "true"}


def form(boundary: str, name: str = "a.png", content: bytes = b"", field: str = "x") -> tuple[dict[str, str], bytes]:
    """A form's headers and body."""
    lines = [
        *(f"--{boundary}", 'Content-Disposition: form-data; name="note"', "", field),
        *(f"--{boundary}", f'Content-Disposition: form-data; name="file"; filename="{name}"', "Content-Type: image/png", ""),
    ]
    body = "\r\n".join(lines).encode() + b"\r\n" + (content or picture()) + f"\r\n--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


@pytest.fixture
def keyed(mine):
    return mine | KEY


@pytest.fixture
def operations(door, mine):
    """The ids of all that there are."""
    return lambda: [item["id"] for item in door.run(Row("GET", "/v1/operations", mine)).get_json()["items"]]


# ---------------------------------------------------------------- the same again

SENT = {
    "raw": (PNG, picture(), {}),
    "chunked": (PNG, picture(), CHUNKED),
    "announced": ({}, {"filename": "a.png", "size": 9}, {}),
    "in parts": ({}, {"filename": "a.png", "size": 20_000_000, "parts": True}, {}),
    "form": (*form("one"), {}),
}


@pytest.mark.parametrize(("headers", "body", "environ"), SENT.values(), ids=SENT)
def test_an_upload_sent_again_is_answered_again(door, keyed, operations, headers, body, environ):
    first = door.run(Row("POST", UPLOADS, keyed | headers, body, 202, FIRST, environ=environ))
    again = door.run(Row("POST", UPLOADS, keyed | headers, body, 202, AGAIN, environ=environ))
    assert again.get_data() == first.get_data()
    names = ("Location", "Operation-Location", "Retry-After", "Content-Type", "Cache-Control")
    assert [again.headers[name] for name in names] == [first.headers[name] for name in names]
    assert len(operations()) == 1


def test_a_form_has_another_boundary_every_time(door, keyed, operations):
    content = b"-" * 70_000 + b"abcdefgh" * 40_000  # what looks like a boundary's beginning, in many pieces

    def tell(boundary, **what):
        headers, body = form(boundary, **({"content": content} | what))
        return door.send("POST", UPLOADS, keyed | headers, body)

    first = tell("----WebKitFormBoundaryabc")
    assert first.status_code == 202
    assert tell("boundary-of-another-length-altogether-2").get_data() == first.get_data()
    for other in ({"name": "b.png"}, {"content": content[:-1]}, {"field": "y"}):
        assert tell("----WebKitFormBoundaryabc", **other).get_json()["code"] == "idempotency_key_reused", other
    assert len(operations()) == 1


def test_complete_cancel_and_their_own_refusals(door, keyed, mine):
    door.jobs.hold = True
    plan = door.run(Row("POST", UPLOADS, mine, {"filename": "a.png", "size": len(picture()), "parts": True}, 202)).get_json()
    complete = plan["upload"]["completeUrl"]
    door.run(Row("POST", complete, keyed, status=409, shows={"code": "parts_missing"}))  # nothing was done, so nothing is kept
    door.run(Row("PUT", plan["upload"]["parts"][0]["url"], body=picture()))
    first = door.run(Row("POST", complete, keyed, status=202, sends=FIRST))
    cancel = f"/v1/operations/{plan['id']}/cancel"
    door.run(Row("POST", cancel, keyed, status=422, shows=REUSED))
    door.run(Row("POST", cancel, mine | {"Idempotency-Key": "another"}, shows={"status": "cancelled"}, sends=FIRST))
    door.run(Row("POST", cancel, mine | {"Idempotency-Key": "another"}, shows={"status": "cancelled"}, sends=AGAIN))
    door.run(Row("POST", cancel, mine, status=409, shows={"code": "operation_final"}))
    assert door.run(Row("POST", complete, keyed, status=202, sends=AGAIN)).get_data() == first.get_data()


def test_an_answer_too_long_to_keep_is_made_anew(door, keyed, operations, monkeypatch):
    monkeypatch.setattr(idempotency, "LONGEST_REPLY", 100)
    body = {"filename": "a.png", "size": 30_000_000, "parts": True}
    first = door.run(Row("POST", UPLOADS, keyed, body, 202, FIRST)).get_json()
    door.pass_time(60)
    again = door.run(Row("POST", UPLOADS, keyed, body, 202, AGAIN)).get_json()
    assert (again["id"], again["upload"]["id"]) == (first["id"], first["upload"]["id"])
    assert again["upload"]["parts"][0]["url"] == first["upload"]["parts"][0]["url"]
    door.run(Row("POST", UPLOADS, keyed, body | {"size": 30_000_001}, 422, shows=REUSED))
    assert len(operations()) == 1


# ---------------------------------------------------------------- something else

OTHER = {
    "body": (UPLOADS, PNG, picture(shade=2), {}),
    "shorter": (UPLOADS, PNG, picture()[:-1], {}),
    "longer": (UPLOADS, PNG, picture() + b"x", {}),
    "longer and chunked": (UPLOADS, PNG, picture() + b"x", CHUNKED),
    "longer by far and chunked": (UPLOADS, PNG, picture() + bytes(3_000_000), CHUNKED),
    "empty": (UPLOADS, PNG, b"", {}),
    "query": (UPLOADS + "?filename=b.png", PNG, picture(), {}),
    "type": (UPLOADS, {"Content-Type": "image/gif"}, picture(), {}),
    "name": (UPLOADS, PNG | {"Content-Disposition": 'attachment; filename="x.png"'}, picture(), {}),
    "path": (UPLOADS + "/none/complete", PNG, picture(), {}),
}


def test_another_request_with_the_same_key(door, keyed, operations):
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202))
    for path, headers, body, environ in OTHER.values():
        door.run(Row("POST", path, keyed | headers, body, 422, PROBLEM, REUSED, environ))
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, AGAIN))
    assert len(operations()) == 1


def test_a_key_is_its_principals_own(door, keyed, operations):
    made = {
        door.run(Row("POST", UPLOADS, who | KEY | PNG, picture(), 202, FIRST)).get_json()["id"]
        for who in (door.key("acme"), door.key("other"), keyed)
    }
    assert len(made) == 3


def test_an_answer_is_for_who_may_ask_for_it(door, mine, operations):
    """Tokens of one client are one principal, and may be of different scopes."""
    client, secret = door.client_of()

    def token(scope):
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": scope}
        return bearer(door.client.post("/oauth2/token", data=form).get_json()["access_token"])

    wide, narrow = token("uploads:write assets:read operations:cancel"), token("operations:read")
    made = door.run(Row("POST", UPLOADS, wide | KEY | PNG, picture(), 202, FIRST)).get_json()
    asset = door.run(Row("GET", f"/v1/operations/{made['id']}", mine)).get_json()["resourceUrl"]
    open_one = door.run(Row("POST", UPLOADS, wide, {"filename": "a.png", "size": 9}, 202)).get_json()
    rows = [
        Row("POST", UPLOADS, KEY | PNG, picture()),
        Row("POST", f"{asset}/links", KEY | {"Idempotency-Key": "k2"}, {}),
        Row("POST", f"/v1/operations/{open_one['id']}/cancel", {"Idempotency-Key": "k3"}),
    ]
    for row in rows:
        assert door.send(row.method, row.path, wide | row.headers, row.body).status_code < 300
        door.run(replace(row, headers=narrow | row.headers, status=403, shows={"code": "forbidden"}))


def test_without_a_key_nothing_is_remembered(door, mine, operations):
    for _ in range(2):
        door.run(Row("POST", UPLOADS, mine | PNG, picture(), 202, FIRST))
    assert len(operations()) == 2
    assert not list(door._redis().scan_iter("idem:*"))


GOOD = {
    '"abc"': "abc",
    "abc": "abc",
    ' "abc" ': "abc",
    '"abc";x=1': "abc",
    "x" * 255: "x" * 255,
    '"' + "é".encode().hex() + '"': "c3a9",
    '"a,b"': "a,b",
}
BAD = ["", '""', '"', '"abc', "a b", '"a b"', "a,b", "é", "x" * 256, '"' + "x" * 256 + '"', "a\x7f", '"a", "b"', '"a\\"']


def test_the_key_is_a_string_bare_or_quoted(door, mine, operations):
    for told, key in GOOD.items():
        with door.app.test_request_context(headers={"Idempotency-Key": told}) as context:
            assert idempotency.key_of(context.request) == key
    for told in BAD:
        door.run(Row("POST", UPLOADS, mine | PNG | {"Idempotency-Key": told}, picture(), 400, PROBLEM, {"code": "bad_request"}))
    assert operations() == []


def test_quoted_or_bare_it_is_one_key(door, mine, operations):
    door.run(Row("POST", UPLOADS, mine | PNG | {"Idempotency-Key": "abc"}, picture(), 202, FIRST))
    door.run(Row("POST", UPLOADS, mine | PNG | {"Idempotency-Key": '"abc"'}, picture(), 202, AGAIN))


# ---------------------------------------------------------------- refused, and how long

REFUSED = {
    "no upload": (PNG, b"", 400),
    "another digest": (PNG | {"Content-Digest": digest_field(b"other")}, picture(), 400),
    "no JSON": ({"Content-Type": "application/json"}, b"{", 400),
    "no filename": ({}, {"size": 1}, 422),
    "a type": ({"Content-Type": "text/plain"}, b"x", 415),
}


@pytest.mark.parametrize(("headers", "body", "status"), REFUSED.values(), ids=REFUSED)
def test_who_was_refused_may_come_again_with_the_key(door, keyed, operations, headers, body, status):
    for _ in range(2):
        door.run(Row("POST", UPLOADS, keyed | headers, body, status, FIRST))
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, FIRST))
    assert len(operations()) == 1


def test_it_is_kept_for_a_day(door, keyed):
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202))
    redis = door._redis()
    assert list(redis.scan_iter("run:*")) == []
    (name,) = redis.scan_iter("idem:*")
    assert 86_300 < redis.ttl(name) <= 86_400


def test_credentials_come_first(door, mine):
    door.run(Row("POST", UPLOADS, KEY | PNG, picture(), 401))
    door.run(Row("POST", UPLOADS, door.key(role="viewer") | KEY | PNG, picture(), 403))
    assert not list(door._redis().scan_iter("idem:*"))


@pytest.mark.parametrize("call", ["begin", "note"])
def test_without_redis_nothing_is_begun(door, keyed, operations, monkeypatch, call):
    with monkeypatch.context() as down:
        down.setattr(RedisReplies, call, lambda *_: (_ for _ in ()).throw(RecordsDown("full")))
        door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 503, PROBLEM | {"Retry-After": bool}))
    assert operations() == []
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202))


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(door, keyed, operations, monkeypatch):
    with monkeypatch.context() as down:
        down.setattr(RedisReplies, "end", lambda *_: (_ for _ in ()).throw(RecordsDown("full")))
        first = door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202)).get_json()
    expire(door)
    assert door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, AGAIN)).get_json()["id"] == first["id"]
    assert len(operations()) == 1


# ---------------------------------------------------------------- at once


class Slow:
    """A body that comes in two halves; the second when it is let."""

    def __init__(self, content: bytes) -> None:
        middle = len(content) // 2
        self._halves = [content[:middle], content[middle:]]
        self.half, self.rest = threading.Event(), threading.Event()

    def read(self, _size: int = -1) -> bytes:
        if len(self._halves) == 1:
            self.half.set()
            assert self.rest.wait(20)
        return self._halves.pop(0) if self._halves else b""


@pytest.fixture
def flowing(door, keyed):
    """A request whose body came half; `finish` lets the rest come, and gives the answer."""
    body, answers = Slow(picture()), []
    environ = CHUNKED | {"wsgi.input": body}
    thread = threading.Thread(target=lambda: answers.append(door.send("POST", UPLOADS, keyed | PNG, None, environ)))
    thread.start()
    assert body.half.wait(20)

    def finish():
        body.rest.set()
        thread.join(20)
        return answers[0]

    yield finish
    finish()


@pytest.mark.timeout(60)
def test_while_it_runs(door, keyed, flowing, operations):
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 409, PROBLEM | {"Retry-After": "5"}, RUNNING))
    door.run(Row("POST", UPLOADS + "?filename=b", keyed | PNG, picture(), 422, PROBLEM, REUSED))
    first = flowing()
    assert first.status_code == 202
    assert door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, AGAIN, environ=CHUNKED)).get_data() == first.get_data()
    assert len(operations()) == 1


@pytest.mark.timeout(60)
def test_the_mark_is_renewed_while_a_body_flows(door, mine, monkeypatch, operations):
    monkeypatch.setattr(idempotency, "RENEW", 0.02)
    renewed = threading.Event()
    renew = RedisReplies.renew
    monkeypatch.setattr(RedisReplies, "renew", lambda self, turn: renew(self, turn) and not renewed.set())
    body = Slow(picture())
    sender = threading.Thread(target=door.send, args=("POST", UPLOADS, mine | KEY | PNG, None, CHUNKED | {"wsgi.input": body}))
    sender.start()
    assert body.half.wait(20)
    (mark,) = door._redis().scan_iter("run:*")
    door._redis().pexpire(mark, 3000)
    renewed.clear()
    assert renewed.wait(20)
    assert door._redis().pttl(mark) > 3000
    body.rest.set()
    sender.join(20)
    assert not door._redis().exists(mark)


@pytest.mark.timeout(60)
def test_many_at_once_make_one(door, keyed, operations):
    answers = []
    start = threading.Barrier(6)

    def send():
        start.wait()
        answers.append(door.app.test_client().post(UPLOADS, headers=keyed | PNG, data=picture(), base_url="http://slipway.test"))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = {answer.get_json()["id"] for answer in answers if answer.status_code == 202}
    assert [*made] == operations()


@pytest.mark.timeout(60)
def test_who_lost_his_turn_makes_nothing_more(door, keyed, flowing, operations):
    expire(door)
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 409, PROBLEM, {"code": "locked"}, CHUNKED))  # the upload is still being written
    assert flowing().status_code in {202, 409}
    expire(door)
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, environ=CHUNKED))
    assert len(operations()) == 1


@pytest.mark.timeout(60)
def test_who_lost_his_turn_leaves_what_another_goes_on_with(door, keyed, flowing, operations):
    (mark,) = door._redis().scan_iter("run:*")
    door._redis().set(mark, "another")
    begun = operations()
    assert flowing().get_json()["code"] == RUNNING["code"]
    assert operations() == begun != []
    expire(door)
    assert door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, environ=CHUNKED)).get_json()["id"] == begun[0]


# ---------------------------------------------------------------- a process that dies


class Killed(BaseException):
    """Nothing that runs after it happens."""


DEATHS = {
    "before anything": (RedisReplies, "note", 1, False),
    "before the upload": (RedisRecords, "commit", 1, False),
    "after the upload": (RedisRecords, "commit", 1, True),
    "before the body is noted": (RedisReplies, "note", 2, False),
    "after the body is noted": (RedisReplies, "note", 2, True),
    "before the end of the upload": (RedisRecords, "commit", 2, False),
    "after the end of the upload": (InlineJobs, "process", 1, False),
    "before the answer is kept": (RedisReplies, "end", 1, False),
}


@pytest.fixture
def die(monkeypatch):
    """`die(kind, name, which, after, request)`: makes a request in a process in which the call of that number is the last; whether it came to it."""

    def dying(kind, name, which, after, send) -> bool:
        calls, dead = [], threading.Event()

        def guarded(call, *, fatal):
            def call_it(*args, **kwargs):
                calls.extend([name] * fatal)
                last = fatal and len(calls) == which
                if dead.is_set() or (last and not after):
                    dead.set()
                    raise Killed
                result = call(*args, **kwargs)
                if last:
                    dead.set()
                    raise Killed
                return result

            return call_it

        with monkeypatch.context() as patch:
            for owner, method in {
                (RedisReplies, "note"),
                (RedisReplies, "end"),
                (RedisReplies, "renew"),
                (RedisRecords, "commit"),
                (kind, name),
            }:
                patch.setattr(owner, method, guarded(getattr(owner, method), fatal=(owner, method) == (kind, name)))
            with suppress(Killed):
                send()
        return dead.is_set()

    return dying


def expire(door) -> None:
    """The marks and locks of what died run out."""
    for pattern in ("run:*", "lock:*"):
        for name in door._redis().scan_iter(pattern):
            door._redis().delete(name)


BODIES = {"raw": (PNG, picture()), "form": form("one"), "announced": ({}, {"filename": "a.png"})}


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize(("headers", "body"), BODIES.values(), ids=BODIES)
def test_a_retry_finds_what_was_made(door, keyed, operations, die, headers, body, death):
    died = die(*death, lambda: door.send("POST", UPLOADS, keyed | headers, body))
    if died:
        door.run(Row("POST", UPLOADS, keyed | headers, body, 409, shows=RUNNING))
    before = operations()
    expire(door)
    made = door.run(Row("POST", UPLOADS, keyed | headers, body, 202)).get_json()
    assert operations() == [made["id"]]
    assert set(before) <= {made["id"]}
    door.run(Row("POST", UPLOADS, keyed | headers, body, 202, AGAIN, {"id": made["id"]}))
    assert died or "upload" in made  # what is only announced comes to fewer calls


@pytest.mark.parametrize("death", ["after the end of the upload", "before the answer is kept"])
def test_a_retry_is_compared_with_what_was_made(door, keyed, operations, die, death):
    assert die(*DEATHS[death], lambda: door.send("POST", UPLOADS, keyed | PNG, picture()))
    for other in (picture(shade=2), picture() + b"x", picture()[:-1], b""):
        for environ in ({}, CHUNKED):
            expire(door)
            door.run(Row("POST", UPLOADS, keyed | PNG, other, 422, PROBLEM, REUSED, environ))
    expire(door)
    door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202, AGAIN))
    assert len(operations()) == 1


def test_what_was_cancelled_before_the_answer_was_kept(door, mine, keyed, die):
    door.jobs.hold = True
    where = door.run(Row("POST", UPLOADS, mine | PNG, picture(), 202)).headers["Location"]
    assert die(*DEATHS["before the answer is kept"], lambda: door.send("POST", where + "/cancel", keyed))
    expire(door)
    door.run(Row("POST", where + "/cancel", keyed, shows={"status": "cancelled"}, sends=AGAIN))


def test_an_upload_that_expired_half_sent_is_begun_anew(door, keyed, operations, die):
    assert die(*DEATHS["before the body is noted"], lambda: door.send("POST", UPLOADS, keyed | PNG, picture()))
    expire(door)
    (dead,) = operations()
    door.pass_time(700)
    answer = door.run(Row("POST", UPLOADS, keyed | PNG, picture(), 202)).get_json()
    assert answer["id"] != dead
    door.run(Row("GET", f"/v1/operations/{answer['id']}", keyed, shows={"status": "completed"}))
