"""TLS: the certificate is that of the name in the URL, whatever address the name has."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from app.core.errors import Code
from app.fetching.refusals import BROKEN, DOWNGRADE, UNTRUSTED
from app.fetching.wire import Pace
from tests.fetching.conftest import raises
from tests.fetching.servers import chunked, moved, ok, ragged

FILE = bytes(range(256)) * 1000
NAME = "files.example"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trust(authority):
    """A context that knows this authority alone."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def context_of(authority, *names, **options):
    """A server's context. `asked`: the names that clients asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    context.asked = []
    context.sni_callback = lambda _, name, __: context.asked.append(name)
    return context


def here(host, port):
    return ["127.0.0.1"]


def test_a_file_over_tls(serve, fetch, authority, trust):
    tls = context_of(authority, NAME)
    server = serve(ok(FILE), tls=tls)
    assert fetch(server.url(host="Files.Example."), trust=trust, resolver=here) == FILE
    assert tls.asked == [NAME]
    assert server.heads[0].splitlines()[1] == f"Host: {NAME}:{server.port}".encode()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_certificate_may_name_an_address(serve, fetch, authority, trust, address):
    assert fetch(serve(ok(FILE), address, context_of(authority, address)).url(), trust=trust) == FILE


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["other.example"], {}),
        (["127.0.0.1"], {}),
        (["*.files.example"], {}),
        ([NAME], {"not_after": datetime.now(UTC) - timedelta(days=1)}),
        ([NAME], {"not_before": datetime.now(UTC) + timedelta(days=1)}),
    ],
    ids=["another name", "the address", "a name below", "of yesterday", "of tomorrow"],
)
def test_a_certificate_that_does_not_fit(serve, fetch, authority, trust, names, options):
    server = serve(ok(FILE), tls=context_of(authority, *names, **options))
    with raises(Code.FETCH_FAILED, reason=UNTRUSTED):
        fetch(server.url(host=NAME), trust=trust, resolver=here)
    assert server.heads == []


def test_an_authority_that_nobody_knows(serve, fetch, authority):
    server = serve(ok(FILE), tls=context_of(authority, NAME))
    with raises(Code.FETCH_FAILED, reason=UNTRUSTED):
        fetch(server.url(host=NAME), resolver=here)
    assert server.heads == []


def test_a_server_that_speaks_no_tls(serve, fetch, trust):
    server = serve(ok(FILE), reads=False)
    with raises(Code.FETCH_FAILED, reason=UNTRUSTED):
        fetch(server.url(host=NAME).replace("http", "https", 1), trust=trust, resolver=here)


def test_a_handshake_that_comes_too_late(serve, fetch, authority, trust):
    server = serve(ok(FILE), tls=context_of(authority, NAME), late=4.0)
    with raises(Code.FETCH_FAILED, reason=UNTRUSTED):
        fetch(server.url(host=NAME), trust=trust, resolver=here, pace=Pace(connect=10.0, silence=0.4, whole=30.0))


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_file_that_tells_its_end_needs_no_other(serve, fetch, authority, trust, framing):
    """Many servers do not close TLS properly; where the length is known it does not matter."""
    whole = ok(FILE) if framing == "length" else ok(chunked(FILE, 1000), "Transfer-Encoding: chunked", framed=False)
    assert fetch(serve(ragged(whole), tls=context_of(authority, NAME)).url(host=NAME), trust=trust, resolver=here) == FILE


def test_a_file_without_a_length_needs_the_end_of_tls(serve, fetch, authority, trust):
    """Else whoever cuts the line makes a shorter file of it (RFC 9112 9.8)."""
    tls, whole = context_of(authority, NAME), ok(FILE, framed=False)
    assert fetch(serve(whole, tls=tls).url(host=NAME), trust=trust, resolver=here) == FILE
    with raises(Code.FETCH_FAILED, reason=BROKEN):
        fetch(serve(ragged(whole), tls=tls).url(host=NAME), trust=trust, resolver=here)


def test_a_redirect_leads_to_tls_and_not_out_of_it(serve, fetch, authority, trust):
    plain = serve(ok(FILE))
    there = serve(ok(FILE), tls=context_of(authority, NAME))
    assert fetch(serve(moved(there.url(host=NAME))).url(), trust=trust, resolver=here) == FILE
    back = serve(moved(plain.url()), tls=context_of(authority, NAME))
    with raises(Code.FETCH_REFUSED, reason=DOWNGRADE):
        fetch(back.url(host=NAME), trust=trust, resolver=here)
    assert plain.connections == 0
