"""What the API says of each kind of submission: one operation a form."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from garbo.common.runtime.operations import Answer, Operation, Parameter
from garbo.ingest.domain.submissions import (
    CAMPAIGNS,
    CASES,
    CONSENTS,
    CONTACTS,
    MAX_ELEMENTS,
    MESSAGES,
    READS,
    Form,
)

FORMS: Final[tuple[Form[Any], ...]] = (MESSAGES, CONSENTS, CASES, CONTACTS, CAMPAIGNS, READS)
_SUMMARIES: Final = {
    "messages": "Ask for messages to be sent",
    "consents": "Tell that people gave or withdrew consent",
    "cases": "Tell that cases with people were opened or closed",
    "contacts": "Tell what is known of people",
    "campaigns": "Tell that campaigns were called off",
    "reads": "Mark people's messages as read, and show that an answer is being written",
}
_DESCRIPTION: Final = (
    f"One object, or an array of up to {MAX_ELEMENTS:,}: all of it is taken, or nothing. 202 means that Kafka"
    " has it, on all in-sync replicas. What the body leaves out is filled in: the client is the key's,"
    " instants are now, and an id is derived from `Idempotency-Key` (and the place in the array), or minted."
    " Another body under a known id is 409 where the same process took the first among its last 50,000 ids;"
    " after a restart, or by another process, it is 202, and the router's decision is `id_reused`."
)
_ERRORS: Final = {
    400: "No JSON, nested too deep, or a bad `Idempotency-Key`.",
    401: "No API key, or an unknown one.",
    403: "The key may not do this: `errors` says which element.",
    408: "The body did not come whole in time.",
    409: "The id (or `Idempotency-Key`) was used for another body, as far as this process remembers.",
    413: "The body, or one element, is too large.",
    415: "The body is compressed.",
    422: "Nothing was taken: `errors` has each field at fault, and what to do.",
}
_IDEMPOTENCY_KEY: Final = Parameter(
    "Idempotency-Key",
    Annotated[str, Field(pattern=r"^[!-~]{1,255}$")],
    "Who sends the same body again with the same key is answered with the same ids.",
    "header",
)


def submission_operation(form: Form[Any]) -> Operation:
    """Describe how one kind of submission is taken."""
    noun = form.name.removesuffix("s").capitalize()
    body = _body(form, noun)
    return Operation(
        id=f"submit{noun}s",
        method="POST",
        path=f"/v1/{form.name}",
        scope="publish",
        summary=_SUMMARIES[form.name],
        description=_DESCRIPTION,
        body=body | Annotated[list[body], Field(min_length=1, max_length=MAX_ELEMENTS)],  # type: ignore[valid-type] # made here
        parameters=(_IDEMPOTENCY_KEY,),
        answers={202: Answer(_taken(form, noun), "The ids by which each can be asked for later.")},
        errors=_ERRORS,
    )


def _body(form: Form[Any], noun: str) -> Any:  # noqa: ANN401 - a type
    """Give the event's model, where the body may leave out what is filled in."""
    filled = {"client", *form.clock_fields, form.id_field}

    def leave_out(schema: dict[str, Any]) -> None:
        schema["required"] = [name for name in schema["required"] if name not in filled]

    config = ConfigDict(extra="forbid", json_schema_extra=leave_out)
    event = form.topic.event
    return type(noun, (event,), {"__doc__": event.__doc__, "__module__": __name__, "model_config": config})


def _taken(form: Form[Any], noun: str) -> type[BaseModel]:
    """Give the model of the answer: what each element is known by."""
    ids: dict[str, Any] = dict.fromkeys(form.shown, (str, ...))
    listed: dict[str, Any] = {form.name: (list[create_model(f"{noun}Id", **ids)], ...)}  # type: ignore[misc] # made here
    return create_model(f"{noun}sTaken", **listed)
