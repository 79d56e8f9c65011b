"""Money is integers: an `Amount` is base units of an `Asset`. Text becomes money once, here; no float ever does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from paygent.errors import InvalidAmount

ChainId = int
"""EIP-155 chain id, e.g. 338."""

UINT256_MAX = 2**256 - 1
_DECIMAL = re.compile(r"(?a:(\d{1,78})(?:\.(\d{1,78}))?)")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Asset:
    """A token on one chain. `address` is lower-case hex; `decimals` is the token's own."""

    chain_id: ChainId
    address: str
    symbol: str
    decimals: int

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise ValueError(f"asset address must be 0x and 40 lower-case hex digits, not {self.address!r}")
        if not 0 <= self.decimals <= 77:
            raise ValueError(f"decimals must lie in 0..77, not {self.decimals}")

    @property
    def id(self) -> str:
        """CAIP-19 identifier, e.g. `eip155:338/erc20:0xc01e…`."""
        return f"eip155:{self.chain_id}/erc20:{self.address}"

    @property
    def network(self) -> str:
        """CAIP-2 identifier of the asset's chain, e.g. `eip155:338`."""
        return f"eip155:{self.chain_id}"


@dataclass(frozen=True, slots=True)
class Amount:
    """`base_units` of `asset`: never negative, never more than a uint256 holds."""

    base_units: int
    asset: Asset

    def __post_init__(self) -> None:
        if type(self.base_units) is not int:
            raise TypeError(f"base units are an int, not {type(self.base_units).__name__}")
        if not 0 <= self.base_units <= UINT256_MAX:
            raise InvalidAmount(f"{self.base_units} base units do not fit a uint256.")

    @classmethod
    def parse(cls, text: str, asset: Asset) -> Amount:
        """Read plain decimal text such as `0.10` exactly; reject what the asset cannot represent.

        Raises InvalidAmount for signs, exponents, separators, blanks, and more decimals than the asset has.
        """
        if not isinstance(text, str):
            raise InvalidAmount(f"An amount is text such as '0.10', not a {type(text).__name__}.")
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise InvalidAmount(
                f"{text[:80]!r} is not an amount. Write a plain decimal number such as 0.10, "
                "without sign, exponent or separators."
            )
        whole, fraction = match[1], (match[2] or "")
        kept, excess = fraction[: asset.decimals], fraction[asset.decimals :]
        if excess.strip("0"):
            raise InvalidAmount(
                f"{text} is finer than {asset.symbol}, which has {asset.decimals} decimals. "
                f"Write at most {asset.decimals} digits after the point."
            )
        base_units = int(whole + kept.ljust(asset.decimals, "0"))
        if base_units > UINT256_MAX:
            raise InvalidAmount(f"{text} {asset.symbol} is more than any token can hold.")
        return cls(base_units, asset)

    @classmethod
    def parse_positive(cls, text: str, asset: Asset) -> Amount:
        """As `parse`, and zero is refused: a payment of nothing is a mistake."""
        amount = cls.parse(text, asset)
        if amount.base_units == 0:
            raise InvalidAmount(f"The amount must be more than zero, not {text} {asset.symbol}.")
        return amount

    def as_dict(self) -> dict[str, Any]:
        """JSON-able and exact: base units as text, because JSON's numbers are floats to many readers."""
        return {"base_units": str(self.base_units), "text": self.text, "asset": asdict(self.asset)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Amount:
        """The inverse of `as_dict`."""
        return cls(int(data["base_units"]), Asset(**data["asset"]))

    @property
    def text(self) -> str:
        """Exact decimal text, at least two decimals where the asset has them: `0.10`, `1.50`, `0.000001`."""
        digits = str(self.base_units).rjust(self.asset.decimals + 1, "0")
        if self.asset.decimals == 0:
            return digits
        whole, fraction = digits[: -self.asset.decimals], digits[-self.asset.decimals :]
        shown = fraction.rstrip("0").ljust(min(2, self.asset.decimals), "0")
        return f"{whole}.{shown}"

    def __str__(self) -> str:
        return f"{self.text} {self.asset.symbol}"

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.base_units + self._units_of(other), self.asset)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.base_units - self._units_of(other), self.asset)

    def __le__(self, other: Amount) -> bool:
        return self.base_units <= self._units_of(other)

    def __lt__(self, other: Amount) -> bool:
        return self.base_units < self._units_of(other)

    def _units_of(self, other: Amount) -> int:
        if other.asset != self.asset:
            raise ValueError(f"cannot combine {self.asset.id} with {other.asset.id}")
        return other.base_units
