"""Values as JSON one can read in psql. Instants are microseconds; the unsaid is left out."""

from typing import Final

import msgspec

from garbo.router.domain.prepared_request import DecisionInputs
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.values import Stored, replace

_WRITER: Final = msgspec.json.Encoder(order="deterministic", enc_hook=str)  # str: asyncpg's own UUIDs
_STATE: Final = msgspec.json.Decoder(RecipientState)
_SEND: Final = msgspec.json.Decoder(Send)
_INPUTS: Final = msgspec.json.Decoder(DecisionInputs)


def json_bytes(kept: Stored) -> bytes:
    """Write a value; what is as it began is left out."""
    return _WRITER.encode(kept)


def state_bytes(state: RecipientState) -> bytes:
    """Write a state, but for what stands elsewhere."""
    return json_bytes(replace(state, version=0, campaign_sends=()))


def read_state(version: int, content: bytes) -> RecipientState:
    """Read a state; keys it does not know are left out."""
    return replace(_STATE.decode(content), version=version)


def read_send(content: bytes) -> Send:
    """Read one send that counts."""
    return _SEND.decode(content)


def read_inputs(content: bytes) -> DecisionInputs:
    """Read what a request was decided from."""
    return _INPUTS.decode(content)
