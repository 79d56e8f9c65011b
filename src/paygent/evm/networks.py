"""The chains that Paygent knows. They differ in addresses and endpoints, never in code paths."""

from __future__ import annotations

from dataclasses import dataclass

from paygent.errors import InvalidInput

MULTICALL3_ADDRESS = "0xca11bde05977b3631167028862be2a173976ca11"
# The devnet's deployer is a fresh account on a fresh chain, so its first contract always lands here.
DEVNET_USDC_ADDRESS = "0x5fbdb2315678afecb367f032d93f642f64180aa3"


@dataclass(frozen=True, slots=True)
class Network:
    """A chain: `confirmations` is the depth at which a block counts as final (1 = as soon as it is mined)."""

    name: str
    chain_id: int
    usdc_address: str
    rpc_url: str | None
    confirmations: int = 1
    is_devnet: bool = False
    explorer_url: str | None = None

    @property
    def id(self) -> str:
        """CAIP-2 identifier."""
        return f"eip155:{self.chain_id}"


# Cronos has instant finality (CometBFT): a mined block stays.
CRONOS = Network(
    "cronos",
    25,
    "0xf951ec28187d9e5ca673da8fe6757e6f0be5f77c",
    "https://evm.cronos.org",
    explorer_url="https://explorer.cronos.org",
)
CRONOS_TESTNET = Network(
    "cronos-testnet",
    338,
    "0xc01efaaf7c5c61bebfaeb358e1161b537b8bc0e0",
    "https://evm-t3.cronos.org",
    explorer_url="https://explorer.cronos.org/testnet",
)


def devnet(chain_id: int = 338) -> Network:
    """The embedded chain, under any chain id."""
    return Network("devnet", chain_id, DEVNET_USDC_ADDRESS, None, is_devnet=True)


def network_named(name: str, *, devnet_chain_id: int = 338) -> Network:
    """`devnet`, `cronos-testnet` or `cronos`. Raises InvalidInput."""
    match name:
        case "devnet":
            return devnet(devnet_chain_id)
        case "cronos-testnet":
            return CRONOS_TESTNET
        case "cronos":
            return CRONOS
    raise InvalidInput(f"There is no network {name!r}. PAYGENT_NETWORK is devnet, cronos-testnet or cronos.")


def known_usdc(chain_id: int) -> tuple[str, ...]:
    """Where an EIP-3009 USDC may be deployed on a chain with this id: the network's own, and the devnet's."""
    own = tuple(network.usdc_address for network in (CRONOS, CRONOS_TESTNET) if network.chain_id == chain_id)
    return (*own, DEVNET_USDC_ADDRESS)
