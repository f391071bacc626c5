"""Where a name and a redirect lead: to addresses that were judged, and to no other."""

import socket
import threading

import pytest

from app.core.errors import Code, UploadError
from app.fetching.http_fetcher import MOST_REDIRECTS
from app.fetching.refusals import MALFORMED, NOT_PUBLIC, REDIRECTS, SCHEME, SLOW, UNKNOWN, UNREACHABLE
from app.fetching.wire import MOST_ADDRESSES, Pace
from tests.fetching.conftest import raises
from tests.fetching.servers import STEP, always, by_path, moved, ok, slowly

FILE = b"the file"
OPEN = "127.0.0.2"  # stands for a public address: it alone is allowed …
CLOSED = "127.0.0.1"  # … and this one for an address inside
ALLOW = (f"{OPEN}/32",)


class Names:
    """A resolver that gives its answers in their order, the last one again and again; `asked`: the names that it was asked for."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, host, _):
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def inside(serve):
    """A server that nobody is to reach."""
    return serve(ok(b"a secret"), CLOSED)


# ---------------------------------------------------------------- names


def test_a_name_is_resolved_once_and_its_address_is_the_one_spoken_to(serve, fetch, dialled, inside):
    """Rebinding: whoever asked again would be led inside."""
    names, server = Names([OPEN], [CLOSED]), serve(ok(FILE), OPEN)
    assert fetch(server.url(host="files.example"), allow=ALLOW, resolver=names) == FILE
    assert names.asked == ["files.example"]
    assert dialled == [(OPEN, server.port)]
    assert b"\r\nHost: files.example:%d\r\n" % server.port in server.heads[0]


def test_a_name_that_leads_inside_is_not_followed(fetch, dialled, inside):
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        fetch(inside.url(host="files.example"), allow=ALLOW, resolver=Names([CLOSED]))
    assert dialled == []


@pytest.mark.parametrize(
    "answer", [[OPEN, CLOSED], [CLOSED, OPEN], [OPEN] * MOST_ADDRESSES + ["10.0.0.1"], [OPEN, "::ffff:169.254.169.254"]]
)
def test_one_address_inside_closes_the_whole_name(serve, fetch, dialled, answer):
    server = serve(ok(FILE), OPEN)
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        fetch(server.url(host="files.example"), allow=ALLOW, resolver=Names(answer))
    assert dialled == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://127.0.0.1.:{port}/", "http://localhost:{port}/"]
)
def test_an_address_inside_is_closed_in_every_spelling(fetch, dialled, inside, url):
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        fetch(url.format(port=inside.port), allow=())
    assert (dialled, inside.connections) == ([], 0)


@pytest.mark.parametrize(
    "url", ["http://127.1:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/"]
)
def test_other_spellings_are_none(fetch, dialled, inside, url):
    """They would lead inside: the system's resolver takes them."""
    with raises(Code.FETCH_REFUSED, reason=MALFORMED):
        fetch(url.format(port=inside.port))
    assert dialled == []


def test_the_name_of_this_machine_is_open_where_it_is_allowed(serve, fetch):
    assert fetch(serve(ok(FILE)).url(host="localhost")) == FILE


def test_a_literal_address_asks_nobody(serve, fetch):
    names = Names(["192.0.2.1"])
    assert fetch(serve(ok(FILE), OPEN).url(), allow=ALLOW, resolver=names) == FILE
    assert names.asked == []


@pytest.mark.parametrize("answer", [socket.gaierror(-2, "unknown"), OSError("no resolver"), []])
def test_a_name_that_nobody_knows(fetch, answer):
    with raises(Code.FETCH_FAILED, reason=UNKNOWN):
        fetch("http://files.example/", resolver=Names(answer))


def test_a_resolver_that_does_not_answer(fetch):
    let_go = threading.Event()
    try:
        with raises(Code.FETCH_FAILED, reason=UNKNOWN):
            fetch(
                "http://files.example/",
                resolver=lambda *_: let_go.wait(20) and [],
                pace=Pace(connect=0.2, silence=20.0, whole=30.0),
            )
    finally:
        let_go.set()


def test_the_next_address_when_one_is_dead(serve, fetch, dialled):
    server = serve(ok(FILE), OPEN)
    names = Names(["127.0.0.3", "127.0.0.3", "127.0.0.4", OPEN])
    assert fetch(server.url(host="files.example"), resolver=names) == FILE
    assert dialled == [("127.0.0.3", server.port), ("127.0.0.4", server.port), (OPEN, server.port)]


