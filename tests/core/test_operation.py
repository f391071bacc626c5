"""The table of states, its drawing, and the one function that moves."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import operation, timing
from app.core.errors import Code, Moved, problem
from app.core.operation import FINAL, TRANSITIONS, Operation, Status, advance

NOW = 1000.0
CORE = Path(operation.__file__).parent
S = Status


def an_operation(**fields):
    return replace(Operation("o", "t", "me", "ingest", NOW, NOW, NOW + 500), **fields)


def refused(act):
    try:
        act()
    except Moved:
        return True
    return False


# ---------------------------------------------------------------- the drawing


DRAWN = [  # what of the drawing says so, and what it says
    ("cancelled\n                  ▲ cancel, delete\n   acknowledged ──┴", S.ACKNOWLEDGED, S.CANCELLED),
    ("acknowledged ──┴─── deadline passed, refused at finish ───► failed", S.ACKNOWLEDGED, S.FAILED),
    ("│ bytes finished\n        ▼                cancel\n      queued", S.ACKNOWLEDGED, S.QUEUED),
    ("queued ──────────────► cancelled", S.QUEUED, S.CANCELLED),
    ("queued ──► failed (attempts or time budget spent)", S.QUEUED, S.FAILED),
    ("│ claim (attempt + 1, lease)   ▲\n        ▼", S.QUEUED, S.STARTED),
    ("▲\n        ▼                              │ cancel\n      started ─────────────────────────┘", S.STARTED, S.CANCELLED),
    ("├─ judged good, promoted ──► completed", S.STARTED, S.COMPLETED),
    ("├─ refused by a check ─────► failed", S.STARTED, S.FAILED),
    ("└─ worker lost, or a fault of Redis or the store ──► queued", S.STARTED, S.QUEUED),
]


def test_table_and_drawing_agree():
    assert {(a, b) for _, a, b in DRAWN} == {(a, b) for a, nexts in TRANSITIONS.items() for b in nexts}


@pytest.mark.parametrize("fragment", [row[0] for row in DRAWN], ids=lambda text: text.splitlines()[-1].strip())
def test_the_drawing_shows_the_row(fragment):
    assert fragment in operation.__doc__


def test_the_drawing_shows_no_other():
    assert len(re.findall("[▲▼►]", operation.__doc__)) == len(DRAWN)


def test_the_table_is_this():
    letters = {S.ACKNOWLEDGED: "QXF", S.QUEUED: "SXF", S.STARTED: "QCXF", S.COMPLETED: "", S.CANCELLED: "", S.FAILED: ""}
    names = {"Q": S.QUEUED, "S": S.STARTED, "C": S.COMPLETED, "X": S.CANCELLED, "F": S.FAILED}
    assert {status: {names[letter] for letter in nexts} for status, nexts in letters.items()} == TRANSITIONS
    assert {S.COMPLETED, S.CANCELLED, S.FAILED} == FINAL


@pytest.mark.parametrize("to", Status)
@pytest.mark.parametrize("status", Status)
def test_advance_goes_where_the_table_says_and_nowhere_else(status, to):
    op = an_operation(status=status, version=3)
    if to in TRANSITIONS[status]:
        assert advance(op, to, NOW + 1, heartbeat=7) == replace(op, status=to, updated_at=NOW + 1, version=4, heartbeat=7)
    else:
        with pytest.raises(Moved) as moved:
            advance(op, to, NOW + 1)
        assert (moved.value.code, moved.value.problem.facts["status"]) == (Code.FINAL, status.value)


# ---------------------------------------------------------------- only advance assigns a status


def assignments(tree):
    """Functions that say `status=` in a call, or assign to `.status`; calls of problems and refusals name a status and set none."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            call = isinstance(node, ast.Call) and any(word.arg == "status" for word in node.keywords)
            told = call and ast.unparse(node.func) in {"Moved", "UploadError", "problem"}
            assigned = isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store)
            if (call and not told) or assigned:
                yield function.name


def test_advance_is_the_only_function_that_assigns_a_status():
    found = {(path.name, name) for path in sorted(CORE.glob("*.py")) for name in assignments(ast.parse(path.read_text()))}
    assert found == {("operation.py", "advance")}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(op): return replace(op, status=1)", ["f"]),
        ("def f(op): op.status = 1", ["f"]),
        ("def f(op): return Operation(status=S.QUEUED)", ["f"]),
        ("def f(op): raise Moved(Code.FINAL, status=op.status)", []),
    ],
)
def test_the_search_would_find_another(source, found):
    assert list(assignments(ast.parse(source))) == found


# ---------------------------------------------------------------- the steps

