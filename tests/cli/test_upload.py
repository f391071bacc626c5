"""The parts of `slipway upload` that need no Slipway: what is usage, patience, notes, and a server that answers as it is told."""

import email.utils
import json
import os
import ssl
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from click.testing import CliRunner

from app.cli import main
from app.cli.notes import Note, Notes
from app.cli.patience import FIRST_TRIES, PAUSE_MOST, TRIES, Again, GivenUp, Patience, Stopped, pause_before, retry_after
from app.cli.results import Result, failed, readable
from app.cli.sending import repr_digest
from app.cli.sources import Changed, opened
from app.core.errors import Code
from tests.services.told import server

DONE = {"id": "op1", "status": "completed", "resourceUrl": "http://elsewhere/v1/assets/as1"}
ASSET = {"id": "as1", "mediaType": "image/png", "size": 5, "width": 1, "height": 1, "digest": "sha256:00"}


@pytest.fixture
def upload(tmp_path, monkeypatch):
    """Runs the command in an empty folder -> what it said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"bytes")

    def upload(*words, status=0, **env):
        clean = {"SLIPWAY_URL": None, "SLIPWAY_KEY": None, "SLIPWAY_DATA": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        done = CliRunner().invoke(main, ["upload", *words], env=clean | env)
        assert done.exit_code == status, done.output
        return done

    return upload


# ---------------------------------------------------------------- whom to speak to, and what about


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument"),
        (["nothing.png"], "does not exist"),
        (["."], "--recursive"),
        (["-"], "needs a name"),
        (["photo.png", "--filename", "x"], "needs a name"),
        (["-", "photo.png", "--filename", "x"], "needs a name"),
        (["photo.png", "--parallel", "0"], "--parallel"),
        (["photo.png", "--timeout", "0"], "--timeout"),
        (["photo.png"], "which Slipway: say --url"),
        (["photo.png", "--url", "http://a.example"], "the key for http://a.example"),
        (["photo.png", "--url", "a.example", "--key", "k"], "no http:// or https:// URL"),
        (["photo.png", "--url", "http://a.example", "--key", "two words"], "no key"),
        (["photo.png", "--url", "http://a.example", "--key", "é"], "no key"),
        (["photo.png", "--url", "http://[::1", "--key", "k"], "no http:// or https:// URL"),
    ],
)
def test_what_makes_no_sense_is_usage(upload, words, said):
    complaints = upload(*words, status=2).stderr
    assert said in complaints
    assert "Traceback" not in complaints


def test_a_faulty_variable_is_named(upload):
    assert "SLIPWAY_URL='ftp://a'" in upload("photo.png", status=2, SLIPWAY_URL="ftp://a").stderr


def test_the_key_of_the_data_folder_goes_to_its_own_address_only(upload, tmp_path):
    (tmp_path / "credentials.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "api_key": "secret"}))
    assert "the key for http://127.0.0.1:2" in upload("photo.png", status=2, SLIPWAY_URL="http://127.0.0.1:2").stderr
    assert "refused" in upload("photo.png", status=1, SLIPWAY_URL="http://127.0.0.1:1").stderr
    (tmp_path / "credentials.json").write_text("damaged")
    assert "which Slipway" in upload("photo.png", status=2).stderr


# ---------------------------------------------------------------- a server that answers as it is told


def sent(upload, answers, *words, status=0):
    with server(*answers) as (url, seen):
        done = upload("photo.png", "--json", *words, "--url", url, "--key", "k", status=status)
    return json.loads(done.stdout), seen


def test_a_post_that_is_tried_again_carries_the_same_key_and_the_same_bytes(upload):
    busy = (503, {"Retry-After": "0"}, {"code": "unavailable", "detail": "Later."})
    shown, seen = sent(upload, [busy, busy, (202, {}, {"id": "op1"}), (200, {}, DONE), (200, {}, ASSET)])
    posts = [(path, headers["Idempotency-Key"], body) for method, path, headers, body in seen if method == "POST"]
    assert posts == [("/v1/uploads?filename=photo.png", posts[0][1], b"bytes")] * 3
    assert len(posts[0][1]) == 36
    assert seen[0][2]["Authorization"] == "Bearer k"
    assert seen[0][2]["Repr-Digest"] == "sha-256=:J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=:"
    assert (seen[-1][0], seen[-1][1]) == ("GET", "/v1/assets/as1")
    assert (shown["ok"], shown["assetId"], shown["url"]) == (True, "as1", DONE["resourceUrl"])


@pytest.mark.parametrize(
    ("answer", "code", "detail"),
    [
        ((413, {}, {"code": "too_large", "detail": "Too large."}), "too_large", "Too large."),
        ((507, {}, {"code": "quota_exceeded", "detail": "No room."}), "quota_exceeded", "No room."),
        ((301, {"Location": "https://a.example"}, {}), "http_301", None),
        ((404, {}, {}), "http_404", None),
        ((200, {}, {}), "no_slipway", None),
        ((429, {"Retry-After": "3600"}, {"code": "rate_limited", "detail": "Too many."}), "network", "Too many."),
    ],
)
def test_what_will_not_change_is_not_tried_again(upload, answer, code, detail):
    shown, seen = sent(upload, [answer], status=1)
    assert len(seen) == 1
    assert shown["problem"]["code"] == code
    assert shown["problem"]["detail"] == detail or (detail is None and "answered with " in shown["problem"]["detail"])


BUSY = (503, {"Retry-After": "0"}, {})
ANNOUNCED = {"id": "op1", "upload": {"id": "up1", "parts": [{"number": 1, "offset": 0, "size": 5, "url": "HERE/signed/1"}]}}
HELD = {"id": "up1", "state": "open", "operationId": "op1", "parts": [{"number": 1, "offset": 0, "size": 5, "etag": "e"}]}
FRESH = {"parts": [{"number": 1, "offset": 0, "size": 5, "url": "HERE/signed/2"}]}
MISSING = (409, {}, {"code": "parts_missing", "missing": [1]})
END = [(202, {}, {"id": "op1"}), (200, {}, DONE), (200, {}, ASSET)]


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([(200, {}, {})], ["PUT /signed/1"]),
        ([BUSY, (200, {}, HELD)], ["PUT /signed/1", "GET /v1/uploads/up1"]),
        (
            [BUSY, (200, {}, HELD | {"parts": []}), (200, {}, FRESH), (200, {}, {})],
            ["PUT /signed/1", "GET /v1/uploads/up1", "POST /v1/uploads/up1/parts", "PUT /signed/2"],
        ),
        (
            [(409, {}, {"code": Code.LOCKED.value}), (200, {}, HELD | {"parts": []}), (200, {}, FRESH), (200, {}, {})],
            ["PUT /signed/1", "GET /v1/uploads/up1", "POST /v1/uploads/up1/parts", "PUT /signed/2"],
        ),
        ([(403, {}, {}), (200, {}, FRESH), (200, {}, {})], ["PUT /signed/1", "POST /v1/uploads/up1/parts", "PUT /signed/2"]),
        (
            [(200, {}, {}), MISSING, (200, {}, FRESH), (200, {}, {})],
            ["PUT /signed/1", "POST /v1/uploads/up1/complete", "POST /v1/uploads/up1/parts", "PUT /signed/2"],
        ),
    ],
)
def test_a_part_is_sent_again_only_where_it_is_not_held(upload, monkeypatch, answers, asked):
    monkeypatch.setattr("app.cli.sending.SMALL", 1)
    shown, seen = sent(upload, [(202, {}, ANNOUNCED), *answers, *END])
    ends = ["POST /v1/uploads/up1/complete", "GET /v1/operations/op1", "GET /v1/assets/as1"]
    assert [f"{method} {path}" for method, path, *_ in seen] == ["POST /v1/uploads", *asked, *ends]
    assert shown["ok"]
    assert {body for method, _, _, body in seen if method == "PUT"} == {b"bytes"}
    assert not any("Authorization" in headers for method, _, headers, _ in seen if method == "PUT")


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([(403, {}, {})] + [(200, {}, FRESH), (403, {}, {})] * 3, "http_403"),
        ([(422, {}, {"code": "part_size", "detail": "No."})], "part_size"),
        ([(200, {}, {}), *[MISSING, (200, {}, FRESH), (200, {}, {})] * 2, MISSING, (200, {}, FRESH)], "parts_missing"),
    ],
)
def test_a_part_that_is_never_taken_ends_it(upload, monkeypatch, answers, code):
    monkeypatch.setattr("app.cli.sending.SMALL", 1)
    monkeypatch.setattr("app.cli.patience.PAUSE_FIRST", 0.01)
    shown, _ = sent(upload, [(202, {}, ANNOUNCED), *answers], status=1)
    assert shown["problem"]["code"] == code


def test_a_key_that_was_noted_for_other_options_is_no_end(upload, monkeypatch):
    monkeypatch.setattr("app.cli.sending.SMALL", 1)
    reused = (422, {}, {"code": Code.IDEMPOTENCY_REUSED.value, "detail": "No."})
    shown, seen = sent(upload, [reused, (202, {}, ANNOUNCED), (200, {}, {}), *END])
    assert shown["ok"]
    assert seen[0][2]["Idempotency-Key"] != seen[1][2]["Idempotency-Key"]


@pytest.mark.parametrize("most", [1, 100], ids=["in parts", "whole"])
def test_a_name_of_bytes_that_are_no_utf8_is_sent_as_one_that_is(upload, tmp_path, monkeypatch, most):
    monkeypatch.setattr("app.cli.sending.SMALL", most)
    name = os.fsdecode(b"gr\xfcn.png")
    (tmp_path / "photo.png").rename(tmp_path / name)
    answers = [(202, {}, {"id": "op1"})] if most > 1 else [(202, {}, ANNOUNCED), (200, {}, {}), (202, {}, {"id": "op1"})]
    with server(*answers) as (url, seen):
        said = upload(name, "--no-wait", "--url", url, "--key", "k").stdout
    assert said == "gr\N{REPLACEMENT CHARACTER}n.png\toperation op1\tpending\n"
    told = json.loads(seen[0][3])["filename"] if most == 1 else parse_qs(urlsplit(seen[0][1]).query)["filename"][0]
    assert told == "gr\N{REPLACEMENT CHARACTER}n.png"


def test_a_certificate_that_nobody_vouches_for_is_not_taken(upload, tmp_path):
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with server((202, {}, {"id": "op1"}), tls=tls) as (url, seen):
        words = ["photo.png", "--no-wait", "--url", url, "--key", "k"]
        assert "certificate verify failed" in upload(*words, status=1).stderr
        assert seen == []
        upload(*words, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        assert len(seen) == 1


def test_what_came_to_nothing_since_is_sent_anew(upload, monkeypatch):
    monkeypatch.setattr("app.cli.sending.SMALL", 1)
    gone = [(202, {}, ANNOUNCED), (200, {}, {}), (202, {}, {"id": "op1"}), (200, {}, DONE), (410, {}, {"code": "gone", "detail": "Gone."})]
    with server(*gone, *gone) as (url, seen):
        for _ in range(2):
            assert "Gone." in upload("photo.png", "--url", url, "--key", "k", status=1).stderr
    assert [path for method, path, *_ in seen if method == "POST"] == ["/v1/uploads", "/v1/uploads/up1/complete"] * 2


def test_a_file_that_failed_or_was_cancelled_is_no_success(upload):
    failed_op = {"id": "op1", "status": "failed", "problem": {"code": "not_an_image", "detail": "No image."}}
    shown, _ = sent(upload, [(202, {}, {"id": "op1"}), (200, {}, failed_op)], status=1)
    assert (shown["status"], shown["problem"]) == ("failed", {"code": "not_an_image", "detail": "No image."})
    shown, _ = sent(upload, [(202, {}, {"id": "op1"}), (200, {}, {"id": "op1", "status": "cancelled"})], status=1)
    assert (shown["status"], shown["problem"]["code"]) == ("cancelled", "cancelled")


# ---------------------------------------------------------------- patience


class Clock(threading.Event):
    """Waits for nothing, and remembers how long it would have."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return self.is_set()


