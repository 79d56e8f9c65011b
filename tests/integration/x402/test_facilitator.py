"""Our facilitator over HTTP, asked by the official client with payments signed by the official scheme."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from eth_account.signers.local import LocalAccount
from x402.http import FacilitatorConfig, HTTPFacilitatorClient

from paygent.evm.abi import encode_call
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import TransactionSender
from paygent.x402.types import PaymentPayload, PaymentRequirements, authorization_of
from tests.support.chain import send
from tests.support.paying import SELLER, pay


@pytest.fixture
async def client(facilitator_url: str) -> AsyncIterator[HTTPFacilitatorClient]:
    """The official client of our facilitator."""
    opened = HTTPFacilitatorClient(FacilitatorConfig(url=facilitator_url))
    yield opened
    await opened.aclose()


async def test_a_good_payment_verifies_and_settles(
    client: HTTPFacilitatorClient, token: Eip3009Token, payer: LocalAccount, requirements: PaymentRequirements
) -> None:
    payment = pay(payer, requirements)
    verified = await client.verify(payment, requirements)
    assert verified.is_valid, verified
    settled = await client.settle(payment, requirements)
    assert settled.success, settled
    assert settled.payer == payer.address.lower()
    assert (await token.balance(SELLER)).base_units == 100
    assert (await token.balance(payer.address)).base_units == 900


async def settle(http: aiohttp.ClientSession, url: str, payment: PaymentPayload, claim: str) -> dict[str, Any]:
    """As our own guard asks: with a claim."""
    body = {
        "x402Version": 2,
        "paymentPayload": payment.model_dump(mode="json", by_alias=True, exclude_none=True),
        "paymentRequirements": payment.accepted.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    async with http.post(url + "/settle", json=body, headers={"idempotency-key": claim}) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def transactions_of(rpc: JsonRpc, operator: KeystoreSigner) -> int:
    return int(await rpc.call("eth_getTransactionCount", operator.address, "latest"), 16)


async def test_a_repeated_claim_makes_one_transaction_and_gets_one_answer(
    http: aiohttp.ClientSession,
    facilitator_url: str,
    rpc: JsonRpc,
    token: Eip3009Token,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
) -> None:
    payment = pay(payer, requirements)
    answers = await asyncio.gather(*(settle(http, facilitator_url, payment, "mine") for _ in range(20)))
    answers.append(await settle(http, facilitator_url, payment, "mine"))
    assert {answer["success"] for answer in answers} == {True}
    assert len({answer["transaction"] for answer in answers}) == 1
    assert await transactions_of(rpc, operator) == 1
    assert (await token.balance(SELLER)).base_units == 100


async def test_to_everybody_else_a_settled_payment_is_a_duplicate(
    client: HTTPFacilitatorClient,
    http: aiohttp.ClientSession,
    facilitator_url: str,
    rpc: JsonRpc,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
) -> None:
    """A seller takes "settled" for "deliver": many sellers, or one without a memory, must not be told so twice."""
    payment = pay(payer, requirements)
    answers = await asyncio.gather(*(client.settle(payment, requirements) for _ in range(20)))
    assert sum(answer.success for answer in answers) == 1
    others = {(answer.error_reason, answer.transaction) for answer in answers if not answer.success}
    assert others <= {("duplicate_settlement", ""), ("invalid_exact_evm_nonce_already_used", "")}
    assert (await settle(http, facilitator_url, payment, "another"))["errorReason"] == "duplicate_settlement"
    assert await transactions_of(rpc, operator) == 1
    again = await client.verify(payment, requirements)
    assert again.invalid_reason == "invalid_exact_evm_nonce_already_used"


async def test_public_call_data_settles_nothing(
    http: aiohttp.ClientSession, facilitator_url: str, payer: LocalAccount, requirements: PaymentRequirements
) -> None:
    payment = pay(payer, requirements)
    assert (await settle(http, facilitator_url, payment, "mine"))["success"]
    forged = payment.model_copy(deep=True)
    forged.payload["signature"] = "0x" + "ab" * 65
    assert (await settle(http, facilitator_url, forged, "mine"))["errorReason"] == "invalid_exact_evm_payload_signature"


async def test_what_was_settled_elsewhere_is_not_settled_here_too(
    http: aiohttp.ClientSession,
    facilitator_url: str,
    rpc: JsonRpc,
    token: Eip3009Token,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
) -> None:
    """Another facilitator did it, for another seller of the same payee: that one delivers."""
    payment = pay(payer, requirements)
    authorization, signature = authorization_of(payment.payload)
    await send(rpc, token.asset.address, authorization.call_data(signature))
    before = await transactions_of(rpc, operator)
    answer = await settle(http, facilitator_url, payment, "mine")
    assert (answer["success"], answer["errorReason"]) == (False, "invalid_exact_evm_nonce_already_used")
    assert await transactions_of(rpc, operator) == before


async def test_a_payment_that_may_expire_before_it_is_mined_is_refused(
    client: HTTPFacilitatorClient, payer: LocalAccount, requirements: PaymentRequirements
) -> None:
    soon = requirements.model_copy(update={"max_timeout_seconds": 3})
    verified = await client.verify(pay(payer, soon), soon)
    assert verified.invalid_reason == "invalid_exact_evm_payload_authorization_valid_before"


async def test_somebody_who_presents_it_first_does_not_make_it_unpaid(
    http: aiohttp.ClientSession,
    facilitator_url: str,
    rpc: JsonRpc,
    token: Eip3009Token,
    payer: LocalAccount,
    requirements: PaymentRequirements,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody may present an authorization: the seller has the money, whoever paid the gas."""
    payment = pay(payer, requirements)
    authorization, signature = authorization_of(payment.payload)
    first: list[str] = []
    broadcast = TransactionSender._broadcast

    async def outrun(self: TransactionSender, stored: Any) -> None:
        if not first:
            receipt = await send(rpc, token.asset.address, authorization.call_data(signature))
            first.append(receipt["transactionHash"])
        await broadcast(self, stored)

    monkeypatch.setattr(TransactionSender, "_broadcast", outrun)
    answer = await settle(http, facilitator_url, payment, "mine")
    assert (answer["success"], answer["transaction"]) == (True, first[0]), answer
    assert await settle(http, facilitator_url, payment, "mine") == answer
    assert (await settle(http, facilitator_url, payment, "another"))["success"] is False
    assert (await token.balance(SELLER)).base_units == 100


