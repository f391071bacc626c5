"""Every route that the app has, with every kind of bad credentials. Computed from the url map: a new route is either told here, with the
reason why it takes no credentials, or refuses them in its door's own form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from app.access.hashing import fingerprint, new_secret
from app.access.sessions import TOKEN_PREFIX
from app.core.credentials import Token
from app.core.errors import Code, problem
from app.core.policy import ROLES, Principal, Scope
from app.web.dialect import EXTENSION
from app.web.mount import dialect_at
from app.web.problems import render
from tests.dialects.house import UNLIMITED, Door, bearer
from tests.dialects.pictures import picture
from tests.dialects.walks import METHODS, addresses, dump, names_of, visit
from tests.dialects.ways import SPEAK, WAYS

SOME_ID = "0190d6e5-0000-7000-8000-000000000000"

PUBLIC = {  # what answers to everybody, and why
    "/healthz": "who balances the load has no key",
    "/readyz": "as /healthz; it tells which part is down, and nothing of any tenant",
    "/oauth2/token": "gives tokens for a client's id and secret",
    "/oauth2/revoke": "the client proves itself by id and secret",
    "/.well-known/oauth-authorization-server": "says where those two are",
    "/v1/openapi.json": "what there is, not whose",
    "/docs": "the same for people",
    "/docs/style.css": "how that looks",
    "/": "the way there",
    "/wdesk/oauth2/token": "gives tokens for a client's id and secret",
    "/wdesk/iam/v1/oauth2/token": "the same under the vendor's other name",
    "/squidex/identity-server/connect/token": "gives tokens for a client's id and secret",
    "/nomad/api/account/login": "gives a session for a name and password",
    "/nomad/api/account/refresh-token": "gives the next token for a refresh token",
    "/squidex/api/assets/<app>/<id>": "the vendor shows what is not protected to everybody; for what is, see test_protected_assets",
    "/squidex/api/assets/<app>/<id>/<path:more>": "as above; the rest of the path says nothing",
}
SEALED = {  # what answers to whoever was given the URL: the signature is the credential
    "/transfers/<tenant>/<id>": Code.LINK_INVALID,
    "/transfers/<tenant>/<id>/parts/<int:number>": Code.LINK_INVALID,
    "/links/<tenant>/<id>/<disposition>/<name>": Code.LINK_INVALID,
    "/contentful/<space>/<id>/<token>/<filename>": Code.NOT_FOUND,
}
NO_SCOPE = {  # what everybody with credentials of the tenant may do
    ("GET", "/contentful/spaces"): "which space a token opens",
    ("POST", "/nomad/api/account/logout"): "ends the speaker's own session",
    **{
        ("GET", f"/wdesk{family}/operations/<id>"): "the vendor's page asks for no scope"
        for family in ("", "/prototype/platform", "/platform/v1")
    },
}


@dataclass(frozen=True)
class Route:
    """A rule of the app, one method, and a path that fits."""

    method: str
    rule: str

    @property
    def path(self) -> str:
        return re.sub(r"<(int:)?[\w:]+>", lambda m: "1" if m[1] else SOME_ID, self.rule)

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes(door: Door) -> list[Route]:
    return [Route(method, rule.rule) for rule in door.app.url_map.iter_rules() for method in sorted(rule.methods & METHODS)]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A door whose acme has sent a file in every way."""
    door = Door(tmp_path_factory.mktemp("access"), **UNLIMITED)
    for way in WAYS:
        way.send(door, SPEAK[way.dialect](door), picture())
    yield door
    door.close()


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    """A role without any scope."""
    monkeypatch.setitem(ROLES, "nobody", frozenset())


def spoken(dialect: str | None, secret: str) -> Mapping[str, str]:
    """The headers with which this secret is shown at a door."""
    return {"x-api-key": secret} if dialect == "backoffice" else bearer(secret)


def token_of(door: Door, tenant: str = "acme", scopes: frozenset[Scope] = frozenset(Scope), life: float = 60) -> str:
    """A bearer token of a client with exactly these scopes."""
    secret, now = TOKEN_PREFIX + new_secret(), door.room.keyring.now()
    door.access.keyring.put_token(fingerprint(secret), Token(Principal(tenant, f"{tenant}:narrow", scopes), now, now + life))
    return secret


def bad(door: Door) -> dict[str, str | None]:
    """Secrets that prove nothing any more, or never did."""
    door.access.add_client("acme", "acme:narrow", "admin")
    revoked, held = door.access.add_key("acme", "admin")
    door.access.revoke_key(held.id)
    given_back = token_of(door)
    door.access.revoke_token(given_back)
    ran_out = token_of(door, life=0.001)
    door.pass_time(1)
    return {
        "none": None,
        "wrong key": "sk_acme_forged",
        "wrong token": "st_forged",
        "revoked key": revoked,
        "revoked token": given_back,
        "expired token": ran_out,
        "a refresh token": "rt_forged",
    }


def in_form(door: Door, route: Route, code: Code):
    """Status, content type and members of a refusal at this route."""
    with door.app.test_request_context(route.path, method=route.method):
        dialect = dialect_at(route.path)
        wanted = (dialect.render if dialect else render)(problem(code, scope="x"))
        return wanted.status_code, wanted.content_type, members(wanted)