def never(turn):
    raise Again(f"no {turn}", 7.0 if turn == 1 else 0.0)


@pytest.mark.parametrize(("reached", "tries"), [(True, TRIES), (False, FIRST_TRIES)])
def test_patience_doubles_its_pauses_and_ends(reached, tries):
    clock, said = Clock(), []
    with pytest.raises(GivenUp, match=f"no {tries - 1}"):
        Patience(said.append, clock, reached).through(never)
    assert len(clock.waits) == tries - 1
    assert clock.waits[1] == 7.0
    assert all(pause <= PAUSE_MOST for pause in clock.waits)
    assert len(said) == tries - 2


def test_who_stops_does_not_wait():
    patience = Patience(stop=Clock(), reached=True)
    patience.stop.set()
    with pytest.raises(Stopped):
        patience.through(never)


def test_no_two_clients_come_in_step():
    assert len({pause_before(6, 0) for _ in range(20)}) > 10
    assert all(8.0 <= pause_before(6, 0) <= 16.0 for _ in range(20))


@pytest.mark.parametrize(
    ("field", "seconds"),
    [(None, 0), ("0", 0), ("12", 12), ("-1", 0), ("1.5", 0), ("soon", 0), ("٣", 0), ("9" * 50, 0), ("Fri, 31 Dec 9999 23:59:59 +9999", 0)],
)
def test_retry_after_is_read_or_left(field, seconds):
    assert retry_after(field) == seconds or (seconds == 0 and retry_after(field) > 1e9)


