"""Where a URL leads, and which URLs lead nowhere."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Code, UploadError
from app.fetching.places import BAD_PORTS, LONGEST_URL, Place, parse
from app.fetching.refusals import DOWNGRADE, MALFORMED, PORT, SCHEME, USER_INFO
from tests.fetching.conftest import raises

PLACES = [
    ("http://example.com", "http", "example.com", 80, "/", "example.com"),
    ("HTTPS://Example.COM/A?b=c", "https", "example.com", 443, "/A?b=c", "example.com"),
    ("https://example.com:443/", "https", "example.com", 443, "/", "example.com"),
    ("http://example.com:443/", "http", "example.com", 443, "/", "example.com:443"),
    ("http://example.com:/x", "http", "example.com", 80, "/x", "example.com"),
    ("http://example.com:00080/x", "http", "example.com", 80, "/x", "example.com"),
    ("http://example.com:65535/x", "http", "example.com", 65535, "/x", "example.com:65535"),
    ("http://example.com?x=1", "http", "example.com", 80, "/?x=1", "example.com"),
    ("http://example.com/a#secret", "http", "example.com", 80, "/a", "example.com"),
    ("http://example.com#@127.0.0.1/", "http", "example.com", 80, "/", "example.com"),
    ("http://example.com/@127.0.0.1", "http", "example.com", 80, "/@127.0.0.1", "example.com"),
    ("http://example.com/?u=http://127.0.0.1/", "http", "example.com", 80, "/?u=http://127.0.0.1/", "example.com"),
    ("http://example.com//b/../c", "http", "example.com", 80, "//b/../c", "example.com"),
    ("http://example.com/a b/ü?ä=%20%zz", "http", "example.com", 80, "/a%20b/%C3%BC?%C3%A4=%20%zz", "example.com"),
    ("http://example.com./x", "http", "example.com", 80, "/x", "example.com"),
    ("http://a_b.example.com/", "http", "a_b.example.com", 80, "/", "a_b.example.com"),
    ("http://localhost/", "http", "localhost", 80, "/", "localhost"),
    ("http://bücher.example/", "http", "xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"),
    ("http://BÜCHER.example/", "http", "xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"),
    ("http://例え。テスト/", "http", "xn--r8jz45g.xn--zckzah", 80, "/", "xn--r8jz45g.xn--zckzah"),
    ("http://127.0.0.1/", "http", "127.0.0.1", 80, "/", "127.0.0.1"),
    ("http://127.0.0.1./", "http", "127.0.0.1", 80, "/", "127.0.0.1"),
    ("http://1\uff127.0.0.1/", "http", "127.0.0.1", 80, "/", "127.0.0.1"),
    ("http://①②⑦.⓪.⓪.①/", "http", "127.0.0.1", 80, "/", "127.0.0.1"),
    ("http://[::1]:8080/x", "http", "::1", 8080, "/x", "[::1]:8080"),
    ("http://[0:0:0:0:0:0:0:1]/", "http", "::1", 80, "/", "[::1]"),
    ("http://[2001:DB8::A]/", "http", "2001:db8::a", 80, "/", "[2001:db8::a]"),
    ("http://1.example.com/", "http", "1.example.com", 80, "/", "1.example.com"),
    ("http://example.1com/", "http", "example.1com", 80, "/", "example.1com"),
]

REFUSED = {
    MALFORMED: [
        "",
        "http",
        "http:",
        "http:example.com",
        "http:/example.com/",
        "http://",
        "http:///path",
        "http://?x",
        "http://:80/",
        "//example.com/",
        "/path",
        " http://example.com/",
        "\thttp://example.com/",
        "http://example.com/\r\nHost: 127.0.0.1",
        "http://example.com\r\n/",
        "http://exam\tple.com/",
        "http://example.com/\x00",
        "http://example.com/\x7f",
        "http://example.com/\x85",
        "http://example.com\\@127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "http://example.com/a\\b",
        "http://example.com/\ud800",
        "http://exa mple.com/",
        "http://example.com:80:80/",
        "http://example.com:-1/",
        "http://example.com:+80/",
        "http://example.com:\uff18\uff10/",
        "http://example.com:8o/",
        "http://example.com:123456/",
        "http://.example.com/",
        "http://example..com/",
        "http://example.com../",
        "http://./",
        "http://-example.com/",
        "http://example-.com/",
        "http://ex%61mple.com/",
        "http://%31%32%37.0.0.1/",
        "http://exa$mple.com/",
        "http://example.com,127.0.0.1/",
        "http://*.example.com/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}a/",
        f"http://{'a.' * 126}aa/",
        f"http://{'ü' * 10_000}/"[:7000],
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.0.0.0x1/",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://example.0x7f/",
        "http://example.127/",
        "http://0x/",
        "http://[]/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[::1%25lo]/",
        "http://[::1%lo]/",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://[v1.fe80::1]/",
        "http://[[::1]]/",
        "http://[::1][::1]/",
        "http://xn--a.ü.example/",
        "http://a\u200db.example/",
        "http://127.0.0.1\uff0fexample.com/",
        "http://example.com\uff03.evil/",
        "http://example.com/" + "a" * LONGEST_URL,
    ],
    SCHEME: [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "httpx://example.com/",
        "data://x/",
        "unix://run/x",
        "ws://example.com/",
    ],
    USER_INFO: [
        "http://user@example.com/",
        "http://user:word@example.com/",
        "http://@example.com/",
        "http://example.com@127.0.0.1/",
        "http://a@b@c/",
    ],
    PORT: [
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:99999/",
        *(f"http://example.com:{port}/" for port in (22, 25, 6667)),
    ],
}


@pytest.mark.parametrize(("url", "scheme", "host", "port", "target", "authority"), PLACES)
def test_a_url_names_a_place(url, scheme, host, port, target, authority):
    place = parse(url)
    assert (place, place.authority) == (Place(scheme, host, port, target), authority)


@pytest.mark.parametrize(("reason", "url"), [(reason, url) for reason, urls in REFUSED.items() for url in urls])
def test_a_url_that_is_not_fetched(reason, url):
    with raises(Code.FETCH_REFUSED, reason=reason):
        parse(url)


@pytest.mark.parametrize("port", sorted(BAD_PORTS - {80, 443}))
def test_the_ports_of_other_protocols(port):
    with raises(Code.FETCH_REFUSED, reason=PORT):
        parse(f"https://example.com:{port}/")


HERE = parse("https://example.com:8443/a/b?c=d")


@pytest.mark.parametrize(
    ("location", "there"),
    [
        (b"https://other.example/x", "https://other.example/x"),
        (b"/x", "https://example.com:8443/x"),
        (b"x?y#z", "https://example.com:8443/a/x?y"),
        (b"../x", "https://example.com:8443/x"),
        (b"?y", "https://example.com:8443/a/b?y"),
        (b"", "https://example.com:8443/a/b?c=d"),
        (b"//other.example/x", "https://other.example/x"),
        ("/ü x".encode(), "https://example.com:8443/%C3%BC%20x"),
        (b"//[::1]/", "https://[::1]/"),
    ],
)
def test_a_redirect_names_a_place(location, there):
    assert HERE.moved(location) == parse(there)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (b"http://example.com:8443/x", DOWNGRADE),
        (b"ftp://example.com/x", SCHEME),
        (b"javascript:alert(1)", MALFORMED),
        (b"//user@example.com/", USER_INFO),
        (b"//example.com:25/", PORT),
        (b"//[::1/", MALFORMED),
        (b"//127.1/", MALFORMED),
        (b"\\\\127.0.0.1\\x", MALFORMED),
        (b"/\xff\xfe", MALFORMED),
        (b"/a\tb", MALFORMED),
        (b"/" + b"a" * LONGEST_URL, MALFORMED),
    ],
)
def test_a_redirect_that_is_not_followed(location, reason):
    with raises(Code.FETCH_REFUSED, reason=reason):
        HERE.moved(location)


def test_a_redirect_may_lead_to_tls():
    assert parse("http://example.com/").moved(b"https://example.com/") == parse("https://example.com/")


hosts = st.one_of(st.text(alphabet="a0.-_:@[]%/\\#?x1ü。\uff0f", max_size=20), st.ip_addresses().map(str), st.text(max_size=8))
urls = st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "HTTP", "ftp", ""]), hosts, st.text(max_size=12)) | st.text()


@given(urls)
def test_whatever_is_accepted_every_reader_reads_alike(url):
    """Any text is a place or a refusal; and what is sent of a place leads nowhere else."""
    try:
        place = parse(url)
    except UploadError as refusal:
        place = refusal.code
    if place is Code.FETCH_REFUSED:
        return
    written = f"{place.scheme}://{place.authority}{place.target}"
    assert parse(written) == place
    assert (urlsplit(written).hostname, urlsplit(written).port or 80 + 363 * (place.scheme == "https")) == (place.host, place.port)
    assert written.isascii()
    assert written.isprintable()
    assert " " not in written
