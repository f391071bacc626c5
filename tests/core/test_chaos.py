"""Whatever happens, in whatever order, with whatever faults: what stands in the end agrees, and nothing stays when everything is gone."""

from __future__ import annotations

import logging

import pytest

from tests.core.agreement import left, wrong
from tests.core.chaos_library import Everything

STEPS = 120


@pytest.mark.parametrize("seed", range(6))
def test_a_house_in_chaos_comes_to_rest_in_order(door, monkeypatch, caplog, seed):
    caplog.set_level(logging.CRITICAL)
    house = Everything(door, seed, monkeypatch)
    for _ in range(STEPS):
        house.act()
    house.drain()
    assert wrong(house) == []
    house.leave()
    assert list(left(house)) == []
