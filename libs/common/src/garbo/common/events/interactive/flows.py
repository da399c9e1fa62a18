"""A form that the person fills inside the chat (WhatsApp Flows).

Source: Meta, OpenAPI description of the Business Messaging API v23, ActionObject (read 2026-11).
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from garbo.common.events.base import Json, Part
from garbo.common.events.interactive.parts import SomeId, WithBody
from garbo.common.events.shown_text import SHOWN
from garbo.common.events.vendor_object import refuse


class FlowPayload(Part):
    """Where a flow begins, and with what."""

    screen: Annotated[str, Field(min_length=1), SHOWN] | None = None
    data: Json | None = None


class FlowParameters(Part):
    """Which flow, by exactly one of its id and its name, and what opens it."""

    flow_message_version: Literal["3"]
    flow_id: SomeId | None = None
    flow_name: SomeId | None = None
    flow_cta: Annotated[str, Field(min_length=1, max_length=30), SHOWN]
    flow_token: str | None = None
    flow_action: Literal["navigate", "data_exchange"] | None = None
    flow_action_payload: FlowPayload | None = None
    mode: Literal["draft", "published"] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.flow_id is None) == (self.flow_name is None):
            raise refuse((), "must hold exactly one of flow_id and flow_name")
        return self


class FlowAction(Part):
    """The flow."""

    name: Literal["flow"]
    parameters: FlowParameters


class FlowMessage(WithBody):
    """A message that opens a flow."""

    type: Literal["flow"]
    action: FlowAction
