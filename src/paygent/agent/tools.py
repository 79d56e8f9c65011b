"""What the agent may do: propose intents. Typed arguments in, an `IntentRequest` out; it reaches no key and no chain."""

from __future__ import annotations

from paygent.money import Amount, Asset
from paygent.payments.action import Purchase
from paygent.registry.catalogue import Catalogue
from paygent.x402.client import HttpRequest


def symbols_of(asset: Asset) -> dict[str, str]:
    """What a person may call `asset`, upper-case, to its symbol: `USDC` and `USDC.E` for `USDC.e`."""
    names = {asset.symbol, asset.symbol.removesuffix(".e"), asset.symbol.removeprefix("dev").removesuffix(".e")}
    return {name.upper(): asset.symbol for name in names}


def purchase(http: HttpRequest, *, amount_max: str | None, catalogue: Catalogue, asset: Asset) -> Purchase:
    """Buy `http` for at most `amount_max` (decimal text). What the owner knows of its seller holds, however it is named.

    Raises InvalidAmount.
    """
    service = catalogue.at(http.url, http.method)
    return Purchase(
        http,
        amount_max=None if amount_max is None else Amount.parse_positive(amount_max, asset),
        price=None if service is None or service.price is None else Amount.parse_positive(service.price, asset),
        pay_to=None if service is None or service.pay_to is None else service.pay_to.lower(),
    )