async def test_one_balance_pays_for_no_two_transactions(
    client: HTTPFacilitatorClient,
    rpc: JsonRpc,
    token: Eip3009Token,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
) -> None:
    """Each of ten payments takes the whole balance: nine would revert, at the facilitator's expense."""
    requirements.amount = "1000"
    payments = [pay(payer, requirements) for _ in range(10)]
    answers = await asyncio.gather(*(client.settle(payment, requirements) for payment in payments))
    assert sum(answer.success for answer in answers) == 1
    assert await transactions_of(rpc, operator) == 1
    assert (await token.balance(payer.address)).base_units == 0


@pytest.mark.parametrize("change", [{"amount": "0"}, {"pay_to": "the payer"}])
async def test_what_moves_no_money_is_not_worth_gas(
    client: HTTPFacilitatorClient,
    rpc: JsonRpc,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
    change: dict[str, str],
) -> None:
    if "pay_to" in change:
        change = {"pay_to": payer.address}
    requirements = requirements.model_copy(update=change)
    payment = pay(payer, requirements)
    for answer in (await client.verify(payment, requirements), await client.settle(payment, requirements)):
        assert "invalid_exact_evm_payload_authorization_value" in str(answer)
    assert await transactions_of(rpc, operator) == 0


async def test_supported_names_the_network_and_the_signer(
    client: HTTPFacilitatorClient, operator: KeystoreSigner
) -> None:
    supported = await asyncio.to_thread(client.get_supported)
    assert [(k.scheme, k.network, k.x402_version) for k in supported.kinds] == [("exact", "eip155:338", 2)]
    assert supported.signers == {"eip155:*": [operator.address]}


def _authorization(payment: PaymentPayload) -> dict[str, Any]:
    authorization: dict[str, Any] = payment.payload["authorization"]
    return authorization


def _break_signature(payment: PaymentPayload, _: PaymentRequirements) -> None:
    signature = payment.payload["signature"]
    payment.payload["signature"] = signature[:20] + ("0" if signature[20] != "0" else "1") + signature[21:]


