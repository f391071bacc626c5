"""The environment: what is read, what is refused, and that env.example says the same."""

import os
import re
from pathlib import Path

import pytest

from app import dialects
from app.core.policy import Policy
from app.settings import SOCKET_LIMIT, VARIABLES, SettingsError, embedded_socket, environment, from_env
from app.settings.policies import ANY_FILE, DIALECTS

SECRET = {"SLIPWAY_SECRET": "sixteen letters or more"}
ROOT = Path(__file__).resolve().parents[1]


def read(**env):
    return from_env({**SECRET, **env})


def faults(**env):
    with pytest.raises(SettingsError) as caught:
        read(**env)
    return caught.value.faults


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("SLIPWAY_DATA", "/srv/slipway", "data", Path("/srv/slipway")),
        ("SLIPWAY_REDIS", "redis://r:6379/3", "redis", "redis://r:6379/3"),
        ("SLIPWAY_REDIS", "rediss://:pw@r:6380/1", "redis", "rediss://:pw@r:6380/1"),
        ("SLIPWAY_REDIS", "unix:///run/r.sock?db=1", "redis", "unix:///run/r.sock?db=1"),
        ("SLIPWAY_REDIS", "sentinel://a,b:26380/main?db=1", "redis", "sentinel://a,b:26380/main?db=1"),
        ("SLIPWAY_BROKER", "sentinel://:pw@[::1]/main", "broker", "sentinel://:pw@[::1]/main"),
        ("SLIPWAY_BROKER", "redis://r:6379/0", "broker", "redis://r:6379/0"),
        ("SLIPWAY_BROKER", "unix:///run/r.sock?db=4", "broker", "redis+socket:///run/r.sock?virtual_host=4"),
        ("SLIPWAY_BROKER", "unix:///run/r.sock", "broker", "redis+socket:///run/r.sock?virtual_host=0"),
        ("SLIPWAY_BROKER", "unix://:pw@/run/r.sock", "broker", "redis+socket://:pw@/run/r.sock?virtual_host=0"),
        ("SLIPWAY_BROKER", "redis+socket:///run/r.sock?virtual_host=2", "broker", "redis+socket:///run/r.sock?virtual_host=2"),
        ("SLIPWAY_STORE", "file:///srv/store", "store", "file:///srv/store"),
        ("SLIPWAY_STORE", "s3://bucket/pre?endpoint=http://s3:9000", "store", "s3://bucket/pre?endpoint=http://s3:9000"),
        ("SLIPWAY_STORE", "memory://", "store", "memory://"),
        ("SLIPWAY_PUBLIC_URL", "https://up.example/base/", "public_url", "https://up.example/base"),
        ("SLIPWAY_SECRET", "another secret of ours", "secret", b"another secret of ours"),
        ("SLIPWAY_TRUSTED_PROXIES", "2", "trusted_proxies", 2),
        ("SLIPWAY_ACCEL", "/_store/", "accel", "/_store"),
        ("SLIPWAY_CORS_ORIGINS", "https://a.example, https://b.example", "cors_origins", ("https://a.example", "https://b.example")),
        ("SLIPWAY_CORS_ORIGINS", "HTTPS://A.Example:443,http://[::1]:03000", "cors_origins", ("https://a.example", "http://[::1]:3000")),
        ("SLIPWAY_CORS_ORIGINS", "*, capacitor://localhost", "cors_origins", ("*", "capacitor://localhost")),
        ("SLIPWAY_CORS_ORIGINS", "", "cors_origins", ()),
        ("SLIPWAY_FETCH_ALLOW", "10.1.0.0/16, fd00::/8,192.0.2.1", "fetch_allow", ("10.1.0.0/16", "fd00::/8", "192.0.2.1/32")),
        ("SLIPWAY_FETCH_ALLOW", "", "fetch_allow", ()),
        ("SLIPWAY_FLOWER_AUTH", "eve:s:cret", "flower_auth", "eve:s:cret"),
        ("SLIPWAY_ALIVE", "/run/alive", "alive", Path("/run/alive")),
        ("SLIPWAY_FSYNC", "off", "fsync", False),
        ("SLIPWAY_FSYNC", "1", "fsync", True),
        ("SLIPWAY_GRACE", "2.5", "grace", 2.5),
        ("SLIPWAY_LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("SLIPWAY_CLOCK_KEY", "clock", "clock_key", "clock"),
        ("SLIPWAY_FSYNC", "", "fsync", True),
        ("OTHER", "anything", "cors_origins", ()),
    ],
)
def test_a_variable_is_read(variable, text, field, value):
    assert getattr(read(**{variable: text}), field) == value


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("SLIPWAY_REDIS", "localhost:6379", "redis://"),
        ("SLIPWAY_REDIS", "redis://", "redis://"),
        ("SLIPWAY_BROKER", "amqp://r", "redis://"),
        ("SLIPWAY_STORE", "/srv/store", "file://"),
        ("SLIPWAY_PUBLIC_URL", "up.example", "http://"),
        ("SLIPWAY_SECRET", "short", "16 characters"),
        ("SLIPWAY_TRUSTED_PROXIES", "-1", "whole number from 0"),
        ("SLIPWAY_TRUSTED_PROXIES", "two", "whole number"),
        *(("SLIPWAY_ACCEL", text, "a path like /_store") for text in ("_store", "/", "//x", "/a/../b", "/a b", "/%2e", "http://x/")),
        ("SLIPWAY_FLOWER_PORT", "65536", "65535"),
        ("SLIPWAY_FLOWER_AUTH", "nobody", "user:password"),
        ("SLIPWAY_FLOWER_AUTH", ":password", "user:password"),
        ("SLIPWAY_FSYNC", "maybe", "on or off"),
        ("SLIPWAY_GRACE", "-1", "number of seconds"),
        ("SLIPWAY_GRACE", "inf", "number of seconds"),
        ("SLIPWAY_LOG_LEVEL", "loud", "DEBUG"),
        ("SLIPWAY_REDSI", "x", "did you mean SLIPWAY_REDIS?"),
        ("SLIPWAY_V1_MAX_BYTE", "1", "did you mean SLIPWAY_V1_MAX_BYTES?"),
        ("SLIPWAY_NONSENSE_OF_ANY_KIND", "1", "unknown"),
        ("SLIPWAY_V1_MAX_BYTES", "75MB", "whole number"),
        ("SLIPWAY_V1_MAX_BYTES", "0", "whole number from 1"),
        ("SLIPWAY_V1_JUDGE", "perhaps", "on or off"),
        ("SLIPWAY_V1_TRAILING", "perhaps", "allow, warn, refuse"),
        ("SLIPWAY_V1_UPLOAD_TTL", "none", "number of seconds"),
        ("SLIPWAY_V1_MAX_PIXELS_BY_TYPE", "image/webp", "type=number"),
        ("SLIPWAY_V1_MAX_PIXELS_BY_TYPE", "webp=25", "type=number"),
        ("SLIPWAY_V1_MAX_PIXELS_BY_TYPE", "=25", "type=number"),
        ("SLIPWAY_V1_MAX_BYTES", "1__0", "whole number from 1 to"),
        ("SLIPWAY_V1_MAX_BYTES", "1_", "whole number from 1 to"),
        ("SLIPWAY_V1_MAX_BYTES", "9" * 5000, "whole number from 1 to"),
        ("SLIPWAY_V1_MAX_BYTES", "\u0663", "whole number from 1 to"),
        ("SLIPWAY_GRACE", "9" * 400, "number of seconds"),
        ("SLIPWAY_V1_REQUESTS_PER_SECOND", "-1", "whole number from 0"),
        ("SLIPWAY_V1_PART_SIZE", "5242879", "whole number from 5242880"),
        ("SLIPWAY_V1_MAX_PARTS", "10001", "to 10000"),
        ("SLIPWAY_V1_MAX_PARTS", "0", "from 1"),
        *(
            ("SLIPWAY_V1_MEDIA_TYPES", text, "media types like image/png, or */*")
            for text in ("png", "image/*", "image/png;q=1", ",", "image/", "*")
        ),
        ("SLIPWAY_V1_JUDGE", "off", "should be on, or SLIPWAY_V1_MEDIA_TYPES have */*"),
        ("SLIPWAY_SQUIDEX_MEDIA_TYPES", "image/png", "should have */*, or SLIPWAY_SQUIDEX_JUDGE be on"),
        ("SLIPWAY_CONTENFUL_MAX_BYTES", "1", "unknown; did you mean SLIPWAY_CONTENTFUL_MAX_BYTES?"),
        ("SLIPWAY_MY_OWN_MAX_BYTES", "5", "unknown"),
        *(
            ("SLIPWAY_CORS_ORIGINS", text, "origins like https://app.example")
            for text in (
                "app.example",
                "https://a.example/",
                "https://a.example/x",
                "https//a",
                "null",
                "https://",
                "https://a:99999",
                "https://*.a.example",
                "https://u@a",
                "https://a.example, b",
            )
        ),
        *(
            ("SLIPWAY_FETCH_ALLOW", text, "networks like 10.1.0.0/16")
            for text in ("10.0.0.1/8", "intranet", "10.0.0.0/33", "10.0.0.0-10.0.0.9")
        ),
        *(("SLIPWAY_LANGUAGE", text, "a language like en") for text in ("e", "en_US", "english language", "en-", "12")),
    ],
)
def test_a_faulty_variable_is_named_with_what_is_wanted(variable, text, says):
    (fault,) = faults(**{variable: text})
    assert fault.startswith(variable)
    assert says in fault


