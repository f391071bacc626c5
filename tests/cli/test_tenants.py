"""`slipway tenants`, `keys`, `clients`, `users`: what is made opens the doors, and what is ended does not."""

import json

import pytest
from click.testing import CliRunner

from app.access import Access, TokenServer, bundles
from app.cli import main
from app.core.errors import UploadError
from app.core.policy import ROLES, Scope
from app.records import open_records
from tests.dialects.house import Door, Row, bearer
from tests.dialects.pictures import picture
from tests.services.redis_server import shared


@pytest.fixture
def run():
    """Runs a command over an empty Redis -> what it said."""
    shared().flush()
    env = {
        "SLIPWAY_REDIS": shared().url,
        "SLIPWAY_BROKER": shared().url_of(1),
        "SLIPWAY_STORE": "memory:",
        "SLIPWAY_SECRET": "made up for tests",
    }

    def run(*words, status=0):
        done = CliRunner().invoke(main, words, env=env)
        assert done.exit_code == status, done.output
        return done

    return run


@pytest.fixture
def access():
    room = open_records(shared().url)
    yield Access(room.keyring)
    room.close()


def token(access, client_id, secret):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    status, body, _ = TokenServer(access.keyring).issue(
        "POST", form, {}, lifetime=60, scopes={"all": frozenset({Scope.UPLOADS_WRITE})}, default_scope="all"
    )
    return body["access_token"] if status == 200 else None


def turned_away(ask, *words):
    with pytest.raises(UploadError):
        ask(*words)
    return True


# ---------------------------------------------------------------- tenants


def test_a_tenant_comes_with_credentials_in_every_form(run, access):
    made = json.loads(run("tenants", "add", "atlas", "--json").stdout)
    assert list(made) == ["tenant", "api_key", "client_id", "client_secret", "username", "password"]
    assert (made["tenant"], made["client_id"], made["username"]) == ("atlas", "atlas:default", "atlas")
    for who in (
        access.by_key(made["api_key"]),
        access.bearer(f"Bearer {made['api_key']}"),
        access.by_password(made["username"], made["password"]),
        access.by_token(token(access, made["client_id"], made["client_secret"])),
    ):
        assert who.tenant == "atlas"
    assert access.by_key(made["api_key"]).scopes == ROLES["admin"]


def test_they_are_readable_too(run, access):
    done = run("tenants", "add", "atlas", "--role", "viewer")
    assert "shown only now" in done.stderr
    made = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines())
    assert list(made) == ["tenant", "api key", "client id", "client secret", "username", "password"]
    assert access.by_key(made["api key"]).scopes == ROLES["viewer"]
    assert token(access, made["client id"], made["client secret"]) is None  # a viewer may not write
    assert access.by_password(made["username"], made["password"]).tenant == "atlas"


def test_no_two_tenants_share_a_secret(run):
    made = [json.loads(run("tenants", "add", name, "--json").stdout) for name in ("atlas", "borealis")]
    assert not set(made[0].values()) & set(made[1].values())
    assert run("tenants", "list").stdout.split() == ["atlas", "borealis"]


def test_a_tenant_that_exists_keeps_what_it_has(run, access):
    made = json.loads(run("tenants", "add", "atlas", "--json").stdout)
    again = run("tenants", "add", "atlas", "--json", status=1)
    assert (again.stdout, again.stderr) == ("", "Error: the tenant 'atlas' exists already\n")
    assert access.by_password("atlas", made["password"]).tenant == "atlas"
    assert [len(access.credentials("atlas", kind)) for kind in ("key", "client", "user")] == [1, 1, 1]


@pytest.mark.parametrize("name", ["", "Atlas", "a:b", "a/b", "-a", "a" * 64, "ä", "a b"])
def test_a_name_that_is_none_makes_nothing(run, name):
    assert "not a tenant name" in run("tenants", "add", "--", name, status=1).stderr
    assert not shared().client.keys("*")


def test_a_tenant_does_not_take_over_somebody_elses_user(run, access):
    run("tenants", "add", "borealis")
    password = run("users", "add", "--tenant", "borealis", "atlas").stdout.strip()
    assert "belongs to another tenant" in run("tenants", "add", "atlas", status=1).stderr
    assert run("tenants", "list").stdout.split() == ["borealis"]
    assert access.by_password("atlas", password).tenant == "borealis"


# ---------------------------------------------------------------- clients, users


