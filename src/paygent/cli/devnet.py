"""`paygent devnet`: a chain with contracts and funded accounts, for whoever needs one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from paygent.cli.contracts import show_contracts
from paygent.cli.output import emit, note
from paygent.cli.server import on_stop, until
from paygent.devnet import chain as devnet_chain
from paygent.devnet import deploy as devnet_deploy
from paygent.errors import InvalidInput
from paygent.evm.rpc import JsonRpc
from paygent.settings import Settings


async def devnet(settings: Settings, *, chain_id: int, port: int, state: Path | None, as_json: bool) -> int:
    """A chain with contracts and funded accounts."""
    binary = devnet_chain.find_anvil(settings.anvil)
    if state is not None:
        _check_folder_of(state)
    async with (
        await devnet_chain.start(binary=binary, chain_id=chain_id, port=port, state=state) as chain,
        aiohttp.ClientSession() as http,
    ):
        rpc = JsonRpc(chain.rpc_url, http)
        token = await devnet_deploy.deploy(rpc, chain_id=chain_id)
        usdc = 1_000_000 * 10**token.asset.decimals
        for account in devnet_deploy.DEV_ACCOUNTS:
            await devnet_deploy.fund(rpc, token, account.address, usdc_base_units=usdc, gas_wei=0)
        document: dict[str, Any] = {
            "rpc_url": chain.rpc_url,
            "chain_id": chain_id,
            "contracts": devnet_deploy.contract_addresses(),
            "accounts": [
                {"address": account.address, "private_key": account.private_key}
                for account in devnet_deploy.DEV_ACCOUNTS
            ],
        }
        stopped = on_stop()
        if as_json:
            emit(document)
        else:
            note(f"Devnet {chain_id} at {chain.rpc_url}")
            show_contracts(document["contracts"])
            note(
                "  Development accounts, each with 1,000,000 USDC.e (their keys are public: never use them elsewhere):"
            )
            for account in devnet_deploy.DEV_ACCOUNTS:
                note(f"  {account.address}  {account.private_key}")
            note("Ctrl-C stops it.")
        await until(stopped, ended=chain.ended)
    return 0


def _check_folder_of(state: Path) -> None:
    # The chain would say nothing, and keep nothing.
    folder = state.absolute().parent
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder} to keep the state in; make it first.")
