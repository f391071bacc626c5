"""`slipway operations` against a server that answers as it is told; tests/live/test_upload_command.py has it against a real one."""

import json

import pytest
from click.testing import CliRunner

from app.cli import main
from tests.services.told import server

DONE = {
    "id": "op1",
    "status": "completed",
    "kind": "ingest",
    "createdAt": "2026-11-01T00:00:00.000Z",
    "resourceUrl": "http://a/v1/assets/as1",
}
FAILED = {**DONE, "id": "op2", "status": "failed", "problem": {"code": "not_an_image", "detail": "No image."}}
QUEUED = {**DONE, "id": "op3", "status": "queued", "progress": {"stage": None, "bytes": 0, "total": 7}}


def run(answers, *words, status=0):
    with server(*answers) as (url, seen):
        done = CliRunner().invoke(main, ["operations", "--url", url, "--key", "k", *words])
    assert done.exit_code == status, done.output
    return done, [f"{method} {path}" for method, path, *_ in seen]


def test_a_list_goes_on_until_there_are_enough():
    first = {"items": [DONE, FAILED], "next": "http://elsewhere/v1/operations?cursor=c&limit=3"}
    done, asked = run([(200, {}, first), (200, {}, {"items": [QUEUED, DONE], "next": None})], "--limit", "3")
    assert asked == ["GET /v1/operations?limit=3", "GET /v1/operations?cursor=c&limit=3"]
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["op1", "completed", "ingest", "2026-11-01T00:00:00.000Z"],
        ["op2", "failed", "ingest", "2026-11-01T00:00:00.000Z", "No image."],
        ["op3", "queued", "ingest", "2026-11-01T00:00:00.000Z"],
    ]


def test_a_list_ends_and_is_filtered():
    done, asked = run([(200, {}, {"items": [FAILED], "next": None})], "--status", "failed", "--status", "queued", "--json")
    assert asked == ["GET /v1/operations?limit=20&status=failed%2Cqueued"]
    assert [json.loads(line) for line in done.stdout.splitlines()] == [FAILED]


@pytest.mark.parametrize("words", [["--status", "lost"], ["--limit", "0"], ["--limit", "x"], ["show"], ["cancel"]])
def test_what_makes_no_sense_is_usage(words):
    assert run([], *words, status=2)[1] == []


@pytest.mark.parametrize(
    ("answers", "words", "status", "said"),
    [
        ([QUEUED], ["show", "op3"], 0, "queued"),
        ([DONE], ["show", "op1"], 0, "http://a/v1/assets/as1"),
        ([FAILED], ["show", "op2"], 1, "No image."),
        ([QUEUED, QUEUED, FAILED], ["show", "op2", "--wait"], 1, "No image."),
        ([QUEUED, DONE], ["show", "op1", "--wait"], 0, "completed"),
    ],
)
def test_one_is_shown_and_waited_for(answers, words, status, said):
    done, asked = run([(200, {"Retry-After": "0"}, answer) for answer in answers], *words, status=status)
    assert said in done.stdout
    assert asked == [f"GET /v1/operations/{words[1]}"] * len(answers)


def test_one_is_given_up():
    cancelled = {**QUEUED, "status": "cancelled"}
    done, asked = run([(200, {}, cancelled)], "cancel", "a/b", "--json")
    assert (json.loads(done.stdout), asked) == (cancelled, ["POST /v1/operations/a%2Fb/cancel"])


def test_what_the_server_refuses_is_said_in_its_words():
    done, _ = run([(409, {}, {"code": "final", "detail": "It is final already."})], "cancel", "op1", status=1)
    assert (done.stdout, done.stderr) == ("", "Error: It is final already.\n")