STEPS = {
    "queue": operation.queue,
    "resend": operation.resend,
    "claim": operation.claim,
    "beat": lambda op, now: operation.beat(op, 1, now),
    "fail": lambda op, now: operation.fail(op, problem(Code.TRUNCATED), now),
    "cancel": lambda op, now: operation.finish(op, S.CANCELLED, now),
    "complete": lambda op, now: operation.finish(op, S.COMPLETED, now),
    "lose": lambda op, now: operation.lose(op, 9, now),
    "falter": operation.falter,
}
FROM = {
    "queue": {S.ACKNOWLEDGED, S.STARTED},
    "resend": {S.QUEUED},
    "claim": {S.QUEUED},
    "beat": {S.STARTED},
    "fail": {S.ACKNOWLEDGED, S.QUEUED, S.STARTED},
    "cancel": {S.ACKNOWLEDGED, S.QUEUED, S.STARTED},
    "complete": {S.STARTED},
}


@pytest.mark.parametrize(("name", "starts"), FROM.items(), ids=FROM)
def test_a_step_is_taken_only_from_the_states_that_have_it(name, starts):
    taken = {status for status in Status if not refused(lambda status=status: STEPS[name](an_operation(status=status, attempt=1), NOW))}
    assert taken == starts


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30), st.integers(1, 1000))
def test_a_final_state_never_changes_and_every_step_counts_a_version(names, pace):
    op, now = an_operation(), NOW
    for name in names:
        now += pace
        try:
            after = STEPS[name](op, now)
        except Moved:
            continue
        assert not op.final
        assert after.version == op.version + 1
        assert (after.id, after.created_at, after.attempt >= op.attempt) == (op.id, op.created_at, True)
        op = after
    assert not op.final or all(refused(lambda name=name: STEPS[name](op, now)) for name in STEPS)


@pytest.mark.parametrize(
    ("status", "attempt", "mine", "owned"),
    [(S.STARTED, 2, 2, True), (S.STARTED, 3, 2, False), (S.QUEUED, 2, 2, False), (S.CANCELLED, 2, 2, False)],
)
def test_only_the_attempt_that_claimed_it_owns_it(status, attempt, mine, owned):
    op = an_operation(status=status, attempt=attempt)
    assert refused(lambda: operation.own(op, mine)) is not owned
    assert refused(lambda: operation.beat(op, mine, NOW)) is not owned


def test_a_claim_begins_a_new_attempt_with_a_lease():
    op = operation.claim(an_operation(status=S.QUEUED, attempt=1, heartbeat=9, resend_at=5.0), NOW)
    assert (op.attempt, op.heartbeat, op.lease, op.resend_at) == (2, 0, NOW + timing.LEASE, None)
    later = operation.beat(op, 2, NOW + 5)
    assert (later.heartbeat, later.lease) == (1, NOW + 5 + timing.LEASE)


def test_waits_before_sending_again_double_up_to_a_bound():
    op, waits = operation.queue(an_operation(), NOW), []
    for _ in range(7):
        waits.append(op.resend_at - NOW)
        op = operation.resend(op, NOW)
    assert waits == [45, 90, 180, 360, 600, 600, 600]


@pytest.mark.parametrize(("most", "statuses"), [(1, [S.FAILED]), (3, [S.QUEUED, S.QUEUED, S.FAILED])])
def test_lost_workers_are_counted_up_to_the_limit(most, statuses):
    op, seen = operation.queue(an_operation(), NOW), []
    for _ in statuses:
        op = operation.lose(operation.claim(op, NOW), most, NOW)
        seen.append(op.status)
    assert seen == statuses
    assert op.problem.code is Code.WORKER_LOST


def test_faults_spend_a_time_budget_and_no_attempts():
    op, now, waits = operation.queue(an_operation(), NOW), NOW, []
    while op.status is S.QUEUED:
        op = operation.falter(operation.claim(op, now), now)
        if op.status is S.QUEUED:
            waits.append(op.resend_at - now)
            now = op.resend_at
    assert waits[:6] == [5, 10, 20, 40, 80, 120]
    assert set(waits[6:]) == {120}
    assert op.problem.code is Code.STORE_FAULT
    assert timing.FAULT_BUDGET < now - NOW <= timing.FAULT_BUDGET + timing.FAULT_BACKOFF_MOST
    assert op.losses == 0


def test_waits_stay_what_they_are_however_often_they_were_doubled():
    for tries in (40, 1024, 100_000):
        sent = operation.resend(an_operation(status=S.QUEUED, sends=tries), NOW)
        assert sent.resend_at - NOW == timing.RESEND_MOST
        failed = operation.falter(an_operation(status=S.STARTED, faults=tries), NOW)
        assert failed.resend_at - NOW == timing.FAULT_BACKOFF_MOST


def test_a_final_operation_is_kept_as_long_as_was_promised():
    op = operation.fail(an_operation(status=S.STARTED, lease=5.0, resend_at=6.0), problem(Code.TRUNCATED), NOW + 100)
    assert (op.expires_at, op.lease, op.resend_at, op.final) == (NOW + 600, None, None, True)
