"""`garbo.send.requested.v1` as its readers read it: a wrong request that says who asks is kept, to be denied.

Over HTTP such a request is refused at the door. On Kafka nobody is there to be told: without a decision its
client would wait for ever, and a dead letter tells the operator, not them.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import orjson
from pydantic import ValidationError

from garbo.common.events.faults import advice_of
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import SEND_REQUESTED

_STAND_INS: Final = {
    "to": {"group_id": "invalid"},
    "content": {"type": "text", "text": {"body": "invalid"}},
}
"""In place of what is wrong and cannot be left out. Nothing reads them: the request is denied before."""


class SubmittedRequest(SendRequested):
    """A request as it is read: an `InvalidRequest` where it is wrong and can still be answered."""

    @classmethod
    def instead_of(cls, given: Any, error: ValidationError) -> "InvalidRequest | None":  # noqa: ANN401 - JSON
        """Keep what says who asks and what for; None when some of that is wrong."""
        faults = advice_of(error)
        wrong = {str(place[0]) if place else "" for place, _ in faults}
        fields = SendRequested.model_fields
        needed = {name for name, field in fields.items() if field.is_required()} - _STAND_INS.keys()
        if wrong & needed or not wrong <= fields.keys():
            return None
        said = {name: value for name, value in given.items() if name != "requested_at"}
        kept = {name: value for name, value in given.items() if name in fields and name not in wrong}
        stand_ins = {name: value for name, value in _STAND_INS.items() if name in wrong}
        asked_hash = sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
        fault = ".".join(str(step) for step in faults[0][0])
        return InvalidRequest.model_validate({**kept, **stand_ins, "fault": fault, "asked_hash": asked_hash})


class InvalidRequest(SubmittedRequest):
    """A request that the router denies for a field. What it would send, and to whom, is not told here."""

    fault: str
    """The first field that is wrong, with dots."""
    asked_hash: bytes

    def body_hash(self) -> bytes:
        """Hash what was asked as it came, without `requested_at`."""
        return self.asked_hash


SUBMITTED: Final = replace(SEND_REQUESTED, event=SubmittedRequest)
"""The topic, read so."""
