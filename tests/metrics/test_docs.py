"""docs/metrics.md has exactly what is exported."""

import re

from app.metrics.catalogue import FAMILIES, Type
from tests.house.source import ROOT, modules

ROW = re.compile(r"^\| `(slipway_\w+)` \| (\w+) \| (.*?) \| (.+) \|$", re.MULTILINE)


def test_every_metric_stands_in_the_table_as_it_is_exported():
    rows = ROW.findall((ROOT / "docs/metrics.md").read_text())
    shown = {name: (kind, re.findall(r"`(\w+)`", labels), meaning) for name, kind, labels, meaning in rows}
    kinds = {Type.COUNTER: "counter", Type.HISTOGRAM: "histogram", Type.LIVE: "gauge", Type.STATE: "gauge"}
    assert shown == {family.name: (kinds[family.type], list(family.labels), family.help) for family in FAMILIES}


def test_every_metric_is_counted_somewhere():
    code = "".join(text for path, text, _ in modules() if path.name != "catalogue.py")
    assert not [family.what for family in FAMILIES if f'"{family.what}"' not in code]
