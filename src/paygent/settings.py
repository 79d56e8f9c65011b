"""Every setting, as a `PAYGENT_*` variable or a line in `.env`. Only `bootstrap` and `cli` read them."""

from __future__ import annotations

import difflib
import io
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from dotenv.parser import Binding, parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from paygent.errors import InvalidInput

PREFIX = "PAYGENT_"
ENV_FILE = ".env"
_AMOUNT = re.compile(r"(?=.*[1-9])[0-9]{1,30}(\.[0-9]{1,30})?")
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class Settings(BaseSettings):
    """What an operator may set. Amounts are decimal text in the wallet's token."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        extra="ignore",  # `.env` may hold other programs' lines; ours are looked at by `wrong_settings`
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(Path("~/.paygent"), description="Where keys, the embedded database and the devnet's state live.")
    network: Literal["devnet", "cronos-testnet", "cronos"] = Field(
        "devnet", description="The chain that is paid on: devnet, cronos-testnet or cronos."
    )
    chain_id: int = Field(338, gt=0, lt=2**63, description="The devnet's chain id; other networks have their own.")
    rpc_url: str | None = Field(None, description="An EVM node. The devnet that `paygent up` started is found without.")
    token_address: str | None = Field(
        None, pattern="^0x[0-9a-fA-F]{40}$", description="Another EIP-3009 token to pay with than the network's USDC.e."
    )
    database_url: SecretStr | None = Field(
        None, description="A PostgreSQL of yours, postgresql://…; without it an embedded one is started."
    )
    keystore_password: SecretStr | None = Field(
        None, description="Encrypts the wallet's key; without it a random one is kept beside the key."
    )
    payment_max: str = Field("1.00", description="The most that one payment may cost.")
    session_budget: str = Field(
        "10.00",
        description="The most that may be spent in all. It is one for all processes: the last that spends or serves sets it.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Hosts that may be paid, comma separated, besides those in the catalogue of services."
    )
    services: Path | None = Field(
        None, description="The catalogue of services, TOML; default: services.toml in the home."
    )
    lease_seconds: float = Field(15, gt=0, le=600, description="How long a crashed process blocks its intents.")
    anvil: str | None = Field(
        None, description="The devnet's chain binary, if it is neither installed here nor on PATH."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="What is logged to stderr.")
    log_json: bool = Field(False, description="Logs as JSON instead of as lines for people.")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(host.strip().lower() for host in value.split(",") if host.strip())
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_HOST.fullmatch(host) for host in value):
            raise ValueError(
                "write hosts, with a port where one is meant, and no http://: api.example.com,127.0.0.1:9000"
            )
        return value

    @field_validator("payment_max", "session_budget")
    @classmethod
    def _is_amount(cls, value: str) -> str:
        if not _AMOUNT.fullmatch(value):
            raise ValueError("write an amount of more than zero, such as 0.10")
        return value

    @field_validator("rpc_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("it must begin with postgresql://")
        return value

    @field_validator("home", "services")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()


def load_settings() -> Settings:
    """The settings. Raises InvalidInput that names every variable that is wrong, or that looks like ours and is none.

    A mistyped limit must not be passed over.
    """
    wrong = [f"{name} {problem}" for name, problem in wrong_settings().items()]
    if wrong:
        raise InvalidInput("; ".join(wrong))
    return Settings()


def wrong_settings() -> dict[str, str]:
    """What is wrong with which variable; values, which may be secret, are not quoted."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    try:
        lines = _lines(Path(ENV_FILE))
    except (OSError, ValueError):
        return {ENV_FILE: "cannot be read: it must be a text file in UTF-8."}
    wrong = {
        f"Line {line.original.line} of {ENV_FILE}": "is none of the form NAME=value."
        for line in lines
        if line.error or (line.value is None and (line.key or "").upper().startswith(PREFIX))
    }
    if wrong:
        return wrong
    for name in sorted({*os.environ, *(line.key for line in lines if line.key)}):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1)
            wrong[name] = "is no setting" + (f": did you mean {nearest[0]}?" if nearest else ".")
    try:
        Settings()
    except ValidationError as error:
        for problem in error.errors():
            said = problem["msg"].removeprefix("Value error, ")
            wrong[PREFIX + str(problem["loc"][0]).upper()] = f"is wrong: {said}."
    return wrong


def _lines(path: Path) -> list[Binding]:
    """The file as python-dotenv reads it, which passes over what it cannot read."""
    if not path.exists():
        return []
    return list(parse_stream(io.StringIO(path.read_text(encoding="utf-8"))))
