"""Small functions, small modules. Counts are lines, from `def` to the last line of the body."""

import statistics

from tests.house.source import functions, modules

MEDIAN, MOST, LONGEST, MODULE = 8, 30, 50, 300


def test_functions_are_short(record_property):
    found = dict(functions())
    lengths = sorted(found.values())
    median, p95 = statistics.median(lengths), lengths[int(len(lengths) * 0.95)]
    figures = f"{len(lengths)} functions: median {median:.0f}, 95 % {p95}, longest {lengths[-1]} lines"
    record_property("proportions", figures)
    print(figures)
    assert not [f"{where}: {lines} lines" for where, lines in found.items() if lines > LONGEST]
    assert median <= MEDIAN, figures
    assert p95 <= MOST, figures


def test_modules_are_one_room():
    assert not [f"{path}: {lines} lines" for path, text, _ in modules() if (lines := text.count("\n")) > MODULE]
