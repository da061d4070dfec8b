"""The usage of an organization in a month, and its costs in US dollars."""

from __future__ import annotations

import datetime as dt
from typing import Dict, NamedTuple

from viam_sync.proto.app import billing as pb
from viam_sync.sandbox.core.world import World, timestamp

#: The billing tiers, and the discount of each, as a share of the costs.
TIERS = {"standard": 0.0, "education": 0.5}

# Prices in US dollars: for a machine in a month, and for a gigabyte.
_MACHINE = 2.0
_GIGABYTE_STORED = 0.1
_GIGABYTE_UPLOADED = 0.15

_GIGABYTE = 1_000_000_000
_EVER = -(2**63)

_SIZE = """
SELECT total({size}) AS amount FROM {table} t JOIN captures c ON c.id = t.capture_id
LEFT JOIN payers p ON p.location_id = c.location_id
WHERE coalesce(p.organization_id, c.organization_id) = ? AND t.{time} >= ? AND t.{time} < ?
"""
_BINARY = _SIZE.format(size="t.size", table="files", time="received")
_TABULAR = _SIZE.format(size="length(t.body)", table="readings", time="synced")
_MACHINES = """
SELECT count(*) AS amount FROM robots r JOIN locations l ON l.id = r.location_id
LEFT JOIN payers p ON p.location_id = l.id WHERE coalesce(p.organization_id, l.organization_id) = ?
"""


class Month(NamedTuple):
    """A month in UTC: its start and its end, in microseconds since the epoch."""

    start: int
    end: int


def month_of(world: World) -> Month:
    """Return the current month."""
    now = dt.datetime.fromtimestamp(world.microseconds() // 1_000_000, dt.timezone.utc)
    start = dt.datetime(now.year, now.month, 1, tzinfo=dt.timezone.utc)
    end = dt.datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=dt.timezone.utc)
    return Month(round(start.timestamp()) * 1_000_000, round(end.timestamp()) * 1_000_000)


def month_usage(world: World, organization_id: str, tier: str) -> pb.GetCurrentMonthUsageResponse:
    """Return the usage of an organization in the current month, in the fields for newer and for older clients.

    Downloads, remote control and computing are free, since the sandbox does not count them.
    """
    month = month_of(world)
    costs = _costs(world, organization_id, month)
    total = round(sum(costs.values()), 4)
    discount = round(total * TIERS[tier], 4)
    response = pb.GetCurrentMonthUsageResponse(
        start_date=timestamp(month.start), end_date=timestamp(month.end), subtotal=round(total - discount, 4)
    )
    source = response.resource_usage_costs_by_source.add(source_type=pb.SourceType.SOURCE_TYPE_ORG, tier_name=tier)
    for kind, cost in costs.items():
        source.resource_usage_costs.usage_costs.add(resource_type=kind, cost=cost)
    source.resource_usage_costs.discount = response.discount_amount = discount
    source.resource_usage_costs.total_without_discount = response.total_usage_without_discount = total
    source.resource_usage_costs.total_with_discount = response.total_usage_with_discount = response.subtotal
    kinds = pb.UsageCostType
    response.per_machine_usage_cost = costs[kinds.USAGE_COST_TYPE_PER_MACHINE]
    binary = costs[kinds.USAGE_COST_TYPE_BINARY_DATA_CLOUD_STORAGE]
    other = costs[kinds.USAGE_COST_TYPE_TABULAR_DATA_CLOUD_STORAGE]
    response.binary_data_cloud_storage_usage_cost = binary
    response.other_cloud_storage_usage_cost = other
    response.cloud_storage_usage_cost = round(binary + other, 4)
    response.data_upload_usage_cost = round(
        costs[kinds.USAGE_COST_TYPE_BINARY_DATA_UPLOAD] + costs[kinds.USAGE_COST_TYPE_TABULAR_DATA_UPLOAD], 4
    )
    return response


def _costs(world: World, organization_id: str, month: Month) -> Dict[pb.UsageCostType.ValueType, float]:
    """Return the costs by type, rounded to a hundredth of a cent."""

    def cost(price: float, sql: str, *times: int) -> float:
        row = world.store.row(sql, organization_id, *times)
        return 0.0 if row is None else round(row["amount"] * price, 4)

    stored, uploaded = _GIGABYTE_STORED / _GIGABYTE, _GIGABYTE_UPLOADED / _GIGABYTE
    kinds = pb.UsageCostType
    return {
        kinds.USAGE_COST_TYPE_PER_MACHINE: cost(_MACHINE, _MACHINES),
        kinds.USAGE_COST_TYPE_BINARY_DATA_CLOUD_STORAGE: cost(stored, _BINARY, _EVER, month.end),
        kinds.USAGE_COST_TYPE_TABULAR_DATA_CLOUD_STORAGE: cost(stored, _TABULAR, _EVER, month.end),
        kinds.USAGE_COST_TYPE_BINARY_DATA_UPLOAD: cost(uploaded, _BINARY, *month),
        kinds.USAGE_COST_TYPE_TABULAR_DATA_UPLOAD: cost(uploaded, _TABULAR, *month),
    }
