"""One contract for every dialect that is found, and for one that is not ours."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app import dialects
from app.core.errors import Code, problem
from app.web.dialect import EXTENSION
from tests.dialects.cases import Ask, Case, cases
from tests.dialects.house import BASE, Row, bearer
from tests.dialects.pictures import picture

OURS = sorted(dialects.load())
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
OTHERS = {"health", "links", "transfers", "oauth", "docs"}  # what belongs to no dialect
SOME_ID = "0190d6e5-0000-7000-8000-000000000000"

README = Path(__file__).parents[2] / "README.md"
TOY = (
    README.read_text().partition("## Add a dialect in one file")[2].partition("```python\n")[2].partition("```")[0]
)  # what is shown is what runs

TOY_CASE = Case(
    speak=lambda door: {"X-Toy": door.key()["Authorization"].removeprefix("Bearer ")},
    asks=tuple(Ask("PUT", f"{mount}/pictures", {"Prefer": "respond-async"}, picture()) for mount in ("/toys", "/playthings")),
    final=lambda answer: answer.status_code == 200 and bool(answer.get_json()["picture"]),
    too_large=lambda _door, _who: ("PUT", "/playthings/pictures"),
)


@pytest.fixture
def write_package(tmp_path, monkeypatch):
    """Writes a package of dialects that Python can import; gives its name back."""

    def write(**modules: str) -> str:
        name = f"toys_{abs(hash(tmp_path))}_{len(list(tmp_path.iterdir()))}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        for module, source in modules.items():
            (tmp_path / name / f"{module}.py").write_text(source)
        return name

    monkeypatch.syspath_prepend(tmp_path)
    return write


class Spoken:
    """A door, and the dialect in question."""

    def __init__(self, door, name: str, case: Case) -> None:
        self.door, self.name, self.case = door, name, case
        self.dialect = dialects.load((door.packages[-1],))[name] if name == "toy" else dialects.load()[name]

    @property
    def rules(self):
        """Its routes, each with its path filled in."""
        own = [rule for rule in self.door.app.url_map.iter_rules() if rule.endpoint.partition(".")[0].removesuffix("_1") == self.name]
        return [(rule, re.sub(r"<(int:)?\w+>", lambda m: "1" if m[1] else SOME_ID, rule.rule)) for rule in own]

    def render(self, code: Code):
        """What the dialect makes of a code."""
        with self.door.app.test_request_context(self.dialect.mounts[0] + "/x"):
            return self.dialect.render(problem(code))

    def refused_as(self, answer, code: Code) -> None:
        """Judge that an answer is the dialect's own form of a refusal."""
        wanted = self.render(code)
        assert (answer.status_code, answer.content_type) == (wanted.status_code, wanted.content_type), answer.get_data()
        if code in self.case.wordless:
            assert not answer.get_data()
            return
        assert set(answer.get_json()) >= set(wanted.get_json()) or set(answer.get_json()) <= set(wanted.get_json()), answer.get_data()


@pytest.fixture(params=[*OURS, "toy"])
def spoken(request, open_door, write_package):
    if request.param == "toy":
        return Spoken(open_door(packages=("app.dialects", write_package(toy=TOY))), "toy", TOY_CASE)
    return Spoken(open_door(), request.param, cases()[request.param])


@pytest.mark.parametrize("code", Code)
def test_every_code_is_rendered(spoken, code):
    answer = spoken.render(code)
    assert 400 <= answer.status_code < 600
    assert bool(answer.get_data()) is (code not in spoken.case.wordless)


def test_no_route_lies_outside_the_mounts(spoken):
    assert spoken.rules
    for rule, _ in spoken.rules:
        assert any(rule.rule.startswith(mount + "/") for mount in spoken.dialect.mounts), rule.rule


def test_every_mount_has_every_route(spoken):
    below = {
        mount: {rule.rule.removeprefix(mount) for rule, _ in spoken.rules if rule.rule.startswith(mount + "/")}
        for mount in spoken.dialect.mounts
    }
    assert len({frozenset(routes) for routes in below.values()}) == 1


def test_401_on_every_route(spoken):
    asked = [(method, path) for rule, path in spoken.rules for method in rule.methods & METHODS if path not in spoken.case.open_to_all]
    assert asked
    for method, path in asked:
        for headers in ({}, bearer("sk_acme_forged")):
            spoken.refused_as(
                spoken.door.send(method, path, headers, b"x" if method in {"PUT", "POST", "PATCH"} else None), Code.UNAUTHENTICATED
            )


def test_404_below_every_mount(spoken):
    who = spoken.case.speak(spoken.door)
    for mount in spoken.dialect.mounts:
        for path in (f"{mount}/no/such/thing", f"{mount}/", mount):
            spoken.refused_as(spoken.door.send("GET", path, who), Code.NOT_FOUND)


def test_405_on_every_route(spoken):
    who = spoken.case.speak(spoken.door)
    for rule, path in spoken.rules:
        allowed = set(spoken.door.app.url_map.bind("").allowed_methods(path))
        for method in sorted(METHODS - allowed):
            answer = spoken.door.send(method, path, who)
            spoken.refused_as(answer, Code.METHOD_NOT_ALLOWED)
            assert set(answer.headers["Allow"].split(", ")) >= rule.methods & METHODS


