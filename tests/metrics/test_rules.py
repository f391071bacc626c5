"""Dashboard and alerts speak of what is exported, and the alerts say what to do."""

import json
import re
import shutil
import subprocess

import pytest

from app.metrics.catalogue import FAMILIES, Type
from tests.house.source import ROOT

RULES, BOARD = ROOT / "deploy/prometheus/alerts.yaml", ROOT / "deploy/grafana/slipway.json"
ANCHORS = {"redis-is-down", "store-is-down", "workers-are-down", "queue-grows", "disk-is-full", "leases-are-taken-over", "beat-is-down"}
EXPORTED = {family.name: set(family.labels) for family in FAMILIES if family.type is not Type.HISTOGRAM} | {
    f"{family.name}_{suffix}": {*family.labels, "le"}
    for family in FAMILIES
    if family.type is Type.HISTOGRAM
    for suffix in ("bucket", "sum", "count")
}
OF_PROMETHEUS = {"instance", "job"}


def board():
    return [target["expr"] for panel in json.loads(BOARD.read_text())["panels"] for target in panel.get("targets", ())]


def alerts():
    return re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)


def labels(expression):
    """Those that an expression selects or groups by."""
    selected = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    grouped = [word for words in re.findall(r"by \(([^)]*)\)", expression) for word in re.split(r",\s*", words)]
    return {*selected, *grouped}


@pytest.mark.parametrize("expression", [*board(), *alerts()])
def test_an_expression_uses_metrics_and_labels_that_are_exported(expression):
    used = set(re.findall(r"slipway_\w+", expression))
    assert used
    assert used <= EXPORTED.keys()
    assert labels(expression) <= set().union(*(EXPORTED[name] for name in used), OF_PROMETHEUS)
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("expression", [*board(), *alerts()])
def test_what_all_machines_tell_alike_is_never_summed(expression):
    states = "|".join(family.name for family in FAMILIES if family.type is Type.STATE)
    assert not re.search(rf"sum[^()]*(\([^()]*\))? ?\((rate\()?({states})\b(?!_)", expression)


def test_every_metric_is_on_the_dashboard():
    shown = " ".join(board())
    assert not [family.name for family in FAMILIES if family.name not in shown]


def test_every_alert_names_the_place_that_says_what_to_do():
    rules = RULES.read_text().split("- alert: ")[1:]
    found = [re.search(r"runbook_url: docs/operations\.md#([a-z-]+)$", rule, re.MULTILINE)[1] for rule in rules]
    assert set(found) == ANCHORS
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert {heading.lower().replace(" ", "-") for heading in headings} >= ANCHORS
    assert all({"summary:", "description:", "severity:"} <= set(rule.replace("{", " ").split()) for rule in rules)


def test_panels_lie_beside_and_below_one_another():
    places = [panel["gridPos"] for panel in json.loads(BOARD.read_text())["panels"]]
    cells = [(x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool was not found (Debian: apt install prometheus)")
@pytest.mark.parametrize("command", [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]])
def test_promtool_has_nothing_to_say_against_the_rules(command):
    done = subprocess.run(["promtool", *command], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
