"""Double entry, per asset, in base units. A hold is later posted or voided; nothing is ever updated.

The model is TigerBeetle's two-phase transfer: each transfer debits one account and credits another of the same asset,
so that it sums to zero by its shape. An account carries running totals; a limited one can never give more than it
received, holds included, which is also how a budget works.
"""
