"""Workers that stand still: new work is turned away, what was begun goes on, and nobody needs to do anything when they are back."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest
import requests

from tests.services.pictures import photo
from tests.services.up import Up, eventually


@pytest.fixture(scope="module")
def up():
    with Up(SLIPWAY_MAX_WAIT="1") as up:
        yield up


@contextmanager
def standing_still(up, name):
    """The processes of one kind are stopped."""
    leader = up.leader(name)
    everybody = [leader, *leader.children(recursive=True)]
    for process in everybody:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in everybody:
            process.send_signal(signal.SIGCONT)


def turned_away(ask):
    """The first answer that turns away; each web process measures for itself, so another one may still let in."""
    answers = []
    eventually(lambda: answers.append(ask()) or answers[-1].status_code == 503, what="the pressure")
    return answers[-1]


def test_a_backlog_turns_new_work_away_and_ends_by_itself(up):
    def ask(method, path, status, **more):
        url = path if path.startswith("http") else up.url + path
        answer = requests.request(method, url, headers=up.bearer | {"Content-Type": "image/png"}, timeout=30, **more)
        assert answer.status_code == status, answer.text
        return answer

    def announced(content):
        sent = {"filename": "a.png", "size": len(content)}
        return requests.post(f"{up.url}/v1/uploads", headers=up.bearer, json=sent, timeout=30)

    done = ask("POST", "/v1/uploads", 202, data=photo(seed=1)).headers["Location"]
    eventually(lambda: ask("GET", done, 200).json()["status"] == "completed", what="the first")
    content = ask("GET", done, 200).json()["resourceUrl"] + "/content"
    begun, given_up = (announced(photo(seed=seed)).json() for seed in (2, 3))

    with standing_still(up, "worker"):
        waiting = ask("POST", "/v1/uploads", 202, data=photo(seed=4)).headers["Location"]
        refused = turned_away(lambda: announced(b"x"))
        assert (refused.headers["Retry-After"], refused.json()["parts"]) == ("10", ["queue"])
        shown = lambda: requests.get(f"{up.url}/readyz?for=door", timeout=30).json()["pressure"]["queue"]  # noqa: E731 - one line says it
        eventually(lambda: shown()["pressing"], what="the sight of it")
        assert ask("GET", waiting, 200).json()["status"] == "queued"
        assert ask("GET", content, 200).content == photo(seed=1)
        assert requests.put(begun["upload"]["uploadUrl"], data=photo(seed=2), timeout=30).status_code < 300
        ask("DELETE", given_up["upload"]["url"], 204)

    eventually(lambda: ask("GET", waiting, 200).json()["status"] == "completed", what="the work")
    eventually(lambda: announced(b"x").status_code == 202, what="calm")
