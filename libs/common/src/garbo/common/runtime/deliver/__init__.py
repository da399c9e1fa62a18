"""Delivery: from a topic to a flow, at least once, with retry, dead letters and a drain."""

from garbo.common.runtime.deadletter import DeadLetterLimit, TooManyRejected
from garbo.common.runtime.deliver.deliveries import Deliveries
from garbo.common.runtime.deliver.lane import Delivered, DeliveryTimes, Lane
from garbo.common.runtime.deliver.tracing import resumed

__all__ = [
    "DeadLetterLimit",
    "Delivered",
    "Deliveries",
    "DeliveryTimes",
    "Lane",
    "TooManyRejected",
    "resumed",
]