def test_retry_after_may_be_a_date():
    assert 50 < retry_after(email.utils.formatdate(time.time() + 60, usegmt=True)) <= 60


# ---------------------------------------------------------------- notes, files, lines


def test_a_note_is_found_again_by_what_it_is_about(tmp_path):
    notes = Notes(folder=tmp_path / "n")
    place = notes.place("http://a", "k", tmp_path / "f", 1, 2)
    note = Note(digest="sha256:1", upload="u", operation="o")
    notes.write(place, note)
    assert notes.read(place) == note
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    others = [("http://b", "k", tmp_path / "f", 1, 2), ("http://a", "l", tmp_path / "f", 1, 2), ("http://a", "k", tmp_path / "g", 1, 2)]
    others += [("http://a", "k", tmp_path / "f", 3, 2), ("http://a", "k", tmp_path / "f", 1, 3)]
    assert place not in {notes.place(*other) for other in others}
    notes.drop(place)
    assert notes.read(place).upload is None
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize("text", ["", "null", "[]", "7", '{"upload": "u", "unknown": 1', "\udcff"])
def test_a_damaged_note_is_none(tmp_path, text):
    place = tmp_path / "note.json"
    place.write_text(text, errors="surrogateescape")
    assert Notes(folder=tmp_path).read(place).upload is None


def test_who_wants_no_notes_has_none(tmp_path):
    notes = Notes(keep=False, folder=tmp_path / "n")
    place = notes.place("http://a", "k", tmp_path / "f", 1, 2)
    notes.write(place, Note(upload="u"))
    assert not place.parent.exists()
    assert notes.read(place).upload is None


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(Changed), opened(path, Patience()):
            pass


def test_a_file_is_caught_when_it_changes(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"bytes")
    with opened(file, Patience()) as source:
        source.check()
        file.write_bytes(b"by")
        with pytest.raises(Changed):
            source.check()
        with pytest.raises(Changed):
            source.read(2, 3)


@pytest.mark.parametrize(("size", "shown"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**40, "3.0 TiB")])
def test_sizes_are_readable(size, shown):
    assert readable(size) == shown


def test_a_name_that_is_no_text_is_shown():
    shown = json.loads(failed("a\udcff.png", "file", "no").document())
    assert (shown["path"], shown["ok"]) == ("a\ufffd.png", False)
    assert Result("a", "pending", "op").line() == "a\toperation op\tpending"


def test_a_digest_is_a_structured_field():
    assert repr_digest("sha256:" + "00" * 32) == f"sha-256=:{'A' * 43}=:"
