"""`slipway doctor`: what is judged of what was measured, row by row."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import findings, main, store_findings
from app.cli.doctor import _shared, canaries
from app.core.policy import Policy
from app.core.ports.inspection import BucketFacts, FolderFacts, MemoryFacts, RedisFacts, Rule, Welcome
from app.records.inspection import Inspector, plain
from app.settings import from_env
from tests.services.redis_server import RedisServer

GIB = 1024**3
REDIS = RedisFacts("Redis", (7, 0, 15), "one", 1, "noeviction", 0, GIB, 16 * GIB, appends=True, syncs="everysec", skew=0.01)
BROKER = replace(REDIS, db=0)
FOLDER = FolderFacts(Path("/srv"), same=True, links=True, free=50 * GIB, total=100 * GIB, files=10**6)
RULE = Rule("old", "", None, 7.0)
WELCOME = Welcome(allowed=True, shown=True)
BUCKET = BucketFacts(
    "s3://b",
    "house",
    0.0,
    same=True,
    keeps=True,
    verifies=True,
    unframed=True,
    presigned="",
    origins={"https://a.example": WELCOME},
    rules=[RULE],
)
DAYS = Policy(upload_ttl=2 * 86400.0)


def levels(found):
    return {finding.check: finding.level for finding in found if finding.level != "ok"}


def test_a_house_in_order_has_nothing_to_mend():
    found = [
        *findings.redis(REDIS, "records"),
        *findings.redis(BROKER, "broker"),
        findings.together(REDIS, BROKER),
        *store_findings.store(FOLDER, [Policy()]),
        *store_findings.store(BUCKET, [DAYS]),
        *findings.queues({"worker": 0.1, "keeper": 0.1}, 10),
        findings.beat(3.0, 60),
        findings.secret(kept=True, shared=False),
        findings.secret(kept=False, shared=True),
        findings.descriptors(1024, 32),
        findings.public(None, None),
        findings.public("https://a.example", None),
    ]
    assert levels(found) == {}
    assert not [finding for finding in found if finding.remedy or not finding.said]


@pytest.mark.parametrize(
    ("change", "part", "found"),
    [
        ({"version": (6, 0, 20)}, "records", {"records: version": "fault"}),
        ({"version": (6, 2, 0)}, "records", {}),
        ({"version": (8, 0)}, "records", {}),
        ({"version": ()}, "records", {"records: version": "fault"}),
        ({"server": "Valkey", "version": (8, 1, 0)}, "records", {}),
        ({"policy": "allkeys-lru"}, "records", {"records: eviction": "fault"}),
        ({"policy": "volatile-ttl"}, "broker", {"broker: eviction": "fault"}),
        ({"policy": None}, "records", {"records: eviction": "warning"}),
        ({"appends": False}, "records", {"records: persistence": "fault"}),
        ({"appends": False}, "broker", {"broker: persistence": "warning"}),
        ({"appends": None}, "records", {"records: persistence": "warning"}),
        ({"syncs": "no"}, "records", {"records: persistence": "fault"}),
        ({"syncs": "no"}, "broker", {}),
        ({"syncs": None}, "records", {}),
        ({"syncs": "always"}, "records", {}),
        ({"limit": GIB, "used": GIB // 2}, "records", {}),
        ({"limit": GIB, "used": GIB * 8 // 10}, "records", {"records: memory": "warning"}),
        ({"limit": GIB, "used": GIB * 95 // 100}, "records", {"records: memory": "fault"}),
        ({"used": 15 * GIB}, "records", {"records: memory": "fault"}),
        ({"memory": 0}, "records", {}),
        ({"skew": -30.0}, "records", {"clock of Redis": "warning"}),
        ({"skew": 1000.0}, "records", {"clock of Redis": "fault"}),
        ({"skew": 1000.0}, "broker", {}),
    ],
)
def test_what_is_found_of_a_redis(change, part, found):
    assert levels(findings.redis(replace(REDIS, **change), part)) == found


@pytest.mark.parametrize(
    ("change", "level"),
    [({}, "ok"), ({"db": 1}, "fault"), ({"db": 2}, "warning"), ({"db": 1, "run_id": "two"}, "ok"), ({"db": 2, "run_id": "two"}, "ok")],
)
def test_records_and_broker_are_to_be_apart(change, level):
    assert findings.together(REDIS, replace(BROKER, **change)).level == level


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"same": False}, {"store": "fault"}),
        ({"links": False}, {"store": "fault"}),
        ({"free": GIB}, {"store: disk": "warning"}),
        ({"free": GIB, "total": 2 * GIB}, {}),
        ({"files": 10}, {"store: disk": "warning"}),
    ],
)
def test_what_is_found_of_a_folder(change, found):
    assert levels(store_findings.store(replace(FOLDER, **change), [])) == found


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"same": False}, {"store": "fault"}),
        ({"skew": 30.0}, {"clock of S3": "warning"}),
        ({"skew": -1000.0}, {"clock of S3": "fault"}),
        ({"keeps": False}, {"store: checksums": "warning"}),
        ({"verifies": False}, {"store: checksums": "warning"}),
        ({"unframed": None}, {"store: aws-chunked": "warning"}),
        ({"unframed": False}, {"store: aws-chunked": "warning"}),
        ({"presigned": "status 403"}, {"store: signed URLs": "fault"}),
        ({"origins": {"https://a": replace(WELCOME, allowed=False)}}, {"store: CORS for https://a": "fault"}),
        ({"origins": {"https://a": replace(WELCOME, shown=False)}}, {"store: CORS for https://a": "warning"}),
        ({"rules": None}, {"store: lifecycle": "warning"}),
        ({"rules": []}, {"store: lifecycle": "warning"}),
        ({"rules": [replace(RULE, aborts=1.0)]}, {"store: lifecycle": "fault"}),
        ({"rules": [replace(RULE, aborts=1.0, prefix="elsewhere/")]}, {}),
        ({"rules": [RULE, Rule("all", "", 30.0, None)]}, {"store: lifecycle": "fault"}),
        ({"rules": [RULE, Rule("staged", "house/staging/", 1.0, None)]}, {"store: lifecycle": "fault"}),
        ({"rules": [RULE, Rule("staged", "house/staging/", 3.0, None)]}, {}),
        ({"rules": [RULE, Rule("mine", "house/blobs/tenant/", 30.0, None)]}, {"store: lifecycle": "fault"}),
        ({"rules": [RULE, Rule("other", "houses/", 0.0, None)]}, {}),
    ],
)
def test_what_is_found_of_a_bucket(change, found):
    assert levels(store_findings.store(replace(BUCKET, **change), [Policy(), DAYS])) == found


def test_bytes_in_memory_are_a_fault():
    assert levels(store_findings.store(MemoryFacts(), [])) == {"store": "fault"}


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (next(findings.queues({"worker": None}, 10)), "fault"),
        (next(findings.queues({"worker": 11.0}, 10)), "fault"),
        (findings.beat(None, 60), "fault"),
        (findings.beat(61.0, 60), "fault"),
        (findings.secret(kept=True, shared=True), "warning"),
        (findings.descriptors(256, 32), "warning"),
        (findings.public("https://a.example", "refused"), "warning"),
    ],
)
def test_what_is_found_of_processes(finding, level):
    assert finding.level == level
    assert finding.remedy


class Nodes:
    """Fakes of Jobs and Pulse: each node answers at the look of its number, or never."""

    def __init__(self, **answers):
        self.answers, self.looks, self.sent = answers, 0, 0

    def canary(self):
        self.sent += 1

    def age(self, name):
        self.looks += name == "worker"
        due = self.answers.get(name)
        return 0.0 if due is not None and self.looks >= due else None


def test_canaries_are_waited_for():
    nodes = Nodes(worker=2, keeper=3, beat=1)
    assert canaries(nodes, nodes, 10.0) == {"worker": 0.0, "keeper": 0.0}
    assert (nodes.sent, nodes.looks) == (1, 3)
    nodes = Nodes(keeper=0, beat=0)
    assert canaries(nodes, nodes, 0.0) == {"worker": None, "keeper": 0.0}


# ---------------------------------------------------------------- measured


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("redis+socket:///run/r.sock?virtual_host=4", "unix:///run/r.sock?db=4"),
        ("redis+socket://:pw@/run/r.sock", "unix://:pw@/run/r.sock?db=0"),
        ("redis://r:6379/3", "redis://r:6379/3"),
        ("sentinel://[::1]:26379,[::2]/master?db=1", "sentinel://[::1]:26379,[::2]/master?db=1"),
    ],
)
def test_a_brokers_url_is_one_of_redis(url, wanted):
    assert plain(url) == wanted


@pytest.mark.parametrize(
    ("redis", "store", "shared"),
    [
        ("unix:///run/r.sock?db=1", "file:///srv", False),
        ("redis://:pw@127.0.0.1:6379/1", "file:///srv", False),
        ("rediss://localhost/1", "file:///srv", False),
        ("redis://localhost.example/1", "file:///srv", True),
        ("sentinel://[::1]:26379,[::2]/master?db=1", "file:///srv", True),
        ("unix:///run/r.sock?db=1", "s3://bucket/", True),
    ],
)
def test_what_others_may_stand_on_too_is_told_apart(redis, store, shared):
    settings = from_env({"SLIPWAY_SECRET": "made up for tests", "SLIPWAY_REDIS": redis, "SLIPWAY_STORE": store})
    assert _shared(settings) is shared


@pytest.fixture
def doctor(tmp_path):
    """Runs the command over a data folder of its own -> exit status, findings by check."""

    def doctor(**env):
        clean = {"SLIPWAY_DATA": str(tmp_path), "SLIPWAY_SECRET": "made up for tests", "SLIPWAY_STORE": (tmp_path / "store").as_uri()}
        (tmp_path / "store").mkdir(exist_ok=True)
        done = CliRunner().invoke(main, ["doctor", "--json"], env=clean | env)
        shown = json.loads(done.stdout)
        assert shown["ok"] is (done.exit_code == 0)
        return done.exit_code, {each["check"]: each for each in shown["findings"]}

    return doctor


def test_settings_that_are_none_are_the_one_finding(doctor):
    status, found = doctor(SLIPWAY_GRACE="soon")
    assert (status, list(found), found["settings"]["level"]) == (1, ["settings"], "fault")
    assert "SLIPWAY_GRACE" in found["settings"]["said"]


def test_a_redis_that_forgets_is_found_out(doctor, monkeypatch):
    monkeypatch.setattr("app.cli.doctor.WAIT", 0.0)  # nobody reads its queues
    with RedisServer() as server:
        server.client.config_set("maxmemory-policy", "allkeys-lru")
        status, found = doctor(SLIPWAY_REDIS=server.url_of(1), SLIPWAY_BROKER=server.url_of(1))
        facts = Inspector(server.url_of(1)).look()
        left = {name for name in server.client.keys("*") if not name.startswith(("unacked", "_kombu"))}
    assert status == 1
    assert (facts.policy, facts.appends, facts.db, abs(facts.skew) < 5) == ("allkeys-lru", False, 1, True)
    faults = {check for check, each in found.items() if each["level"] == "fault"}
    assert faults == {"records: eviction", "records: persistence", "records and broker", "queue: worker", "queue: keeper", "beat"}
    assert all(each["remedy"] for each in found.values() if each["level"] != "ok")
    assert left == set()


def test_a_redis_that_tells_little_is_asked_no_more(doctor):
    with RedisServer(durable=True) as server:
        server.client.execute_command("ACL", "SETUSER", "modest", "on", ">pw", "~*", "+@all", "-config")
        facts = Inspector(f"unix://modest:pw@{server.path}?db=1").look()
    assert (facts.appends, facts.syncs, facts.policy) == (True, None, "noeviction")


def test_what_does_not_answer_is_told_so(doctor, tmp_path):
    status, found = doctor(
        SLIPWAY_REDIS="redis://127.0.0.1:1/1", SLIPWAY_STORE=(tmp_path / "none").as_uri(), SLIPWAY_PUBLIC_URL="http://127.0.0.1:1"
    )
    assert status == 1
    assert {check for check, each in found.items() if each["level"] == "fault"} == {"records", "broker", "queues", "store"}
    assert found["public URL"]["level"] == "warning"
    assert "no such folder" in found["store"]["said"]


def test_a_folder_is_left_as_it_was(doctor, tmp_path):
    _, found = doctor()
    assert found["store"]["level"] == found["store: disk"]["level"] == "ok"
    assert not [file for file in (tmp_path / "store").rglob("*") if file.is_file()]