def members(answer):
    return (
        sorted(set(answer.get_json(force=True) or ()) - {"scope", "what", "errors", "details", "instance", "traceId"})
        if answer.get_data()
        else []
    )


def said(answer):
    return answer.status_code, answer.content_type, members(answer)


def dialect_of(route: Route) -> str:
    return route.rule.split("/")[1]


def closed(door: Door) -> list[Route]:
    """The routes that take credentials."""
    return [route for route in routes(door) if route.rule not in {**PUBLIC, **SEALED}]


def test_what_is_told_here_is_there(town):
    rules = {route.rule for route in routes(town)}
    assert not {*PUBLIC, *SEALED} - rules
    assert not {rule for _, rule in NO_SCOPE} - rules


def test_credentials_that_prove_nothing_are_401_everywhere(town):
    secrets, before = bad(town), dump(town)
    for route in closed(town):
        wanted = in_form(town, route, Code.UNAUTHENTICATED)
        for kind, secret in secrets.items():
            answer = visit(town, spoken(dialect_of(route), secret) if secret else {}, route.method, route.path)
            assert said(answer) == wanted, f"{route} with {kind}: {answer.status} {answer.get_data()!r}"
            assert answer.headers["WWW-Authenticate"]
            if dialect_of(route) != "backoffice":
                assert ("invalid_token" in answer.headers["WWW-Authenticate"]) is (secret is not None), f"{route} with {kind}"
    assert dump(town) == before


def test_credentials_without_the_scope_are_403_everywhere(town):
    """Before anything is looked for: an id that nobody has is no other answer than one that somebody has."""
    secret, before = town.access.add_key("acme", "nobody")[0], dump(town)
    for route in closed(town):
        path = route.path.replace(f"/spaces/{SOME_ID}", "/spaces/acme").replace(f"/apps/{SOME_ID}", "/apps/acme")
        path = path.replace(f"/environments/{SOME_ID}", "/environments/master")
        answer = visit(town, spoken(dialect_of(route), secret), route.method, path)
        if (route.method, route.rule) in NO_SCOPE:
            assert answer.status_code in {200, 404}, f"{route}: {answer.status}"
        else:
            assert said(answer) == in_form(town, route, Code.FORBIDDEN), f"{route}: {answer.status} {answer.get_data()!r}"
    assert dump(town) == before


@pytest.mark.parametrize("dialect", SPEAK)
def test_what_another_tenant_has_is_not_there(town, dialect):
    names, stranger = names_of(town), spoken(dialect, town.access.add_key("other", "admin")[0])
    before, bound, hidden = dump(town), town.app.url_map.bind(""), set()
    for method, path in addresses(town, dialect, names):
        rule, places = bound.match(path, method, return_rule=True)
        if places and rule.rule not in {**PUBLIC, **SEALED}:
            answer = visit(town, stranger, method, path)
            missing = in_form(town, Route(method, rule.rule), Code.NOT_FOUND)
            ill_formed = dialect == "backoffice" and answer.get_json(force=True) == {"errors": [{"detail": "Invalid UUID"}]}
            assert said(answer) == missing or ill_formed, f"{method} {path}: {answer.status} {answer.get_data()!r}"
            hidden |= set() if ill_formed else {(method, rule.rule)}
    taken = {(route.method, route.rule) for route in closed(town) if dialect_of(route) == dialect and "<" in route.rule}
    assert hidden == taken
    assert dump(town) == before


@pytest.mark.parametrize("rule", SEALED)
def test_a_url_without_its_signature_opens_nothing_whoever_comes(town, rule):
    admin, before = town.access.add_key("acme", "admin")[0], dump(town)
    names = names_of(town)
    for route in (route for route in routes(town) if route.rule == rule):
        wanted = in_form(town, route, SEALED[rule])
        for query in ("", "?expires=9999999999&signature=00", "?expires=&signature=", "?expires=x&signature=\u00e9"):
            for who in ({}, bearer(admin)):
                for name in names:
                    path = re.sub(r"<(space|tenant)>", "acme", rule).replace("<id>", name)
                    path = re.sub(r"<(int:)?\w+>", lambda m: "1" if m[1] else "photo.png", path)
                    answer = visit(town, who, route.method, path + query)
                    assert said(answer) == wanted, f"{route.method} {path}{query}: {answer.status}"
    assert dump(town) == before


def test_what_everybody_may_read_says_nothing_about_who_asks(town):
    """No 401 and no 403 at a public route, whatever is shown; but for the credentials in its own body."""
    for route in (route for route in routes(town) if route.rule in PUBLIC):
        plain = visit(town, {}, route.method, route.path)
        for secret in ("sk_acme_forged", town.access.add_key("acme", "nobody")[0]):
            assert visit(town, bearer(secret), route.method, route.path).status_code == plain.status_code, str(route)


def test_a_route_that_nobody_told_of_is_found(town, monkeypatch):
    """The test is one: a route without credentials that is not in the list is seen."""
    monkeypatch.delitem(PUBLIC, "/healthz")
    with pytest.raises(AssertionError, match="GET /healthz with none: 200"):
        test_credentials_that_prove_nothing_are_401_everywhere(town)


def test_the_doors_are_all_known(town):
    assert {dialect_of(route) for route in closed(town)} == set(town.app.extensions[EXTENSION].dialects) == set(SPEAK)
