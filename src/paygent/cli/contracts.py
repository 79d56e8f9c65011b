"""`paygent contracts`: our contracts on a chain: deploy them, show them, prepare their verification by an explorer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paygent.bootstrap import keystore_folder, network_of, open_database, open_rpc, open_signer
from paygent.cli.exit_codes import EXIT_DENIED, EXIT_UNEXPECTED
from paygent.cli.output import can_ask, confirm, emit, note
from paygent.devnet import deploy as devnet_deploy
from paygent.errors import InsufficientBalance, InvalidInput, NotFound
from paygent.evm import deployment
from paygent.evm.abi import checksum_address, parse_address
from paygent.evm.contracts import standard_input
from paygent.evm.deployment import Code, Estimate, Step
from paygent.evm.identity import check_identity
from paygent.evm.networks import Network
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.transactions import Mined, TransactionSender
from paygent.money import Amount, Asset
from paygent.settings import Settings

_DEPLOYER = "deployer"
_NATIVE = "0x" + "00" * 20
# What people are shown of CRO is rounded up to this many wei.
_SHOWN_WEI = 10**14


async def deploy(settings: Settings, *, arbiter: str | None, execute: bool, confirmed: bool, as_json: bool) -> int:
    """Deploy what is missing; off the devnet only with `execute`, and when that is `confirmed` or agreed to."""
    network = network_of(settings)
    async with open_rpc(settings) as rpc:
        if network.is_devnet:
            return await _deploy_on_devnet(settings, rpc, arbiter, as_json=as_json)
        signer = await asyncio.to_thread(open_signer, settings, _DEPLOYER)
        # Without a word about it, the registry keeps the arbiter that it has.
        steps = _steps(settings, arbiter or _read_record(settings).get("arbiter"), deployer=signer.address)
        await deployment.check_chain(rpc)
        missing = await deployment.missing(rpc, steps)
        estimate = await deployment.estimate(rpc, missing, sender=signer.address)
        balance = int(await rpc.call("eth_getBalance", signer.address, "latest"), 16)
        if not execute:
            report = _preview(network, signer.address, balance, steps, missing, estimate)
            return _show_preview(network, report, estimate, balance, as_json=as_json)
        if missing:
            _check_balance(network, signer.address, balance, estimate)
            if not confirmed and not _agreed(network, estimate, len(estimate.gas)):
                note("Nothing was sent.")
                return EXIT_DENIED
        mined = await _send(settings, rpc, signer, steps, as_json=as_json)
    return _conclude(settings, steps, mined, deployer=signer.address, as_json=as_json)


async def show(settings: Settings, *, arbiter: str | None, as_json: bool) -> int:
    """Where each contract is, or would be, and whether the code there is ours."""
    steps = known_steps(settings, arbiter)
    async with open_rpc(settings) as rpc:
        found = await deployment.look(rpc, steps)
    recorded = _read_record(settings).get("contracts", {})
    contracts = {step.key: _entry(step, found[step.name], recorded.get(step.key, {})) for step in steps}
    if as_json:
        network = network_of(settings)
        emit({"network": network.name, "chain_id": network.chain_id, "contracts": contracts})
    else:
        for step in steps:
            note(f"{step.name:<20}{checksum_address(step.address)}  {_SAYS[found[step.name]]}")
    return 0


async def verify(settings: Settings, *, arbiter: str | None, out: Path | None, as_json: bool) -> int:
    """Compare what is on chain with our code, and write what an explorer needs to do the same; 1 when it is not ours."""
    network = network_of(settings)
    steps = known_steps(settings, arbiter)
    async with open_rpc(settings) as rpc:
        found = await deployment.look(rpc, steps)
    folder = out or _record_path(settings).with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    contracts = {step.key: _write_input(folder, step, found[step.name]) for step in steps}
    if as_json:
        emit({"network": network.name, "chain_id": network.chain_id, "contracts": contracts})
    else:
        for entry in contracts.values():
            _show_input(network, entry)
    return 0 if all(code is Code.OURS for code in found.values()) else EXIT_UNEXPECTED


def show_contracts(contracts: Mapping[str, str]) -> None:
    """Addresses by their names in documents, for people."""
    for key, address in contracts.items():
        name = "USDC.e" if key == "usdc" else "".join(word.capitalize() for word in key.split("_"))
        note(f"  {name:<20}{checksum_address(address)}")


def known_steps(settings: Settings, arbiter: str | None) -> tuple[Step, ...]:
    """The contracts as they were, or would be, deployed from here. Raises NotFound when nothing says where that is."""
    if network_of(settings).is_devnet:
        return devnet_deploy.contracts_plan()
    known = arbiter or _read_record(settings).get("arbiter")
    if known is None and not (keystore_folder(settings) / f"{_DEPLOYER}.json").exists():
        raise NotFound("Nothing was deployed from here. Name the registry's arbiter with --arbiter.")
    return _steps(settings, known, deployer="" if known else open_signer(settings, _DEPLOYER).address)


def on(settings: Settings, network: str | None) -> Settings:
    """The settings, on another network where one is named."""
    return settings if network is None else settings.model_copy(update={"network": network})


def _steps(settings: Settings, arbiter: str | None, *, deployer: str) -> tuple[Step, ...]:
    return deployment.plan(
        token=network_of(settings).usdc_address, arbiter=deployer if arbiter is None else parse_address(arbiter)
    )


async def _deploy_on_devnet(settings: Settings, rpc: JsonRpc, arbiter: str | None, *, as_json: bool) -> int:
    if arbiter is not None:
        raise InvalidInput(f"The arbiter on a devnet is its development account {devnet_deploy.ARBITER}.")
    await devnet_deploy.deploy_token(rpc, chain_id=settings.chain_id)
    mined = await devnet_deploy.deploy_contracts(
        rpc, chain_id=settings.chain_id, say=(lambda _: None) if as_json else note
    )
    steps = devnet_deploy.contracts_plan()
    return _conclude(settings, steps, mined, deployer=devnet_deploy.DEV_ACCOUNTS[0].address, as_json=as_json)


async def _send(
    settings: Settings, rpc: JsonRpc, signer: KeystoreSigner, steps: Sequence[Step], *, as_json: bool
) -> dict[str, Mined]:
    """Deploy, and look up the transactions of an earlier time that was interrupted."""
    chain_id = network_of(settings).chain_id
    async with open_database(settings) as database:
        await check_identity(database, rpc, chain_id=chain_id)
        sender = TransactionSender(database, rpc, signer, chain_id=chain_id)
        say = (lambda _: None) if as_json else note
        mined = await deployment.deploy(rpc, sender, steps, chain_id=chain_id, say=say)
        for step in steps:
            if step.name not in mined and (earlier := await deployment.recall(sender, step, chain_id)) is not None:
                mined[step.name] = earlier
    return mined


def _check_balance(network: Network, address: str, balance: int, estimate: Estimate) -> None:
    if balance < estimate.reserve_wei:
        short = _cro(network, estimate.reserve_wei - balance)
        raise InsufficientBalance(
            f"The deployer has {_cro(network, balance)} and needs {_cro(network, estimate.reserve_wei)}, most of which it "
            f"keeps. Send at least {short} on {network.name} to {checksum_address(address)}, and run this again.",
            address=address,
            missing_wei=str(estimate.reserve_wei - balance),
        )


def _agreed(network: Network, estimate: Estimate, count: int) -> bool:
    """What a person at a terminal says. Raises InvalidInput when there is none."""
    if not can_ask():
        raise InvalidInput("Nobody can be asked here, so nothing was sent. Add --yes to deploy without being asked.")
    question = f"Deploy {count} contracts on {network.name} for about {_cro(network, estimate.cost_wei)}?"
    return confirm(question, default=False)


def _preview(
    network: Network, deployer: str, balance: int, steps: Sequence[Step], missing: Sequence[Step], estimate: Estimate
) -> dict[str, Any]:
    contracts = {
        step.key: _entry(step, Code.ABSENT if step in missing else Code.OURS) | {"gas": estimate.gas.get(step.name, 0)}
        for step in steps
    }
    return {
        "dry_run": True,
        "network": network.name,
        "chain_id": network.chain_id,
        "deployer": deployer,
        "balance": _amount(network, balance).as_dict(),
        "contracts": contracts,
        "gas_price_wei": str(estimate.price_wei),
        "cost": _amount(network, estimate.cost_wei).as_dict(),
        "needed": _amount(network, estimate.reserve_wei).as_dict(),
    }


def _show_preview(network: Network, report: dict[str, Any], estimate: Estimate, balance: int, *, as_json: bool) -> int:
    if as_json:
        emit(report)
        return 0
    note(f"On {network.name} (chain {network.chain_id}) this would be deployed:")
    for entry in report["contracts"].values():
        does = "is there already" if entry["code"] == Code.OURS else f"{entry['gas']:>10,} gas"
        does = "by its factory" if entry["code"] == Code.ABSENT and not entry["gas"] else does
        note(f"  {entry['name']:<20}{checksum_address(entry['address'])}  {does}")
    note(f"Gas price  {estimate.price_wei / 10**9:,.2f} gwei")
    note(
        f"Cost       about {_cro(network, estimate.cost_wei)}; the deployer must have {_cro(network, estimate.reserve_wei)}"
    )
    note(f"Deployer   {checksum_address(report['deployer'])}, which has {_cro(network, balance)}")
    note("Nothing was sent (dry run). --execute deploys." if estimate.gas else "Everything is there.")
    return 0


def _conclude(
    settings: Settings, steps: Sequence[Step], mined: Mapping[str, Mined], *, deployer: str, as_json: bool
) -> int:
    record = _write_record(settings, steps, mined, deployer)
    if as_json:
        emit(record)
        return 0
    for entry in record["contracts"].values():
        when = f"  block {entry['block_number']}, {entry['transaction']}" if entry["transaction"] else ""
        note(f"{entry['name']:<20}{checksum_address(entry['address'])}{when}")
    note(f"Written down in {_record_path(settings)}")
    return 0


def _write_record(
    settings: Settings, steps: Sequence[Step], mined: Mapping[str, Mined], deployer: str
) -> dict[str, Any]:
    """What is deployed now, with what is known of it; what was recorded and is at another address is kept as earlier."""
    network = network_of(settings)
    # A devnet may have begun again: what was recorded of it need not be so any more.
    known = {} if network.is_devnet else _read_record(settings)
    before = known.get("contracts", {})
    contracts = {}
    for step in steps:
        entry = _entry(step, Code.OURS, before.get(step.key, {}))
        if (transaction := mined.get(step.name)) is not None:
            entry |= {"transaction": transaction.hash, "block_number": transaction.block_number}
        contracts[step.key] = entry
    now = {entry["address"] for entry in contracts.values()}
    earlier = {entry["address"]: entry for entry in (*known.get("earlier", []), *before.values())}
    record = {
        "network": network.name,
        "chain_id": network.chain_id,
        "deployer": deployer,
        "arbiter": _arbiter_of(steps),
        "contracts": contracts,
        "earlier": [entry for address, entry in earlier.items() if address not in now],
    }
    path = _record_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    temporary.replace(path)
    return record


def _entry(step: Step, code: Code, recorded: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A contract in a document; of what was `recorded`, what is about the contract at this address."""
    is_same = recorded is not None and recorded.get("address") == step.address
    told = {name: recorded.get(name) if recorded and is_same else None for name in ("transaction", "block_number")}
    return {"name": step.name, "address": step.address, "code": code, **told}