def test_one_error_lists_every_fault():
    found = faults(
        SLIPWAY_SECRET="short",
        SLIPWAY_REDSI="x",
        SLIPWAY_FSYNC="maybe",
        SLIPWAY_V1_MAX_BYTES="many",
        SLIPWAY_CONTENFUL_MAX_BYTES="1",
        SLIPWAY_CORS_ORIGINS="a",
        SLIPWAY_FETCH_ALLOW="b",
        SLIPWAY_WDESK_JUDGE="off",
    )
    assert [fault.split("=")[0].split(":")[0] for fault in found] == [
        "SLIPWAY_CONTENFUL_MAX_BYTES",
        "SLIPWAY_CORS_ORIGINS",
        "SLIPWAY_FETCH_ALLOW",
        "SLIPWAY_FSYNC",
        "SLIPWAY_REDSI",
        "SLIPWAY_SECRET",
        "SLIPWAY_V1_MAX_BYTES",
        "SLIPWAY_WDESK_JUDGE",
    ]


@pytest.mark.parametrize("variable", ["SLIPWAY_SECRET", "SLIPWAY_FLOWER_AUTH"])
def test_a_secret_is_in_no_message(variable):
    assert "hushhush" not in str(faults(**{variable: "hushhush"}))
    settings = read(
        SLIPWAY_SECRET="hushhush" * 2,
        SLIPWAY_FLOWER_AUTH="me:hushhush",
        SLIPWAY_REDIS="redis://:hushhush@r/0",
        SLIPWAY_BROKER="redis://:hushhush@r/1",
    )
    assert "hushhush" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("SLIPWAY_V1_MAX_BYTES", "2_000_000", "max_bytes", 2_000_000),
        ("SLIPWAY_V1_MEDIA_TYPES", "image/png, image/avif", "media_types", ("image/png", "image/avif")),
        ("SLIPWAY_V1_TRAILING", "Refuse", "trailing", "refuse"),
        ("SLIPWAY_V1_MAX_PIXELS_BY_TYPE", "image/webp=25, image/gif=9", "max_pixels_by_type", {"image/webp": 25, "image/gif": 9}),
        ("SLIPWAY_V1_JUDGE", "on", "judge", True),
        ("SLIPWAY_V1_MEDIA_TYPES", "Image/PNG,*/*,application/vnd.x+json", "media_types", ("image/png", "*/*", "application/vnd.x+json")),
        ("SLIPWAY_V1_REQUESTS_PER_SECOND", "0", "requests_per_second", 0),
        ("SLIPWAY_V1_REQUESTS_PER_HOUR", "7", "requests_per_hour", 7),
        ("SLIPWAY_V1_PART_SIZE", "5242880", "part_size", 5 * 1024 * 1024),
        ("SLIPWAY_V1_MAX_PARTS", "10_000", "max_parts", 10_000),
        ("SLIPWAY_V1_ASSET_TTL", "none", "asset_ttl", None),
        ("SLIPWAY_V1_ASSET_TTL", "60", "asset_ttl", 60.0),
        ("SLIPWAY_WDESK_MAX_BYTES", "1", "max_bytes", Policy().max_bytes),
    ],
)
def test_a_policy_is_changed_field_by_field(variable, text, field, value):
    assert getattr(read(**{variable: text}).policy("v1", Policy()), field) == value


