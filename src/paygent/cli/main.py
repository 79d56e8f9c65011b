"""The commands and their help. Nothing heavy is imported before a command runs: help answers at once."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer._click.exceptions import UsageError

from paygent import __version__
from paygent.cli.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from paygent.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=f"AI agents spend money safely: plan, price, check, pay over x402, settle on chain, prove it.\n\n{EXIT_CODES}",
)
intents = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What was paid, and what became of it.")
wallet = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The wallet that pays.")
contracts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Paygent's contracts on a chain.")
app.add_typer(intents, name="intents")
app.add_typer(wallet, name="wallet")
app.add_typer(contracts, name="contracts")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, for programs.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port on loopback; 0 takes a free one.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="Any text of yours: the same key never pays twice.")]
Fresh = Annotated[bool, typer.Option("--new", help="Pay anew, even if an identical payment was interrupted.")]
NewKey = Annotated[bool, typer.Option("--new-key", help="Make a new API key in the place of all others, and show it.")]
Chain = Annotated[
    Literal["devnet", "cronos-testnet", "cronos"] | None,
    typer.Option("--network", help="The chain; without it the one of PAYGENT_NETWORK."),
]
Arbiter = Annotated[
    str | None, typer.Option(help="Who decides over the registry's stakes; without it the account that deploys.")
]


@app.command()
def ask(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help='What to do, e.g. "Pay 0.10 USDC to access the market data API".')
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan and price it, and pay nothing.")] = False,
    idempotency_key: Key = None,
    new: Fresh = False,
    json: Json = False,
) -> None:
    """Do what a sentence says; what is unclear is asked about."""
    from paygent.cli import output, paying

    settings = _settings(as_json=json)
    output.run(
        lambda: paying.ask(settings, text=text, dry_run=dry_run, key=idempotency_key, fresh=new, as_json=json),
        as_json=json,
        resumes=True,
    )


@app.command()
def pay(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The URL to buy. One that asks for no payment is simply fetched.")
    ],
    method: Annotated[str, typer.Option(help="The HTTP method.")] = "GET",
    data: Annotated[str, typer.Option(help="The request's body.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="A request header, 'Name: value'; may be repeated.")] = None,
    max_amount: Annotated[str | None, typer.Option(help="The most that it may cost, e.g. 0.10.")] = None,
    idempotency_key: Key = None,
    new: Fresh = False,
    json: Json = False,
) -> None:
    """Buy one HTTP request and print what it answers."""
    from paygent.cli import output, paying

    settings = _settings(as_json=json)
    output.run(
        lambda: paying.pay(
            settings,
            url=url,
            method=method,
            headers=header or [],
            data=data,
            amount_max=max_amount,
            key=idempotency_key,
            fresh=new,
            as_json=json,
        ),
        as_json=json,
        resumes=True,
    )


@intents.command("list")
def intents_list(
    count: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20, json: Json = False
) -> None:
    """The newest intents."""
    from paygent.cli import output, paying

    settings = _settings(as_json=json)
    output.run(lambda: paying.list_intents(settings, count=count, as_json=json), as_json=json)


@intents.command("show")
def intents_show(
    intent_id: Annotated[str, typer.Argument(metavar="INTENT_ID", help="Its id, int_… .")],
    json: Json = False,
) -> None:
    """One intent: what it bought, its history and its ledger entries."""
    from paygent.cli import output, paying

    settings = _settings(as_json=json)
    output.run(lambda: paying.show_intent(settings, intent_id=intent_id, as_json=json), as_json=json)


@wallet.command("balance")
def wallet_balance(json: Json = False) -> None:
    """The wallet's address and balances, on chain and in the ledger."""
    from paygent.cli import output, paying

    settings = _settings(as_json=json)
    output.run(lambda: paying.show_wallet(settings, as_json=json), as_json=json)


@wallet.command("encrypt")
def wallet_encrypt(json: Json = False) -> None:
    """Encrypt the keys that were made without a password.

    Theirs is then PAYGENT_KEYSTORE_PASSWORD, without which nothing opens them any more.
    """
    from paygent.cli import output, paying

    settings = _settings(as_json=json)
    output.run(lambda: paying.encrypt_wallet(settings, as_json=json), as_json=json)