Change = Callable[[PaymentPayload, PaymentRequirements], Any]
FLAWS: list[tuple[str, Change]] = [
    ("invalid_exact_evm_payload_signature", _break_signature),
    ("invalid_exact_evm_payload_signature", lambda p, _: _authorization(p).update(nonce="0x" + "00" * 32)),
    ("invalid_exact_evm_payload_recipient_mismatch", lambda p, _: _authorization(p).update(to="0x" + "66" * 20)),
    ("invalid_exact_evm_payload_authorization_value_mismatch", lambda p, _: _authorization(p).update(value="99")),
    ("invalid_exact_evm_payload_authorization_value_mismatch", lambda _, r: setattr(r, "amount", "101")),
    ("invalid_exact_evm_payload_authorization_valid_before", lambda p, _: _authorization(p).update(validBefore="9")),
    ("invalid_exact_evm_payload_authorization_valid_after", lambda p, _: _authorization(p).update(validAfter="9" * 12)),
    ("invalid_network", lambda _, r: setattr(r, "asset", "0x" + "77" * 20)),
    ("network_mismatch", lambda _, r: setattr(r, "network", "eip155:25")),
    ("unsupported_scheme", lambda _, r: setattr(r, "scheme", "upto")),
    ("unsupported_scheme", lambda _, r: setattr(r, "extra", {"assetTransferMethod": "permit2"})),
    ("invalid_exact_evm_token_version_mismatch", lambda _, r: setattr(r, "extra", {"version": "2"})),
    ("invalid_payload", lambda p, _: p.payload.pop("authorization")),
    ("invalid_payload", lambda p, _: _authorization(p).update(value=-1)),
    ("invalid_payload", lambda p, _: p.payload.update(signature="0x")),
]


@pytest.mark.parametrize(("reason", "change"), FLAWS)
async def test_a_flawed_payment_is_refused_with_its_reason_and_moves_nothing(
    client: HTTPFacilitatorClient,
    rpc: JsonRpc,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
    reason: str,
    change: Change,
) -> None:
    payment = pay(payer, requirements.model_copy(deep=True))
    change(payment, requirements)
    verified = await client.verify(payment, requirements)
    assert (verified.is_valid, verified.invalid_reason) == (False, reason)
    settled = await client.settle(payment, requirements)
    assert (settled.success, settled.error_reason) == (False, reason)
    assert int(await rpc.call("eth_getTransactionCount", operator.address, "latest"), 16) == 0


async def test_too_little_money_is_refused(
    client: HTTPFacilitatorClient, payer: LocalAccount, requirements: PaymentRequirements
) -> None:
    requirements.amount = "1001"
    verified = await client.verify(pay(payer, requirements), requirements)
    assert verified.invalid_reason == "invalid_exact_evm_insufficient_balance"


# Any signature is good, after a hash over a megabyte of memory (2.4 million gas).
GAS_BURNER = "0x620fffff5f2050631626ba7e60e01b5f5260205ff3"
# Any signature is good.
WILLING = "0x631626ba7e60e01b5f5260205ff3"


@pytest.mark.parametrize(("code", "settles"), [(WILLING, True), (GAS_BURNER, False)])
async def test_a_contract_pays_but_not_with_the_facilitators_gas(
    client: HTTPFacilitatorClient,
    rpc: JsonRpc,
    token: Eip3009Token,
    operator: KeystoreSigner,
    payer: LocalAccount,
    requirements: PaymentRequirements,
    code: str,
    settles: bool,
) -> None:
    contract = "0x" + secrets.token_hex(20)
    await rpc.call("anvil_setCode", contract, code)
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", contract, 1_000))
    payment = pay(payer, requirements)
    _authorization(payment)["from"] = contract
    payment.payload["signature"] = "0x" + "ab" * 70
    settled = await client.settle(payment, requirements)
    assert settled.success is settles, settled
    if not settles:
        assert settled.error_reason == "invalid_exact_evm_payload_signature"
    assert int(await rpc.call("eth_getTransactionCount", operator.address, "latest"), 16) == int(settles)
    assert (await token.balance(contract)).base_units == (900 if settles else 1_000)
