"""What a decision was made from, kept beside it: no address, no content, and nothing an address hides in."""

from typing import Final

from garbo.router.domain.request import Request
from garbo.router.domain.state import RecipientState
from garbo.router.domain.values import Stored, replace

CITED: Final = "cited"
"""In place of the wamid a request answers: a wamid holds the number of the person who wrote it."""


class DecisionInputs(Stored, frozen=True):
    """The request in the decision's words, and what was known of the person, but for the sends."""

    request: Request
    given: RecipientState


def decision_inputs(request: Request, state: RecipientState) -> DecisionInputs:
    """Give what is kept of what a request is decided from. One that answers a message answers `CITED`."""
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
    return DecisionInputs(asked, given)
