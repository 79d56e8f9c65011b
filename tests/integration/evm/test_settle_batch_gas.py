"""What settling together saves, by the gas of real transactions (`tests/bench/settle_batch.py` prints every mix)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from tests.bench.settle_batch import COUNT, Mix, deploy_router, measure


@pytest.mark.parametrize(
    ("mix", "ratio_max"),
    [(Mix(1, 1, known=True), 0.60), (Mix(COUNT, 1, known=True), 0.67)],
    ids=str,
)
async def test_a_batch_of_100_costs_a_fraction_of_100_transactions(
    rpc: JsonRpc, token: Eip3009Token, mix: Mix, ratio_max: float, record_property: Callable[[str, object], None]
) -> None:
    measured = await measure(rpc, token, await deploy_router(rpc), mix)
    record_property("counted", f"{mix}: {measured.ratio:.1%} of the gas, at most {ratio_max:.0%} allowed")
    assert measured.ratio <= ratio_max
