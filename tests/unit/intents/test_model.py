"""The state machine has the arrows of its picture, and a request's digest tells requests apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paygent.intents.model import TRANSITIONS, IntentRequest, State


def test_every_state_can_be_reached_and_every_path_ends() -> None:
    reached, frontier = {State.PROPOSED}, [State.PROPOSED]
    while frontier:
        for state in TRANSITIONS[frontier.pop()]:
            if state not in reached:
                reached.add(state)
                frontier.append(state)
    assert reached == set(State)
    assert {state for state in State if state.is_final} == {State.DENIED, State.FAILED, State.SETTLED}


def test_what_may_have_left_the_process_ends_by_the_chain_alone() -> None:
    assert State.FAILED not in TRANSITIONS[State.SUBMITTED]
    assert {state for state, to in TRANSITIONS.items() if State.SUBMITTED in to} == {State.SIGNED}
    assert {state for state, to in TRANSITIONS.items() if State.SIGNED in to} == {State.HELD}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), json_values), st.dictionaries(st.text(), json_values))
def test_requests_have_the_same_digest_exactly_when_they_are_the_same(a: dict, b: dict) -> None:
    same_in_other_order = IntentRequest("s", "k", dict(reversed(a.items())))
    assert same_in_other_order.digest == IntentRequest("s", "k", a).digest
    differ = repr(sorted(a.items())) != repr(sorted(b.items()))
    if differ and a != b:
        assert IntentRequest("s", "k", a).digest != IntentRequest("s", "k", b).digest
    assert IntentRequest("s", "k", a).digest != IntentRequest("t", "k", a).digest
