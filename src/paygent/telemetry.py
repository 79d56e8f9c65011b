"""Structured logs on stderr: one event with ids a line, never a secret.

`payment.settled intent_id=… transaction=…`. Fields whose name says that they hold a secret are replaced before anything
is written, so that a careless call site cannot leak one.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

_SECRET = re.compile(
    r"(secret|password|private_?key|api_?key|signature|authorization|token_value|mnemonic|seed|cookie)",
    re.IGNORECASE,
)
_HEX_SECRET = re.compile(r"0x[0-9a-fA-F]{128,}")


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if _SECRET.search(name):
            event[name] = "[redacted]"
        elif isinstance(value, str):
            event[name] = _HEX_SECRET.sub("[redacted]", value)
    return event


class _Stderr:
    """Whatever stderr is by now. One that nobody reads any more loses its lines, and stops no payment."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure_logging(*, level: str = "info", json: bool = False) -> None:
    """Send every log of this process to stderr at `level`, as lines for people or as JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)


def get_logger(name: str) -> Any:
    """A structlog logger bound to the module's name."""
    return structlog.get_logger(module=name)
