"""The router's own answers: one confirmation after a STOP, one question after a word that may mean it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from garbo.common.business import ROUTER_CLIENT
from garbo.common.events.addresses import Recipient
from garbo.common.events.content import Content, InteractiveContent, Text, TextContent
from garbo.common.events.ids import ContactId
from garbo.common.events.inbound import InboundMessage
from garbo.common.events.requests import SendRequested
from garbo.common.events.topics import SEND_REQUESTED
from garbo.router.domain import replies
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.keywords import KEEP_BUTTON, STOP_BUTTON, Keyword
from garbo.router.domain.replies import in_language
from garbo.router.flow.directory import Directory
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.publisher import OutgoingRecord

_REPLIES: Final = UUID("6b1cbbd0-6a4f-5f0e-9c0d-0c3f5b7d2a06")
PRIORITY: Final = 90
WANTED_FOR: Final = timedelta(hours=1)
"""Later than this after the person's word nobody wants the answer any more."""


@dataclass(frozen=True, slots=True)
class KeywordMessage:
    """A keyword a contact wrote to a brand."""

    inbound: InboundMessage
    ref: str
    """The message, by the reference of its wamid."""
    keyword: Keyword
    contact_id: ContactId
    home_id: ContactId
    """By which id one answers them where they wrote from."""
    brand: str
    at_us: int
    trace: str | None


def confirm_stop(uow: UnitOfWork, directory: Directory, message: KeywordMessage) -> None:
    """Ask for the one confirmation of a STOP to be sent, unless the business wants none."""
    own = directory.replies(message.brand)
    if own.enabled:
        text = in_language(replies.STOPPED, own.stopped, wanted=_languages(uow, directory, message))
        _ask(uow, message, TextContent(text=Text(body=text)), "stopped")


def ask_question(uow: UnitOfWork, directory: Directory, message: KeywordMessage) -> None:
    """Ask for the question to be sent, with its two buttons, unless the business wants none."""
    own = directory.replies(message.brand)
    if not own.enabled:
        return
    wanted = _languages(uow, directory, message)
    interactive = {
        "type": "button",
        "body": {"text": in_language(replies.QUESTION, own.question, wanted=wanted)},
        "action": {
            "buttons": [
                _button(STOP_BUTTON, in_language(replies.STOP, own.stop, wanted=wanted)),
                _button(KEEP_BUTTON, in_language(replies.KEEP, own.keep, wanted=wanted)),
            ]
        },
    }
    _ask(uow, message, InteractiveContent(interactive=interactive), "question")


def _button(button_id: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": button_id, "title": title}}


def _languages(uow: UnitOfWork, directory: Directory, message: KeywordMessage) -> tuple[str | None, ...]:
    """Give what a client told of the person, then the language of the word, then the brand's own."""
    return (
        uow.states[message.contact_id].language_for(message.brand),
        message.keyword.language,
        directory.language(message.brand),
    )


def _ask(uow: UnitOfWork, message: KeywordMessage, content: Content, what: str) -> None:
    """Ask as any service would, under an id that follows from the person's message: twice is once."""
    inbound, at = message.inbound, to_datetime(message.at_us)
    request = SendRequested(
        request_id=uuid5(_REPLIES, f"{message.ref}\n{what}"),
        client=ROUTER_CLIENT,
        brand=message.brand,
        to=Recipient(contact_id=message.home_id),
        number=inbound.number,
        purpose="care",
        priority=PRIORITY,
        content=content,
        reply_to=inbound.wamid,
        expires_at=at + WANTED_FOR,
        requested_at=at,
    )
    uow.outbox.append(OutgoingRecord(SEND_REQUESTED, request, message.home_id, message.trace))
