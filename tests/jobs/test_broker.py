"""A broker's URL as kombu wants it."""

import pytest

from app.jobs.broker import DOOR, address
from app.settings import sentinels
from app.settings.sentinels import Sentinels


@pytest.mark.parametrize(
    ("url", "kombu", "master"),
    [
        ("redis://r:6379/0", "redis://r:6379/0", None),
        ("redis+socket:///run/r.sock?virtual_host=0", "redis+socket:///run/r.sock?virtual_host=0", None),
        ("rediss://:pw@r:6380/0", "rediss://:pw@r:6380/0?ssl_cert_reqs=required", None),
        ("rediss://r/0?ssl_ca_certs=/ca.pem", "rediss://r/0?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required", None),
        ("rediss://r/0?ssl_cert_reqs=none", "rediss://r/0?ssl_cert_reqs=none", None),
        ("sentinel://a/main", "sentinel://a:26379/0", "main"),
        ("sentinel://u:p%2Fw@a:1,[::1]:2/main?db=3", "sentinel://u:p%2Fw@a:1/3;sentinel://u:p%2Fw@[::1]:2/3", "main"),
    ],
)
def test_an_address_is_translated(url, kombu, master):
    told, options = address(url, DOOR)
    assert (told, options.get("master_name")) == (kombu, master)
    assert DOOR.items() <= options.items()


def test_the_sentinels_have_a_password_and_deadlines_of_their_own():
    _, options = address("sentinel://:redis@a/main?sentinel_password=theirs", DOOR)
    assert options["sentinel_kwargs"] == {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "password": "theirs"}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("redis://r/0", None),
        ("sentinel://a,b:5/main", Sentinels((("a", 26379), ("b", 5)), "main")),
        ("sentinel://me:p%40w@a/main?db=15", Sentinels((("a", 26379),), "main", 15, "me", "p@w")),
        ("sentinel://[::1]:7/m.y-1?sentinel_password=s", Sentinels((("::1", 7),), "m.y-1", sentinel_password="s")),
    ],
)
def test_sentinels_are_read(url, found):
    assert sentinels.parse(url) == found


@pytest.mark.parametrize(
    "url",
    ["sentinel://", "sentinel://a", "sentinel://a/", "sentinel:///main", "sentinel://a,,b/main", "sentinel://a:x/main", "sentinel://a:0/main",
     "sentinel://a:65536/main", "sentinel://a/main/1", "sentinel://a/main?db=x", "sentinel://a/main?db=-1", "sentinel://a/main?other=1", "sentinel://a b/main"],
)  # fmt: skip
def test_what_names_no_sentinels_is_refused(url):
    with pytest.raises(ValueError, match="sentinel://"):
        sentinels.parse(url)
