"""A payer with money, the terms of a seller, and payments signed by the official package."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from x402 import x402Client
from x402.mechanisms.evm.exact import ExactEvmClientScheme
from x402.mechanisms.evm.signers import EthAccountSigner

from paygent.evm.abi import encode_call
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.x402.types import PaymentPayload, PaymentRequirements
from tests.support.chain import send

SELLER = "0x" + "5E" * 20


@pytest.fixture
async def payer(rpc: JsonRpc, token: Eip3009Token) -> LocalAccount:
    """An account with 1,000 base units and no gas."""
    account: LocalAccount = Account.create()
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", account.address, 1_000))
    return account


@pytest.fixture
def requirements(token: Eip3009Token) -> PaymentRequirements:
    return PaymentRequirements(
        scheme="exact",
        network="eip155:338",
        asset=token.asset.address,
        amount="100",
        pay_to=SELLER,
        max_timeout_seconds=60,
        extra={"name": token.domain.name, "version": token.domain.version},
    )


def pay(payer: LocalAccount, requirements: PaymentRequirements) -> PaymentPayload:
    """Signed by the official package, not by us."""
    inner = ExactEvmClientScheme(EthAccountSigner(payer)).create_payment_payload(requirements)
    return PaymentPayload(payload=inner, accepted=requirements)


def official_client(payer: LocalAccount, token: Eip3009Token) -> x402Client:
    """The official client, which may spend this token."""
    client = x402Client()
    network = token.asset.network
    client.set_spend_controls({"allowed_assets": [{"network": network, "asset": token.asset.address}]})
    client.register(network, ExactEvmClientScheme(EthAccountSigner(payer)))
    return client