@contracts.command("deploy")
def contracts_deploy(
    network: Chain = None,
    arbiter: Arbiter = None,
    execute: Annotated[bool, typer.Option("--execute", help="Send the transactions, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Deploy the contracts that are missing, or say what that would cost.

    Off the devnet nothing is sent without --execute. The account that pays is `deployer` in the keystore, made on first
    use. What was interrupted goes on when it is run again: addresses follow from the code alone.
    """
    from paygent.cli import contracts as command
    from paygent.cli import output

    settings = command.on(_settings(as_json=json), network)
    output.run(
        lambda: command.deploy(settings, arbiter=arbiter, execute=execute, confirmed=yes, as_json=json),
        as_json=json,
        resumes=True,
    )


@contracts.command("show")
def contracts_show(network: Chain = None, arbiter: Arbiter = None, json: Json = False) -> None:
    """Where each contract is, and whether the code there is ours."""
    from paygent.cli import contracts as command
    from paygent.cli import output

    settings = command.on(_settings(as_json=json), network)
    output.run(lambda: command.show(settings, arbiter=arbiter, as_json=json), as_json=json)


@contracts.command("verify")
def contracts_verify(
    network: Chain = None,
    arbiter: Arbiter = None,
    out: Annotated[Path | None, typer.Option(help="The folder for the files; without it one in PAYGENT_HOME.")] = None,
    json: Json = False,
) -> None:
    """Compare the code on chain with ours, and write what an explorer needs to show its source.

    The exit code is 1 when a contract is not there or not ours.
    """
    from paygent.cli import contracts as command
    from paygent.cli import output

    settings = command.on(_settings(as_json=json), network)
    output.run(lambda: command.verify(settings, arbiter=arbiter, out=out, as_json=json), as_json=json)


@app.command()
def demo(json: Json = False) -> None:
    """Let an agent buy real data on a chain of its own.

    Starts a chain, a database, a facilitator and a paid API, pays 0.10 USDC for one request, shows the books, and removes
    everything again.
    """
    from paygent.cli import demo as command
    from paygent.cli import output

    settings = _settings(as_json=json)
    output.run(lambda: command.demo(settings, as_json=json), as_json=json)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The API's port; 0 takes a free one.")] = 8402,
    new_key: NewKey = False,
    json: Json = False,
) -> None:
    """Serve everything on a devnet until Ctrl-C.

    Chain, database, facilitator, sample paid API and the API; their state is kept in PAYGENT_HOME.
    """
    from paygent.cli import output, serving

    settings = _settings(as_json=json)
    output.run(lambda: serving.up(settings, port=port, new_key=new_key, as_json=json), as_json=json)


@app.command()
def api(port: Port = 8402, new_key: NewKey = False, json: Json = False) -> None:
    """Serve the API alone until Ctrl-C, on the configured chain."""
    from paygent.cli import output, serving

    settings = _settings(as_json=json)
    output.run(lambda: serving.api(settings, port=port, new_key=new_key, as_json=json), as_json=json)


@app.command()
def sell(
    upstream: Annotated[str, typer.Option(help="The API to put a price on, e.g. http://127.0.0.1:9000.")],
    price: Annotated[str, typer.Option(help="What one request costs, e.g. 0.01.")],
    pay_to: Annotated[str, typer.Option(help="The address that is paid.")],
    facilitator: Annotated[str, typer.Option(help="The URL of the facilitator that settles.")],
    port: Port = 0,
    json: Json = False,
) -> None:
    """Put any HTTP API behind a price until Ctrl-C (reverse proxy)."""
    from paygent.cli import output, selling

    settings = _settings(as_json=json)
    output.run(
        lambda: selling.sell(
            settings,
            upstream=upstream,
            price=price,
            pay_to=pay_to,
            facilitator_url=facilitator,
            port=port,
            as_json=json,
        ),
        as_json=json,
    )


@app.command("sample-api", hidden=True)
def sample_api(
    price: Annotated[str, typer.Option(help="What one request costs.")],
    pay_to: Annotated[str, typer.Option(help="The address that is paid.")],
    facilitator: Annotated[str, typer.Option(help="The URL of the facilitator that settles.")],
    port: Port = 0,
    json: Json = False,
) -> None:
    """Serve the sample market-data API, which sells what the chain knows."""
    from paygent.cli import output, selling

    settings = _settings(as_json=json)
    output.run(
        lambda: selling.sample_api(
            settings, price=price, pay_to=pay_to, facilitator_url=facilitator, port=port, as_json=json
        ),
        as_json=json,
    )


@app.command()
def facilitator(
    rpc_url: Annotated[str, typer.Option(help="The EVM node that it settles on.")],
    port: Port = 0,
    asset: Annotated[
        list[str] | None, typer.Option(help="An EIP-3009 token to serve, besides the known USDC.e; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Serve an x402 facilitator until Ctrl-C.

    It answers /verify, /settle and /supported, and pays the gas of what it settles.
    """
    from paygent.cli import output, selling

    settings = _settings(as_json=json)
    output.run(
        lambda: selling.facilitator(settings, rpc_url=rpc_url, assets=asset or [], port=port, as_json=json),
        as_json=json,
    )


@app.command()
def devnet(
    chain_id: Annotated[int, typer.Option(min=1, max=2**63 - 1, help="Any chain id.")] = 338,
    port: Port = 0,
    state: Annotated[
        Path | None, typer.Option(help="A file that keeps the chain's state; else it is forgotten.")
    ] = None,
    json: Json = False,
) -> None:
    """Serve a chain with funded accounts until Ctrl-C.

    It has the USDC.e token, Multicall3 and Paygent's contracts, and is forgotten at its end unless --state names a file.
    """
    from paygent.cli import devnet as command
    from paygent.cli import output

    settings = _settings(as_json=json)
    output.run(lambda: command.devnet(settings, chain_id=chain_id, port=port, state=state, as_json=json), as_json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Say what is missing or misconfigured."""
    from paygent.cli import doctor as command
    from paygent.cli import output

    output.run(lambda: command.doctor(as_json=json), as_json=json)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _settings(*, as_json: bool) -> Settings:
    """The settings, with the logs configured; what is wrong with them is told by the variable's name."""
    from paygent.cli.output import fail
    from paygent.errors import InvalidInput
    from paygent.settings import load_settings
    from paygent.telemetry import configure_logging

    try:
        settings = load_settings()
    except InvalidInput as error:
        fail(error, as_json=as_json)
    configure_logging(level=settings.log_level, json=settings.log_json)
    return settings


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding shows less, and stops nothing.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(prog_name="paygent", standalone_mode=False)
    except UsageError as error:
        if "--json" in sys.argv:
            from paygent.cli.output import emit

            emit({"error": {"code": "invalid_input", "detail": error.format_message()}})
        else:
            error.show()
        code = error.exit_code
    sys.exit(code or 0)
