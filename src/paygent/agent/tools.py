"""What the agent may do: propose intents. Typed arguments in, an `IntentRequest` out; it reaches no key and no chain."""

from __future__ import annotations

from paygent.agent.planner.planner import Plan
from paygent.money import Amount, Asset
from paygent.payments.action import Purchase
from paygent.x402.client import HttpRequest


def symbols_of(asset: Asset) -> dict[str, str]:
    """What a person may call `asset`, upper-case, to its symbol: `USDC` and `USDC.E` for `USDC.e`."""
    names = {asset.symbol, asset.symbol.removesuffix(".e"), asset.symbol.removeprefix("dev").removesuffix(".e")}
    return {name.upper(): asset.symbol for name in names}


def purchase(plan: Plan, asset: Asset) -> Purchase:
    """The purchase that `plan` proposes. Raises InvalidAmount or UnsafeDestination."""
    service = plan.service
    return Purchase(
        HttpRequest(plan.url, plan.method),
        amount_max=Amount.parse_positive(plan.amount_max, asset),
        price=None if service is None or service.price is None else Amount.parse_positive(service.price, asset),
        pay_to=None if service is None or service.pay_to is None else service.pay_to.lower(),
    )
