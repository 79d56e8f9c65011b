"""How commands speak: results on stdout, everything else on stderr, errors with an exit code that means something."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NoReturn

import typer

from paygent import errors
from paygent.cli.exit_codes import (
    EXIT_DENIED,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_SELLER,
    EXIT_UNAVAILABLE,
    EXIT_UNEXPECTED,
)
from paygent.errors import InvalidInput, PaygentError
from paygent.telemetry import get_logger
from paygent.text import foreign

log = get_logger(__name__)


def exit_code(reason: Mapping[str, Any]) -> int:
    """The exit code for an error as it is stored with an intent."""
    code = reason.get("code")
    if "http_status" in reason.get("facts", {}):
        # It answered, and delivered nothing.
        return EXIT_SELLER
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, PaygentError) and error.code == code:
            return _exit_code_of(error)
    return EXIT_UNEXPECTED


def _exit_code_of(error: type[PaygentError]) -> int:
    if issubclass(error, errors.PolicyDenied | errors.InsufficientBalance | errors.OverLimit):
        return EXIT_DENIED
    if issubclass(error, errors.InvalidInput | errors.NotFound | errors.IdempotencyConflict | errors.Unauthorized):
        return EXIT_INPUT
    if issubclass(error, errors.QuoteMismatch | errors.PaymentRefused):
        return EXIT_SELLER
    return EXIT_UNAVAILABLE if issubclass(error, errors.Unavailable) else EXIT_UNEXPECTED


def run(make: Callable[[], Coroutine[Any, Any, int]], *, as_json: bool, resumes: bool = False) -> NoReturn:
    """Run a command's coroutine; its result is the exit code. An error is told as a sentence, or as JSON.

    Every signal that asks it to end is taken as Ctrl-C. `resumes` says that it goes on where it was interrupted.
    """
    for number in stop_signals():
        if number != signal.SIGINT:
            signal.signal(number, _interrupt)
    try:
        code = asyncio.run(make())
    except PaygentError as error:
        fail(error, as_json=as_json)
    except KeyboardInterrupt:
        hint = " What was begun is stored; run the same command again to resume it." if resumes else ""
        note(f"Interrupted.{hint}")
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _give_up_stdout()
        code = EXIT_UNEXPECTED
    except OSError as error:
        if error.filename is None:
            _give_up_stdout()
        where = f"{error.filename}: " if error.filename else ""
        fail(InvalidInput(f"{where}{error.strerror or error}."), as_json=as_json and error.filename is not None)
    except Exception as error:
        log.debug("command.failed", exc_info=error)
        said = f"{type(error).__name__}: {foreign(error)}"
        hint = "What was begun is stored. PAYGENT_LOG_LEVEL=debug shows where it happened."
        fail(PaygentError(f"Something unexpected went wrong ({said}). {hint}"), as_json=as_json)
    raise typer.Exit(code)


def _give_up_stdout() -> None:
    """What is still buffered would fail once more at exit, with a code of Python's own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(*_: object) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def stop_signals() -> list[signal.Signals]:
    """The signals that ask a process to end, without those that whoever started it chose to ignore (`nohup`, `&`)."""
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [number for number in asking if signal.getsignal(number) is not signal.SIG_IGN]


def can_ask() -> bool:
    """Whether a person is at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, default: bool) -> bool:
    """What a person says to a question with yes and no. Raises KeyboardInterrupt when it is not answered."""
    # asyncio's handler of Ctrl-C would only ask the loop to cancel, and the loop waits for the answer here.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(question, default=default, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, handler)


def fail(error: PaygentError, *, as_json: bool) -> NoReturn:
    """Tell `error` and leave with its exit code."""
    if as_json:
        with suppress(OSError, ValueError):
            emit({"error": error.as_dict()})
    else:
        # A question is not a failure of anything.
        note(error.detail if isinstance(error, errors.Unclear) else f"Error: {error.detail}")
    raise typer.Exit(_exit_code_of(type(error)))


def emit(document: Any) -> None:
    """One JSON document on stdout, on one line."""
    sys.stdout.write(json.dumps(document, default=_plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def note(text: str = "") -> None:
    """A line for people, on stderr, so that stdout can be piped. Where nobody reads it, nothing stops for that."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
