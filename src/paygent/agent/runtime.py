"""From a sentence to an intent's request: plan, or ask back. What executes it is the engine, for agents as for everyone."""

from __future__ import annotations

from dataclasses import dataclass

from paygent.agent import tools
from paygent.agent.planner.planner import Plan, Question, plan
from paygent.errors import Unclear
from paygent.intents.model import IntentRequest
from paygent.money import Asset
from paygent.registry.catalogue import Catalogue
from paygent.x402.client import HttpRequest


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the agent understood, and the intent that it proposes."""

    plan: Plan
    request: IntentRequest


def propose(text: str, *, session_id: str, catalogue: Catalogue, asset: Asset) -> Proposal:
    """A proposal. Raises Unclear, with a question, where anything is unclear; InvalidInput for an amount that is none."""
    understood = plan(text, catalogue, symbols=tools.symbols_of(asset))
    if isinstance(understood, Question):
        raise Unclear(understood.text, about=understood.about)
    http = HttpRequest(understood.url, understood.method)
    purchase = tools.purchase(http, amount_max=understood.amount_max, catalogue=catalogue, asset=asset)
    return Proposal(understood, purchase.intent_request(session_id))
