"""Delivery: from a topic to a flow, at least once, with retry, dead letters and a drain."""

from garbo.common.runtime.deliver.deliveries import Deliveries
from garbo.common.runtime.deliver.lane import Delivered, DeliveryTimes, Lane, RefusalPace
from garbo.common.runtime.deliver.tracing import resumed

__all__ = [
    "Delivered",
    "Deliveries",
    "DeliveryTimes",
    "Lane",
    "RefusalPace",
    "resumed",
]
