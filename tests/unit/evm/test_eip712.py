"""Digests and signatures, against eth-account, which we did not write."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from paygent.evm.abi import checksum_address, encode_call, selector
from paygent.evm.eip712 import Domain, recover
from paygent.evm.eip3009 import TransferAuthorization
from paygent.evm.signers.keystore import KeystoreSigner
from tests.support.examples import examples

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = "0x" + "01" * 32
TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}
addresses = st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
uints = st.integers(0, 2**256 - 1)


def typed_message(domain: Domain, a: TransferAuthorization) -> Any:
    return encode_typed_data(
        {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        TYPES,
        {
            "from": a.payer,
            "to": a.payee,
            "value": a.value,
            "validAfter": a.valid_after,
            "validBefore": a.valid_before,
            "nonce": a.nonce,
        },
    )


@settings(max_examples=examples(50), deadline=None)
@given(
    st.builds(Domain, st.text(max_size=30), st.text(max_size=5), st.integers(1, 2**64), addresses),
    st.builds(TransferAuthorization, addresses, addresses, uints, uints, uints, st.binary(min_size=32, max_size=32)),
)
def test_digest_equals_eth_accounts(domain: Domain, authorization: TransferAuthorization) -> None:
    assert authorization.digest(domain) == _hash_eip191_message(typed_message(domain, authorization))


async def test_signature_equals_eth_accounts_and_recovers() -> None:
    signer = KeystoreSigner.from_private_key(KEY)
    domain = Domain("Bridged USDC (Stargate)", "1", 338, "0x" + "11" * 20)
    authorization = TransferAuthorization(signer.address, "0x" + "22" * 20, 100_000, 0, 2**40, b"\x07" * 32)
    digest = authorization.digest(domain)
    signature = await signer.sign_digest(digest)
    theirs = Account.sign_message(typed_message(domain, authorization), KEY)
    assert signature == bytes(theirs.signature)
    assert recover(digest, signature) == signer.address == Account.from_key(KEY).address.lower()


async def test_malleable_and_misshapen_signatures_are_refused() -> None:
    digest = b"\x05" * 32
    signature = await KeystoreSigner.from_private_key(KEY).sign_digest(digest)
    high_s = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high_s.to_bytes(32, "big") + bytes([55 - signature[64]])
    assert recover(digest, twin) is None
    assert recover(digest, signature[:64]) is None
    assert recover(digest, signature[:64] + b"\x00") is None
    assert recover(digest, b"\xff" * 64 + b"\x1b") is None
    assert recover(b"\x06" * 32, signature) != recover(digest, signature)


def test_selectors_are_the_published_ones() -> None:
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"
    assert encode_call("balanceOf(address)", "0x" + "11" * 20).hex() == "70a08231" + "00" * 12 + "11" * 20


@pytest.mark.parametrize(
    "address",
    ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"],
)
def test_checksum_is_that_of_erc55(address: str) -> None:
    assert checksum_address(address.lower()) == address