def test_not_every_address_of_many_is_tried(serve, fetch, dialled):
    server = serve(ok(FILE), OPEN)
    dead = [f"127.0.1.{number}" for number in range(MOST_ADDRESSES)]
    with raises(Code.FETCH_FAILED, reason=UNREACHABLE):
        fetch(server.url(host="files.example"), resolver=Names([*dead, OPEN]))
    assert dialled == [(address, server.port) for address in dead]


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_with_nothing_but_the_new_place(serve, fetch, dialled, status):
    there = serve(ok(FILE), OPEN)
    here = serve(moved(there.url("/there?a=b#c"), status))
    assert fetch(here.url("/here?token=1")) == FILE
    assert dialled == [(CLOSED, here.port), (OPEN, there.port)]
    assert there.heads[0].splitlines()[:2] == [b"GET /there?a=b HTTP/1.1", f"Host: {OPEN}:{there.port}".encode()]
    assert there.heads[0].splitlines()[2:] == here.heads[0].splitlines()[2:]
    assert b"token" not in there.heads[0]


def test_a_connection_ends_before_the_next_begins(serve, fetch):
    def answer(wire, head, ended):
        here.threads[-1].join(10)
        return ok(b"open" if here.threads[-1].is_alive() else b"closed")

    here = serve(moved(serve(answer, OPEN).url()))
    assert fetch(here.url()) == b"closed"


def test_a_relative_redirect(serve, fetch):
    server = serve(by_path(here=moved("there"), there=ok(FILE)))
    assert fetch(server.url("/here")) == FILE


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://localhost:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://10.0.0.1/",
        "http://0.0.0.0:{port}/",
        "http://[::]:{port}/",
    ],
)
def test_a_redirect_that_leads_inside_is_not_followed(serve, fetch, dialled, inside, location):
    server = serve(moved(location.format(port=inside.port)), OPEN)
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        fetch(server.url(), allow=ALLOW)
    assert (dialled, inside.connections) == ([(OPEN, server.port)], 0)


def test_each_redirect_is_resolved_and_judged_anew(serve, fetch, dialled, inside):
    """The same name, and another answer: what was judged before counts for nothing."""
    names, server = Names([OPEN], [CLOSED]), serve(moved("/again"), OPEN)
    with raises(Code.FETCH_REFUSED, reason=NOT_PUBLIC):
        fetch(server.url(host="files.example"), allow=ALLOW, resolver=names)
    assert names.asked == ["files.example"] * 2
    assert dialled == [(OPEN, server.port)]


def _chain(length):
    """Answers the path as a number: that many redirects are left."""

    def answer(wire, head, ended):
        left = int(head.split()[1].lstrip(b"/"))
        return moved(f"/{left - 1}") if left else ok(FILE)

    return answer


def test_so_many_redirects_and_no_more(serve, fetch):
    server = serve(_chain(0))
    assert fetch(server.url(f"/{MOST_REDIRECTS}")) == FILE
    with raises(Code.FETCH_REFUSED, reason=REDIRECTS):
        fetch(server.url(f"/{MOST_REDIRECTS + 1}"))
    assert server.connections == 2 * (MOST_REDIRECTS + 1)


def test_a_circle_of_redirects_ends(serve, fetch):
    with raises(Code.FETCH_REFUSED, reason=REDIRECTS):
        fetch(serve(moved("")).url())


def test_the_time_of_the_whole_runs_on_over_redirects(serve, fetch):
    """Each hop alone would be in time."""

    hop, crumbs = moved("/"), 20
    assert crumbs * STEP * 2 < 1.0 < crumbs * STEP * MOST_REDIRECTS
    with raises(Code.FETCH_FAILED, reason=SLOW):
        fetch(serve(slowly(hop, len(hop) - crumbs)).url(), pace=Pace(connect=10.0, silence=20.0, whole=1.0))


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        (moved("ftp://127.0.0.2/"), Code.FETCH_REFUSED, SCHEME),
        (moved("file:///etc/passwd"), Code.FETCH_REFUSED, SCHEME),
        (moved("http://127.1/"), Code.FETCH_REFUSED, MALFORMED),
        (moved("/a\x01b"), Code.FETCH_REFUSED, MALFORMED),
        (moved("/a\tb"), Code.FETCH_REFUSED, MALFORMED),
        (moved("/a\\b"), Code.FETCH_REFUSED, MALFORMED),
        (moved("/a").replace(b"Location", b"Locality"), Code.FETCH_FAILED, "the answer has status 302 and does not say where to"),
        (moved("/a\r\nLocation: /b"), Code.FETCH_FAILED, "the answer has status 302 and does not say where to"),
    ],
)
def test_a_redirect_that_leads_nowhere(serve, fetch, answer, code, reason):
    with raises(code, reason=reason):
        fetch(serve(always(answer)).url())


def test_a_refusal_tells_nothing_of_the_inside(fetch, inside):
    """Neither the address behind a name, nor whether anything listens there."""
    told = set()
    for url in (inside.url(host="files.example"), "http://files.example:2/", "http://10.1.2.3/", "http://169.254.169.254/"):
        with pytest.raises(UploadError) as caught:
            fetch(url, allow=(), resolver=Names([CLOSED]))
        told.add(f"{caught.value} {caught.value.problem}")
    assert len(told) == 1
    assert CLOSED not in told.pop()