def test_a_dialect_that_is_installed_from_elsewhere_is_configured_by_its_name(tmp_path, monkeypatch):
    """Its entry point is enough: nothing of it is imported."""
    info = tmp_path / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[slipway.dialects]\nmy-own = nowhere_to_be_found:DIALECT\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert read(SLIPWAY_MY_OWN_MAX_BYTES="5").policy("my-own", Policy()).max_bytes == 5
    assert read(SLIPWAY_MY_OWN_JUDGE="off").policy("my-own", Policy()).judge is False  # what else it takes is not known here


def test_a_file_that_is_no_image_is_kept_where_every_file_is_taken():
    policy = read(SLIPWAY_V1_JUDGE="off", SLIPWAY_V1_MEDIA_TYPES="*/*").policy("v1", Policy())
    assert (policy.judge, policy.media_types) == (False, ("*/*",))
    narrow = read(SLIPWAY_SQUIDEX_JUDGE="on", SLIPWAY_SQUIDEX_MEDIA_TYPES="image/png")
    assert narrow.policy("squidex", Policy()).media_types == ("image/png",)
    assert read(SLIPWAY_SQUIDEX_JUDGE="off").policy("squidex", Policy()).judge is False


def test_a_fault_is_not_said_twice():
    (fault,) = faults(SLIPWAY_V1_JUDGE="off", SLIPWAY_V1_MEDIA_TYPES="png")
    assert fault.startswith("SLIPWAY_V1_MEDIA_TYPES")