def test_a_client_is_made_listed_renewed_and_ended(run, access):
    run("tenants", "add", "atlas")
    first = run("clients", "add", "--tenant", "atlas", "shop")
    assert "atlas:shop (editor of atlas)" in first.stderr
    spoken = token(access, "atlas:shop", first.stdout.strip())
    second = run("clients", "add", "--tenant", "atlas", "shop").stdout.strip()
    assert token(access, "atlas:shop", first.stdout.strip()) is None
    assert token(access, "atlas:shop", second)
    assert access.by_token(spoken).owner == "atlas:shop"
    assert run("clients", "revoke", "atlas:shop").stdout == "revoked atlas:shop\n"
    assert turned_away(access.by_token, spoken)
    assert token(access, "atlas:shop", second) is None
    assert "there is no client 'atlas:shop' in force" in run("clients", "revoke", "atlas:shop", status=1).stderr
    listed = {line.split("\t")[0]: line.split("\t")[3] for line in run("clients", "list", "--tenant", "atlas").stdout.splitlines()}
    assert listed == {"atlas:default": "in force", "atlas:shop": "revoked"}
    assert second not in run("clients", "list", "--tenant", "atlas").output


def test_a_user_is_made_listed_renewed_and_ended(run, access):
    run("tenants", "add", "atlas")
    first = run("users", "add", "--tenant", "atlas", "--role", "viewer", "eve@atlas").stdout.strip()
    assert access.by_password("eve@atlas", first).scopes == ROLES["viewer"]
    second = run("users", "add", "--tenant", "atlas", "eve@atlas").stdout.strip()
    assert turned_away(access.by_password, "eve@atlas", first)
    assert access.by_password("eve@atlas", second).scopes == ROLES["editor"]
    run("users", "revoke", "eve@atlas")
    assert turned_away(access.by_password, "eve@atlas", second)
    assert "there is no user" in run("users", "revoke", "eve@atlas", status=1).stderr
    assert [line.split("\t")[0] for line in run("users", "list", "--tenant", "atlas").stdout.splitlines()] == ["atlas", "eve@atlas"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "a" * 65, "a\n"])
def test_a_clients_name_that_could_get_no_token_is_refused(run, name):
    run("tenants", "add", "atlas")
    assert "not a client's name" in run("clients", "add", "--tenant", "atlas", "--", name, status=1).stderr


@pytest.mark.parametrize("name", ["", "a b", "a\n", "a\u0000", "a" * 257])
def test_a_user_name_that_nobody_could_type_is_refused(run, name):
    run("tenants", "add", "atlas")
    assert "not a user name" in run("users", "add", "--tenant", "atlas", "--", name, status=1).stderr


@pytest.mark.parametrize("kind", ["keys", "clients", "users"])
def test_nobody_is_added_to_a_tenant_that_is_not_there(run, kind):
    words = [] if kind == "keys" else ["eve"]
    assert "no such tenant: 'atlas'" in run(kind, "add", "--tenant", "atlas", *words, status=1).stderr


# ---------------------------------------------------------------- and between tenants


def test_nothing_of_one_tenant_is_visible_to_another(tmp_path):
    door = Door(tmp_path)
    mine, others = (bearer(bundles.found(door.access, name, "admin").api_key) for name in ("atlas", "borealis"))
    made = door.run(Row("POST", "/v1/uploads", {**mine, "Content-Type": "image/png"}, picture(), 202))
    monitor = made.headers["Location"]
    done = door.run(Row("GET", monitor, mine, shows={"status": "completed"})).get_json()
    for path in (monitor, f"/v1/uploads/{done['uploadId']}", done["resourceUrl"], f"{done['resourceUrl']}/content"):
        assert door.send("GET", path, mine).status_code == 200, path
        door.run(Row("GET", path, others, status=404))
    door.run(Row("DELETE", done["resourceUrl"], others, status=404))
    assert door.send("GET", done["resourceUrl"], mine).status_code == 200
    door.close()


# ---------------------------------------------------------------- quotas


def test_a_tenant_gets_limits_of_its_own_and_loses_them(run):
    run("tenants", "add", "acme")
    assert run("tenants", "quota", "acme").output == "bytes    0 of any (0 stored, 0 in flight)\nuploads  0 of any\n"
    assert "0 of 50000000000 (" in run("tenants", "quota", "acme", "--bytes", "50GB", "--uploads", "200").output
    assert "uploads  0 of 200\n" in run("tenants", "quota", "acme").output
    assert "0 of any (" in run("tenants", "quota", "acme", "--bytes", "default").output
    assert "uploads  0 of any\n" in run("tenants", "quota", "acme", "--uploads", "0").output


@pytest.mark.parametrize(
    "words",
    [("nobody",), ("acme", "--bytes", "much"), ("acme", "--bytes", "-1"), ("acme", "--uploads", "1.5"), ("acme", "--bytes", "99999PB")],
)
def test_a_limit_that_makes_no_sense_is_refused_in_a_line(run, words):
    run("tenants", "add", "acme")
    said = run("tenants", "quota", *words, status=1).output
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert "0 of any" in run("tenants", "quota", "acme").output


def test_tenants_are_counted_anew(run):
    assert run("tenants", "recount").output == "counted\n"
