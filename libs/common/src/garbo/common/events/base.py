"""What every event has in common."""

from abc import abstractmethod
from datetime import datetime
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

Json: TypeAlias = dict[str, Any]
"""A vendor's object, kept as it came."""


class Part(BaseModel):
    """A frozen piece of an event. Fields it does not know are ignored, so that producers can grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, ser_json_inf_nan="null")


class Event(Part):
    """Something that happened, as one service tells the others: one record of one topic."""

    @property
    @abstractmethod
    def event_id(self) -> str:
        """Identify the fact (CloudEvents `id`): the same for each repetition of the same fact."""

    @property
    @abstractmethod
    def happened_at(self) -> datetime:
        """Say when it happened (CloudEvents `time`)."""
