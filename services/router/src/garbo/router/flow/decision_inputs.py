"""What a decision was made from, kept beside it: no address, no content, and nothing an address hides in."""

from typing import Final

import msgspec

from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Stored, replace
from garbo.router.flow.state_json import json_bytes

CITED: Final = "cited"
"""In place of the wamid a request answers: a wamid holds the number of the person who wrote it."""


class DecisionInputs(Stored, frozen=True):
    """The request in the decision's words, and what was known of the person, but for the sends."""

    request: Request
    given: RecipientState


_FACTS: Final = msgspec.json.Decoder(DecisionInputs)


def inputs_bytes(request: Request, state: RecipientState) -> bytes:
    """Write down what a request is decided from."""
    cited_us = dict(state.inbound).get(request.reply_to or "")
    asked = replace(request, contact="", budget_left={}, reply_to=None if cited_us is None else CITED)
    given = replace(
        state,
        version=0,
        sends=(),
        campaign_sends=(),
        inbound=() if cited_us is None else ((CITED, cited_us),),
        stops={brand: replace(stop, by="") for brand, stop in state.stops.items()},
        questions={brand: replace(question, by="") for brand, question in state.questions.items()},
    )
    return json_bytes(DecisionInputs(asked, given))


def read_inputs(content: bytes) -> DecisionInputs:
    """Read what a request was decided from. A request that answered a message answers `CITED`."""
    return _FACTS.decode(content)
