"""Which bytes part k is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import parts
from app.core.errors import Code, UploadError
from app.core.parts import LARGEST_PART, SMALLEST_PART, Part, Slot
from app.core.policy import MIB, Policy

SIZES = st.integers(1, 50)
LENGTHS = st.integers(1, 2000)


def holding(length, size, *without):
    return {s.number: Part(s.number, s.offset, s.size, "e") for s in parts.plan(size, length) if s.number not in without}


@given(SIZES, LENGTHS)
def test_a_plan_covers_every_byte_once_and_in_order(size, length):
    plan = parts.plan(size, length)
    assert [byte for slot in plan for byte in (slot.offset, slot.offset + slot.size)][1:-1] == [s.offset for s in plan[1:] for _ in "xx"]
    assert (plan[0].offset, plan[-1].offset + plan[-1].size) == (0, length)
    assert [slot.number for slot in plan] == list(range(1, parts.count_of(length, size) + 1))
    assert all(slot.size == size for slot in plan[:-1])
    assert 0 < plan[-1].size <= size


@given(SIZES, LENGTHS, st.data())
def test_what_is_missing_is_what_is_not_held(size, length, data):
    numbers = range(1, parts.count_of(length, size) + 1)
    without = data.draw(st.sets(st.sampled_from(numbers)))
    held = holding(length, size, *without)
    assert parts.missing(held, size, length) == sorted(without)
    assert parts.total(held.values()) == length - sum(s.size for s in parts.plan(size, length) if s.number in without)
    first = min(without, default=None)
    assert parts.contiguous(held) == (length if first is None else (first - 1) * size)


@given(SIZES, LENGTHS, st.data())
def test_a_part_of_another_size_is_missing(size, length, data):
    held = holding(length, size)
    number = data.draw(st.sampled_from(sorted(held)))
    wrong = data.draw(st.integers(0, size + 1).filter(lambda n: n != held[number].size))
    held[number] = Part(number, held[number].offset, wrong, "e")
    assert parts.missing(held, size, length) == [number]


@given(SIZES, LENGTHS)
def test_parts_held_make_up_the_length(size, length):
    assert parts.length_of(holding(length, size), size) == length


@given(SIZES, st.integers(2, 2000), st.data())
def test_a_gap_below_the_highest_part_is_told(size, length, data):
    numbers = list(range(1, parts.count_of(length, size) + 1))[:-1]
    without = data.draw(st.sets(st.sampled_from(numbers), min_size=1)) if numbers else set()
    if without:
        with pytest.raises(UploadError) as refused:
            parts.length_of(holding(length, size, *without), size)
        assert (refused.value.code, refused.value.problem.facts["missing"]) == (Code.PARTS_MISSING, sorted(without))


def test_no_parts_have_no_length():
    with pytest.raises(UploadError) as refused:
        parts.length_of({}, 5)
    assert refused.value.code is Code.EMPTY


@pytest.mark.parametrize(
    ("number", "size", "length", "most", "found"),
    [
        (1, 10, 25, 0, Slot(1, 0, 10)),
        (3, 10, 25, 0, Slot(3, 20, 5)),
        (2, 10, 20, 0, Slot(2, 10, 10)),
        (1, 10, 0, 0, Slot(1, 0, 0)),
        (7, 10, None, 7, Slot(7, 60, 10)),
        (0, 10, 25, 0, None),
        (-1, 10, 25, 0, None),
        (4, 10, 25, 0, None),
        (3, 10, 20, 0, None),
        (8, 10, None, 7, None),
    ],
)
def test_the_place_of_a_part(number, size, length, most, found):
    if found is None:
        with pytest.raises(UploadError) as refused:
            parts.slot(number, size, length, most)
        assert refused.value.code is Code.PART_UNKNOWN
    else:
        assert parts.slot(number, size, length, most) == found


@given(
    st.none() | st.integers(SMALLEST_PART, LARGEST_PART), st.none() | st.integers(1, 10**14), st.integers(1, 10**14), st.integers(1, 10_000)
)
def test_a_part_size_keeps_the_file_under_the_most_parts(wanted, length, limit, most):
    policy = Policy(max_bytes=limit, max_parts=most)
    size = parts.part_size_for(policy, length, wanted)
    assert size >= (wanted or policy.part_size)
    assert parts.count_of(limit if length is None else length, size) <= most


@pytest.mark.parametrize(("wanted", "size"), [(None, 8 * MIB), (SMALLEST_PART, SMALLEST_PART), (LARGEST_PART, LARGEST_PART)])
def test_a_part_size_is_what_was_wanted(wanted, size):
    assert parts.part_size_for(Policy(), 1000, wanted) == size


@pytest.mark.parametrize("wanted", [0, 1, SMALLEST_PART - 1, LARGEST_PART + 1, -5])
def test_a_part_size_that_s3_would_not_take_is_refused(wanted):
    with pytest.raises(UploadError) as refused:
        parts.part_size_for(Policy(), 1000, wanted)
    assert refused.value.code is Code.INVALID


@pytest.mark.parametrize(
    ("held", "alike"),
    [
        ([], []),
        ([(1, "x", None), (2, "y", None)], []),
        ([(3, "x", None), (1, "x", None)], [[1, 3]]),
        ([(1, "x", "same"), (2, "y", "same"), (3, "z", "other")], [[1, 2]]),
        ([(1, "x", "one"), (2, "x", "two")], []),
    ],
)
def test_parts_of_the_same_bytes_are_told_by_their_digests_or_their_etags(held, alike):
    assert parts.twins({number: Part(number, 0, 1, etag, digest) for number, etag, digest in held}) == alike
