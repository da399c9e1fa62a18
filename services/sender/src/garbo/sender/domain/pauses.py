"""What is paused, by whom, and what of it a message has to do with. Pure.

A pause of an account, a number or its promo stops a whole line: nothing of it begins. A pause of a template
or a campaign parks single messages, so that they delay nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from garbo.common.events.decisions import Lane
from garbo.common.events.pauses import PauseScope, PauseSource
from garbo.common.events.statuses import MessageStatus
from garbo.sender.domain.error_codes import CODES, Code
from garbo.sender.domain.outcomes import ACCESS_REFUSED, Failed, NotYet, Outcome
from garbo.sender.domain.queued_send import QueuedSend

ALL: Final = "*"
"""In a template's name: all names, or all languages."""
FIRST_PROBE_S: Final = 15
LONGEST_PROBE_S: Final = 300
"""A number paused by a code is tried with one message after 15 s, then 30, 60, 120, 240, 300, 300 ..."""

Thing = tuple[PauseScope, str]
"""What can be paused: scope and name."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that is in force."""

    scope: PauseScope
    name: str
    source: PauseSource
    reason: str
    by: str
    since: datetime
    until: datetime | None
    probe_in_s: float | None
    """Seconds from when it was read until one message may be tried; None: never."""

    @property
    def thing(self) -> Thing:
        """What is paused."""
        return self.scope, self.name


@dataclass(frozen=True, slots=True)
class PauseOrder:
    """Somebody pauses something. The same again changes nothing."""

    scope: PauseScope
    name: str
    source: PauseSource
    reason: str
    by: str
    at: datetime | None = None
    """When it was said; None: now. What was resumed later stays so."""
    until: datetime | None = None
    lasts: timedelta | None = None
    """In place of `until`, from now on; neither: until somebody says so."""


@dataclass(frozen=True, slots=True)
class ResumeOrder:
    """Somebody ends the pauses of some sources."""

    scope: PauseScope
    name: str
    sources: tuple[PauseSource, ...]
    by: str
    at: datetime | None = None
    """When it was said; None: now. What was paused later stays so."""
    reason: str | None = None
    """Only what was paused for this reason."""


Order = PauseOrder | ResumeOrder


def line_of(number: str, lane: Lane, account: str | None) -> Iterator[Thing]:
    """Give what stops a number's lane."""
    if account is not None:
        yield "account", account
    yield "number", number
    if lane == "promo":
        yield "promo", number


def parts_of(send: QueuedSend, account: str | None) -> Iterator[Thing]:
    """Give what parks a message: its template, in this or all languages, and its campaign."""
    if send.template is not None and account is not None:
        name, _, language = send.template.partition("/")
        yield "template", f"{account}:{name}:{language}"
        yield "template", f"{account}:{name}:{ALL}"
        yield "template", f"{account}:{ALL}:{ALL}"
    if send.campaign is not None:
        yield "campaign", f"{send.brand}:{send.campaign}"


def parked_why(thing: Thing) -> str:
    """Say why a message is parked: what ends with the pause, ends the parking."""
    return f"pause:{thing[0]}:{thing[1]}"


def order_of_answer(send: QueuedSend, outcome: Outcome, account: str | None) -> PauseOrder | None:
    """Say what the platform's answer to a send pauses; None: nothing."""
    if not isinstance(outcome, Failed | NotYet):
        return None
    if outcome.code is None:
        is_refused = outcome.reason == ACCESS_REFUSED
        return PauseOrder("number", send.number, "code", outcome.reason, "http") if is_refused else None
    known = CODES.get(outcome.code)
    template = None if send.template is None else send.template.replace("/", ":")
    return _order(known, number=send.number, account=account, template=template) if known else None


def order_of_status(status: MessageStatus) -> PauseOrder | None:
    """Say what a status pauses: some codes come later than the answer. Of which template it is, none says."""
    if status.status != "failed" or status.number is None:
        return None
    known = next((CODES[error.code] for error in status.errors if error.code in CODES), None)
    return _order(known, number=status.number, account=status.waba, template=None) if known else None


def _order(known: Code, *, number: str, account: str | None, template: str | None) -> PauseOrder | None:
    found = _thing(known, number=number, account=account, template=template)
    if found is None:
        return None
    lasts = None if known.pause_h is None else timedelta(hours=known.pause_h)
    return PauseOrder(*found, "code", known.word, str(known.code), lasts=lasts)


def _thing(known: Code, *, number: str, account: str | None, template: str | None) -> Thing | None:
    """Give what a code pauses; None where that cannot be named."""
    if known.pauses == "number" or known.pauses == "promo":  # noqa: PLR1714 - mypy narrows this one
        return known.pauses, number
    if account is None:
        return None
    match known.pauses:
        case "account":
            return "account", account
        case "template":
            return None if template is None else ("template", f"{account}:{template}")
        case "templates":
            return "template", f"{account}:{ALL}:{ALL}"
    return None
