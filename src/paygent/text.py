"""Others' text, made fit to be shown and stored. It stays data: nothing here interprets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def foreign(text: object, limit: int = 200) -> str:
    """One line of at most `limit` characters: no control character reaches a terminal, no newline forges a line of ours."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in str(text)[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def screen(text: str) -> str:
    """Text of several lines for a terminal: as `foreign`, but for line ends and tabs."""
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)


def storable(value: Any) -> Any:
    """A JSON value as PostgreSQL can store it: its text type holds no NUL and no half of a surrogate pair."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value
