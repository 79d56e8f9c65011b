"""Others' text, shown and stored."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from paygent.text import foreign, screen, storable


@given(st.text())
def test_no_text_controls_a_terminal(text: str) -> None:
    assert foreign(text).isprintable()
    assert len(foreign(text, 20)) <= 20
    assert screen(text).replace("\n", "").replace("\t", "").isprintable()


def test_what_can_be_shown_is_shown_as_it_is() -> None:
    assert foreign("na\u00efve: 0.10 USDC") == "na\u00efve: 0.10 USDC"
    assert foreign("a" * 30, 20) == "a" * 19 + "\u2026"
    assert screen("a\n\tb") == "a\n\tb"
    # An escape sequence, and a character that turns the reading direction.
    assert foreign("\x1b[2J \u202e") == "\ufffd[2J \ufffd"


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_is_stored_is_text_that_a_database_holds(value: object) -> None:
    text = json.dumps(storable(value), ensure_ascii=False)
    assert "\0" not in text.encode().decode()
    assert "\\u0000" not in text