def test_too_large_before_a_byte_is_read(spoken):
    who = spoken.case.speak(spoken.door)
    method, path = spoken.case.too_large(spoken.door, who)
    answer = spoken.door.send(method, path, who, b"x", {"CONTENT_LENGTH": str(spoken.dialect.policy.max_bytes + 1)})
    spoken.refused_as(answer, Code.TOO_LARGE)


def test_429_with_the_seconds_to_wait(spoken):
    policies, who = spoken.door.app.extensions[EXTENSION].policies, spoken.case.speak(spoken.door)
    policies[spoken.name] = replace(policies[spoken.name], requests_per_hour=1)
    ask = spoken.case.asks[0]
    answers = [spoken.door.send(ask.method, ask.path, who | ask.headers, ask.body) for _ in range(2)]
    spoken.refused_as(answers[1], Code.RATE_LIMITED)
    assert answers[1].status_code == 429 or spoken.name == "toy"
    assert 3000 < int(answers[1].headers["Retry-After"]) <= 3600


def test_a_promise_is_kept_at_its_location(spoken):
    who = spoken.case.speak(spoken.door)
    for ask in spoken.case.asks:
        promise = spoken.door.run(Row(ask.method, ask.path, who | ask.headers, ask.body, 202, sends={"Retry-After": lambda v: int(v) > 0}))
        location = promise.headers["Location"]
        assert any(location.startswith(f"{BASE}{mount}/") for mount in spoken.dialect.mounts), location
        assert spoken.door.send("GET", location, who).status_code in {200, 201, 202, 204}
        ask.fulfil(spoken.door, promise, who)
        assert spoken.case.final(spoken.door.send("GET", location, who))
        spoken.refused_as(spoken.door.send("GET", location, {}), Code.UNAUTHENTICATED)


def test_the_monitor_is_where_the_location_points(spoken):
    who = spoken.case.speak(spoken.door)
    ask = spoken.case.asks[0]
    location = spoken.door.send(ask.method, ask.path, who | ask.headers, ask.body).headers["Location"]
    op = spoken.door.house.library.operation(spoken.door.principal(), location.rpartition("/")[2])
    assert spoken.dialect.monitor(op) == location.removeprefix(BASE)


def test_whoever_can_authenticate_is_named(spoken):
    who = spoken.case.speak(spoken.door)
    with spoken.door.app.test_request_context(spoken.dialect.mounts[0] + "/x", headers=who) as context:
        assert spoken.dialect.authenticate(context.request).tenant == "acme"


# ---------------------------------------------------------------- all of them


def test_every_dialect_has_its_case():
    assert set(cases()) == set(OURS)


def test_what_belongs_to_no_dialect_is_known(door):
    ends = {rule.endpoint.partition(".")[0].removesuffix("_1") for rule in door.app.url_map.iter_rules()}
    assert ends == {*OURS, *OTHERS}


def test_a_path_outside_every_mount_is_refused_in_the_native_form(door):
    for path in ("/none", "/v2", "/wdeskx/operations/x", "/v1x"):
        door.run(Row("GET", path, status=404, sends={"Content-Type": "application/problem+json"}, shows={"code": "not_found"}))


def test_the_longest_mount_speaks(open_door, write_package):
    inner = TOY.replace('"toy"', '"inner"').replace('("/toys", "/playthings")', '("/v1/toys",)').replace("toy says", "inner says")
    door = open_door(packages=("app.dialects", write_package(inner=inner)))
    door.run(Row("GET", "/v1/toys/none", status=404, shows={"inner says": "There is no such resource."}))
    door.run(Row("GET", "/v1/toysnone", status=404, shows={"code": "not_found"}))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (TOY.replace('name="toy"', 'name="doll"'), "toy.* both mounted at|both mounted at"),
        (TOY.replace('"/toys"', '"/dolls"').replace('"/playthings"', '"/puppets"'), "two dialects are called toy"),
        (TOY.replace('name="toy"', 'name="doll"').replace('("/toys", "/playthings")', '("dolls",)'), "a mount looks like /name"),
        (TOY.replace('name="toy"', 'name="doll"').replace('("/toys", "/playthings")', '("/dolls/",)'), "a mount looks like /name"),
    ],
)
def test_two_that_cannot_live_together_are_refused(write_package, other, said):
    package = write_package(toy=TOY, twin=other)
    with pytest.raises(ValueError, match=said):
        dialects.load(("app.dialects", package))


def test_a_dialect_that_takes_one_of_our_mounts_is_refused(write_package):
    with pytest.raises(ValueError, match="both mounted at /wdesk"):
        dialects.load(("app.dialects", write_package(toy=TOY.replace('"/toys"', '"/wdesk"'))))


def test_a_module_without_a_dialect_is_refused(write_package):
    with pytest.raises(TypeError, match="exports no DIALECT"):
        dialects.load((write_package(empty="X = 1\n"),))
