"""The pure steps between the states of an upload."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import upload
from app.core.errors import Code, Moved
from app.core.policy import Policy
from app.core.refs import Kind, Ref
from app.core.upload import Staged, State, Upload

END = 1000.0  # the deadline
ELSEWHERE = Staged("staging/t/u", session="s", etag="e", size=4)


def an_upload(**fields):
    return replace(Upload("u", "t", "me", "v1", Policy(), "o", Staged("staging/t/u"), 0.0, END, 10), **fields)


STEPS = {
    "append": lambda up, now: upload.append(up, 4, ELSEWHERE, now),
    "finish": lambda up, now: upload.finish(up, 9, now),
    "cancel": upload.cancel,
    "expire": upload.expire,
    "condemn": upload.condemn,
}
CLOSED = {
    State.FINISHED: Code.FINISHED,
    State.ATTACHED: Code.FINISHED,
    State.CANCELLED: Code.UPLOAD_CANCELLED,
    State.EXPIRED: Code.UPLOAD_EXPIRED,
}

# (step, state, now) -> what changes, or the code of the refusal
TABLE = [
    ("append", State.OPEN, END, {"offset": 4, "staged": ELSEWHERE, "verifying": False}),
    ("append", State.OPEN, END + 0.1, Code.UPLOAD_EXPIRED),
    *(("append", state, 1.0, code) for state, code in CLOSED.items()),
    ("finish", State.OPEN, END, {"state": State.FINISHED, "length": 9, "offset": 9}),
    ("finish", State.OPEN, END + 0.1, Code.UPLOAD_EXPIRED),
    *(("finish", state, 1.0, code) for state, code in CLOSED.items()),
    ("cancel", State.OPEN, 1.0, {"state": State.CANCELLED, "doomed_at": 1.0}),
    ("cancel", State.OPEN, END + 5, {"state": State.CANCELLED, "doomed_at": END + 5}),
    ("cancel", State.FINISHED, 1.0, {"state": State.CANCELLED, "doomed_at": 1.0}),
    *(("cancel", state, 1.0, code) for state, code in CLOSED.items() if state is not State.FINISHED),
    ("expire", State.OPEN, END + 0.1, {"state": State.EXPIRED, "doomed_at": END + 0.1}),
    ("expire", State.OPEN, END, Code.FINISHED),
    *(("expire", state, END + 5, Code.FINISHED) for state in CLOSED),
    *(("condemn", state, 3.0, {"doomed_at": 3.0}) for state in State),
]


@pytest.mark.parametrize(("step", "state", "now", "outcome"), TABLE)
def test_a_step_changes_this_and_nothing_else_or_is_refused(step, state, now, outcome):
    up = an_upload(state=state, version=3, verifying=True)
    if isinstance(outcome, Code):
        with pytest.raises(Moved) as moved:
            STEPS[step](up, now)
        assert moved.value.code is outcome
    else:
        assert STEPS[step](up, now) == replace(up, version=4, **outcome)


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 300)), max_size=20))
def test_an_upload_that_is_closed_never_opens_again(steps):
    up, now = an_upload(), 0.0
    for name, wait in steps:
        now += wait
        before = up
        try:
            up = STEPS[name](up, now)
        except Moved:
            continue
        assert up.version == before.version + 1
        assert before.state is State.OPEN or up.state in {before.state, State.CANCELLED}
        assert before.state not in {State.CANCELLED, State.EXPIRED} or up.state is before.state
        assert (up.state not in {State.CANCELLED, State.EXPIRED}) or up.doomed_at is not None


@given(st.floats(0, 2 * END))
def test_at_every_moment_an_open_upload_either_takes_bytes_or_expires(now):
    def allowed(step):
        try:
            STEPS[step](an_upload(), now)
        except Moved:
            return False
        return True

    assert [allowed("append"), allowed("finish"), allowed("expire")] in ([True, True, False], [False, False, True])


def test_every_state_but_open_has_its_code():
    assert {State(state): code for state, code in upload.CLOSED.items()} == CLOSED
    assert set(upload.CLOSED) == set(State) - {State.OPEN}


def test_the_names_of_what_belongs_to_it():
    up = an_upload()
    assert (up.ref, up.parts_ref, up.operation_ref) == (
        Ref(Kind.UPLOAD, "t", "u"),
        Ref(Kind.PARTS, "t", "u"),
        Ref(Kind.OPERATION, "t", "o"),
    )