def _arbiter_of(steps: Sequence[Step]) -> str:
    registry = next(step for step in steps if step.name == "ServiceRegistry")
    return "0x" + registry.arguments[2 * 32 :][:32][-20:].hex()


def _read_record(settings: Settings) -> dict[str, Any]:
    """What was written down of this chain. Raises InvalidInput when that is another network's of the same chain id."""
    path = _record_path(settings)
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise InvalidInput(f"{path} is damaged: move it away. `paygent contracts deploy` writes it again.") from None
    network = network_of(settings)
    if record.get("network") != network.name:
        raise InvalidInput(
            f"{path} is of {record.get('network')}, and this is {network.name}. Set PAYGENT_HOME to a folder of its own."
        )
    return record


def _record_path(settings: Settings) -> Path:
    return settings.home / "contracts" / f"{network_of(settings).chain_id}.json"


def _write_input(folder: Path, step: Step, code: Code) -> dict[str, Any]:
    wanted = standard_input(step.name)
    path = folder / f"{step.name}.input.json"
    path.write_text(json.dumps(wanted.document, indent=1) + "\n")
    return {
        **_entry(step, code),
        "contract": wanted.name,
        "compiler": f"v{wanted.compiler}",
        "evm_version": wanted.document["settings"]["evmVersion"],
        "optimizer": wanted.document["settings"]["optimizer"],
        "constructor_arguments": step.arguments.hex(),
        "standard_json_input": str(path),
    }


