"""The catalogue of paid services: name → URL.

Its entries are the owner's own configuration and hence trusted; the names that it is asked for are not.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paygent.errors import InvalidInput, UnknownService
from paygent.evm.abi import parse_address

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PRICE = re.compile(r"(?=.*[1-9])[0-9]{1,78}(\.[0-9]{1,78})?")
_ARTICLES = frozenset({"the", "a", "an"})
_KINDS = frozenset({"api", "service"})
_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Service:
    """A paid HTTP endpoint. `price` is decimal text in the wallet's token, `pay_to` an address (0x, 40 hex digits).

    Raises InvalidInput or UnsafeDestination when built.
    """

    name: str
    url: str
    method: str = "GET"
    description: str = ""
    pay_to: str | None = None
    price: str | None = None
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        from paygent.outbound import check_url  # noqa: PLC0415 - it brings an HTTP client; naming services needs none

        for name in self.names:
            if not name.strip() or not name.isprintable() or len(name) > 100:
                raise InvalidInput(f"{name[:100]!r} is no service name. Write one line of up to 100 characters.")
        object.__setattr__(self, "url", check_url(self.url))
        if self.method not in _METHODS:
            raise InvalidInput(f"The method {self.method!r} is none of {', '.join(_METHODS)}.")
        if self.pay_to is not None:
            parse_address(self.pay_to)
        if self.price is not None and not _PRICE.fullmatch(self.price):
            raise InvalidInput(f"The price {self.price!r} is no positive decimal number. Write it like 0.10.")

    @property
    def names(self) -> tuple[str, ...]:
        """The name, then the aliases."""
        return (self.name, *self.aliases)


class Catalogue:
    """Services by name and by request. Two services never share a spelling or a request; InvalidInput when they would."""

    def __init__(self, services: Iterable[Service] = ()) -> None:
        self.services: tuple[Service, ...] = tuple(services)
        self._by_name: dict[str, Service] = {}
        self._by_core: dict[str, list[Service]] = {}
        self._by_request: dict[tuple[str, ...], Service] = {}
        for service in self.services:
            other = self._by_request.setdefault(_request(service.url, service.method), service)
            if other is not service:
                raise InvalidInput(
                    f"{other.name!r} and {service.name!r} are the same request, {service.method} {service.url}. "
                    "Make it one service; other names of it are its aliases."
                )
            for name in service.names:
                spelling = _spelling(name)
                if spelling in self._by_name:
                    raise InvalidInput(
                        f"The name {name!r} is given twice, to {self._by_name[spelling].name!r} and to "
                        f"{service.name!r}. Give each service names of its own."
                    )
                self._by_name[spelling] = service
                alike = self._by_core.setdefault(_core(spelling), [])
                if service not in alike:
                    alike.append(service)

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read a TOML file of `[[service]]` tables, whose keys are the fields of `Service`.

        Raises InvalidInput that names the file, the service and what to do.
        """
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInput(
                f"The catalogue {path} cannot be read ({error.strerror}). Create it or name another."
            ) from error
        except ValueError as error:
            raise InvalidInput(f"The catalogue {path} is no TOML: {error}. Correct it there.") from error
        tables = document.pop("service", [])
        if document or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            wrong = f"key {next(iter(document))!r}" if document else "single 'service'"
            raise InvalidInput(f"The catalogue {path} has a {wrong}. Write each service as a [[service]] table.")
        try:
            return cls([_service(number, table) for number, table in enumerate(tables, start=1)])
        except InvalidInput as error:
            raise InvalidInput(f"The catalogue {path}: {error.detail}") from error

    def at(self, url: str, method: str) -> Service | None:
        """The service that this request is; None when it is none of them. `url` as `outbound.check_url` gives it."""
        return self._by_request.get(_request(url, method))

    def candidates(self, name: str) -> tuple[Service, ...]:
        """The services that `name` may mean: by its exact words first, then without article and `api`/`service`."""
        spelling = _spelling(name)
        for exact in (spelling, _without_article(spelling)):
            if exact in self._by_name:
                return (self._by_name[exact],)
        return tuple(self._by_core.get(_core(spelling), ()))

    def find(self, name: str) -> Service:
        """The one service of this name; case, blanks, a leading article and a trailing `api` or `service` aside.

        Raises UnknownService when there is none (`facts`: `services`, `nearest`) or more than one (`candidates`).
        """
        found = self.candidates(name)
        if len(found) == 1:
            return found[0]
        if found:
            names = [service.name for service in found]
            raise UnknownService(f"{name[:80]!r} may be {_listed(names, 'or')}. Say which.", candidates=names)
        names = [service.name for service in self.services]
        if not names:
            raise UnknownService(
                f"No service is called {name[:80]!r}: the catalogue is empty.", services=[], nearest=[]
            )
        close = difflib.get_close_matches(_core(_spelling(name))[:100], self._by_core, n=3)
        nearest = list(dict.fromkeys(service.name for core in close for service in self._by_core[core]))
        hint = f" Did you mean {_listed(nearest, 'or')}?" if nearest else ""
        raise UnknownService(
            f"No service is called {name[:80]!r}.{hint} There is {_listed(names, 'and')}.",
            services=names,
            nearest=nearest,
        )


def _service(number: int, table: Mapping[str, Any]) -> Service:
    label = f"service {table['name']!r}" if isinstance(table.get("name"), str) else f"service number {number}"
    known = {field.name for field in fields(Service)}
    for key in table:
        if key not in known:
            raise InvalidInput(f"{label} has an unknown key {key!r}. The keys are {', '.join(sorted(known))}.")
    for key in ("name", "url"):
        if key not in table:
            raise InvalidInput(f"{label} has no {key}. Add it.")
    values = dict(table)
    aliases = values.pop("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise InvalidInput(f'{label}: aliases must be a list of texts. Write aliases = ["prices"].')
    for key, value in values.items():
        if not isinstance(value, str):
            raise InvalidInput(f'{label}: {key} must be text. Write {key} = "{value}", in quotes.')
    try:
        return Service(**values, aliases=tuple(aliases))
    except InvalidInput as error:
        raise InvalidInput(f"{label}: {error.detail}") from error


def _request(url: str, method: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return (method, parts.scheme, (parts.hostname or "").lower(), str(port), parts.path or "/", parts.query)


def _spelling(name: str) -> str:
    return " ".join(name.casefold().split())


def _without_article(spelling: str) -> str:
    first, _, others = spelling.partition(" ")
    return others if first in _ARTICLES and others else spelling


def _core(spelling: str) -> str:
    others, _, last = _without_article(spelling).rpartition(" ")
    return others if last in _KINDS and others else _without_article(spelling)


def _listed(names: list[str], conjunction: str) -> str:
    shown = [f"{name!r}" for name in names[:_SHOWN_MAX]]
    if len(names) > _SHOWN_MAX:
        shown.append(f"{len(names) - _SHOWN_MAX} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {conjunction} {shown[-1]}"
