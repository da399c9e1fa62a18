"""All that ingest answers over HTTP, as its OpenAPI document tells it."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from garbo.common.runtime.openapi import Api, ProblemDetails
from garbo.common.runtime.operations import Operation, operations_of
from garbo.ingest.inbound.submission_operations import FORMS, submission_operation
from garbo.ingest.inbound.webhooks import WebhookEndpoint


class FaultView(BaseModel):
    """One thing that is wrong with a body."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    index: int | None = None
    """The element of the array; absent where one object was sent."""
    field: str
    """With dots, such as `to.phone`; empty for the whole element."""
    pointer: str
    """The field as a JSON pointer into the body."""
    detail: str
    """What to do."""


class Problem(ProblemDetails):
    """An error, as RFC 9457 has it."""

    errors: tuple[FaultView, ...] | None = None
    """The first 100 things that are wrong."""
    errors_count: int | None = None
    """How many there are."""


def _shared_errors(operation: Operation) -> Mapping[int, str]:
    if not operation.path.startswith(("/v1/", "/webhooks/")):
        return {}
    return {503: "Too many requests are in hand, or Kafka does not confirm: send the same again in a second."}


API: Final = Api(
    title="Garbo ingest",
    summary="Everything that comes in over HTTP, onto Kafka.",
    port=8080,
    operations=(*map(submission_operation, FORMS), *operations_of(WebhookEndpoint)),
    problem=Problem,
    shared_errors=_shared_errors,
)