def _show_input(network: Network, entry: dict[str, Any]) -> None:
    note(f"{entry['name']} at {checksum_address(entry['address'])}: {_SAYS[entry['code']]}")
    if network.explorer_url is None or entry["code"] is not Code.OURS:
        note(f"  standard-json input    {entry['standard_json_input']}")
        return
    note(
        f"  Open {network.explorer_url}/address/{entry['address']}, choose to verify the contract by standard-json input, and"
    )
    note(f"  give it {entry['standard_json_input']} with:")
    note(f"  contract               {entry['contract']}")
    note(
        f"  compiler               {entry['compiler']}, EVM {entry['evm_version']}, {entry['optimizer']['runs']:,} runs"
    )
    note(f"  constructor arguments  {entry['constructor_arguments'] or 'none'}")


def _amount(network: Network, wei: int) -> Amount:
    return Amount(wei, Asset(network.chain_id, _NATIVE, "CRO", 18))


def _cro(network: Network, wei: int) -> str:
    """For people, rounded up."""
    return str(_amount(network, -(-wei // _SHOWN_WEI) * _SHOWN_WEI))


_SAYS = {
    Code.ABSENT: "not deployed",
    Code.OURS: "ours, byte for byte",
    Code.FOREIGN: "NOT OURS: another code lies there",
}