def test_every_dialect_of_ours_is_known_with_what_it_takes():
    for name, dialect in dialects.load().items():
        assert name in DIALECTS
        assert ("*/*" in dialect.policy.media_types, dialect.policy.judge) == (name in ANY_FILE, name not in ANY_FILE), name


def test_a_secret_may_be_any_bytes():
    assert read(SLIPWAY_SECRET="\udcff" * 16).secret == b"\xff" * 16


def test_the_data_folder_gives_what_is_not_said(tmp_path):
    (tmp_path / "secret").write_text("kept in the data folder\n")
    settings = from_env({"SLIPWAY_DATA": str(tmp_path)})
    socket = embedded_socket(tmp_path)
    assert settings.redis == f"unix://{socket}?db=1"
    assert settings.broker == f"redis+socket://{socket}?virtual_host=0"
    assert settings.store == f"file://{tmp_path}/store"
    assert settings.secret == b"kept in the data folder"


def test_without_a_secret_the_house_does_not_open(tmp_path):
    with pytest.raises(SettingsError, match="SLIPWAY_SECRET: not set"):
        from_env({"SLIPWAY_DATA": str(tmp_path)})


@pytest.mark.parametrize("length", [10, SOCKET_LIMIT - len("/redis.sock"), SOCKET_LIMIT, 400])
def test_the_socket_has_a_path_that_the_kernel_takes(length):
    data = Path("/" + "d" * (length - 1))
    socket = embedded_socket(data)
    assert len(os.fsencode(socket)) <= SOCKET_LIMIT
    assert (socket.parent == data) == (length + len("/redis.sock") <= SOCKET_LIMIT)
    assert embedded_socket(data) == socket != embedded_socket(data.with_name("other" * length))


def test_the_environment_handed_on_is_a_copy():
    environment()["SLIPWAY_NOT_THERE"] = "1"
    assert "SLIPWAY_NOT_THERE" not in os.environ


def test_env_example_has_every_variable_with_its_default_and_a_comment():
    text = (ROOT / "deploy/env.example").read_text()
    entries = re.findall(r"(?:^# (.+)\n)(?:# Default: (.+)\.\n)?#(SLIPWAY_\w+)=(.*)$", text, re.MULTILINE)
    shown = {name: sentence or plain for _, sentence, name, plain in entries if not name.startswith("SLIPWAY_V1_")}
    wanted = {v.name: v.default.strip("[]") for v in VARIABLES.values() if v.name != "SLIPWAY_CLOCK_KEY"}
    assert shown == wanted
    assert all(comment for comment, *_ in entries)


def test_the_policy_in_env_example_is_taken():
    text = (ROOT / "deploy/env.example").read_text()
    policies = dict(re.findall(r"^#(SLIPWAY_V1_\w+)=(.*)$", text, re.MULTILINE))
    assert policies
    assert read(**policies).policies["v1"].keys() == {name.removeprefix("SLIPWAY_V1_").lower() for name in policies}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SLIPWAY_REDIS", "redis://h:99999/0"),
        ("SLIPWAY_STORE", "s3://bucket?endpoin=http://h"),
        ("SLIPWAY_STORE", "s3://bucket?endpoint=nonsense"),
    ],
)
def test_a_url_that_cannot_be_is_in_the_one_list(name, text):
    with pytest.raises(SettingsError) as faulty:
        from_env({"SLIPWAY_SECRET": "long enough to be one", name: text, "SLIPWAY_FSYNC": "perhaps"})
    assert [fault.split(":")[0].split("=")[0] for fault in faulty.value.faults] == ["SLIPWAY_FSYNC", name]
