"""What an answer, or the lack of one, says about an attempt. Pure.

The line that matters: *we know it was not sent* against *it may have been sent*. The API has no
idempotency key, so only the first may be tried again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, assert_never

from garbo.common.events.addresses import PHONE_PATTERN, USER_ID_PATTERN, Person
from garbo.common.events.ids import platform_message_ref
from garbo.sender.domain.error_codes import CODES

BrokenHow = Literal["unreachable", "timeout", "broken"]
"""unreachable: no connection, so not one byte left. timeout and broken: some bytes may have arrived."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The platform answered; `body` is None when it is not a JSON object."""

    status: int
    body: Mapping[str, Any] | None
    retry_after_s: float | None = None
    """Seconds that the answer's headers ask to wait."""


@dataclass(frozen=True, slots=True)
class Broke:
    """No answer came."""

    how: BrokenHow


Answer = Answered | Broke


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform has it. `held`: for a quality check of the template; still accepted."""

    platform_message_ref: str
    """A hash of the wamid: the wamid itself, which holds the person's number, goes no further than here."""
    held: bool = False
    shown: Person | None = None
    """By which address the platform knows who was written to; None where it does not say so."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The platform said no, for good."""

    code: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """Not sent, and worth another try while the grant is valid. Does not use up the grant."""

    code: int | None
    reason: str
    slow_down: bool = False
    """The number is too fast: everybody who sends from it should wait."""
    of_account: bool = False
    """So are all numbers of its account."""
    unreachable: bool = False
    """Nobody can be reached now."""
    pair: bool = False
    """Too fast for this person alone."""
    retry_after_s: float | None = None
    """For how long, where the platform says so."""
    limited: bool = False
    """Worth `MAX_LIMITED_ATTEMPTS` tries only: the request itself may be what is wrong."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been sent: never again on our own; a status settles it."""

    reason: str
    code: int | None = None


Outcome = Accepted | Failed | NotYet | Unknown

MAX_LIMITED_ATTEMPTS: Final = 5
_PHONE: Final = re.compile(PHONE_PATTERN)
_USER_ID: Final = re.compile(USER_ID_PATTERN)
_LARGEST_CODE: Final = 2**31 - 1
"""What a code is kept as (PostgreSQL's integer); the platform's have seven digits at most."""
_OK: Final = range(200, 300)
_TOO_MANY: Final = 429
_FIRST_SERVER_ERROR: Final = 500
_REFUSED_ACCESS: Final = (401, 403)
ACCESS_REFUSED: Final = "access_refused"
"""The reason where the number may not be used, and no code says why."""


def judge(answer: Answer) -> Outcome:
    """Say what became of the attempt."""
    match answer:
        case Broke(how="unreachable"):
            return NotYet(None, "unreachable", unreachable=True)
        case Broke(how=how):
            return Unknown(how)
        case Answered(status=status, body=body) if status in _OK:
            return _success(body)
        case Answered(status=status, body=body, retry_after_s=after_s):
            outcome = _error(status, code_of(body))
            return replace(outcome, retry_after_s=after_s) if isinstance(outcome, NotYet) else outcome
        case _:
            assert_never(answer)


def word_of(code: int) -> str:
    """Give the stable word of a code; `code_<n>` for one the table does not know."""
    known = CODES.get(code)
    return known.word if known else f"code_{code}"


def _success(body: Mapping[str, Any] | None) -> Outcome:
    """Read the wamid. A 2xx that names none is not understood, so it may have been sent."""
    messages = (body or {}).get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    wamid = first.get("id") if isinstance(first, dict) else None
    if not isinstance(wamid, str) or not wamid:
        return Unknown("unreadable_answer")
    held = first is not None and first.get("message_status", "accepted") != "accepted"
    return Accepted(platform_message_ref(wamid), held=held, shown=_shown((body or {}).get("contacts")))


def _shown(contacts: object) -> Person | None:
    """Read whom the answer names: one contact, by `wa_id` or `user_id`; what has not their form is no one."""
    contact = contacts[0] if isinstance(contacts, list) and len(contacts) == 1 else None
    if not isinstance(contact, dict):
        return None
    wa_id, user_id = contact.get("wa_id"), contact.get("user_id")
    phone = f"+{wa_id}" if isinstance(wa_id, str) and _PHONE.fullmatch(f"+{wa_id}") else None
    user_id = user_id if isinstance(user_id, str) and _USER_ID.fullmatch(user_id) else None
    return Person(phone=phone, user_id=user_id) if phone or user_id else None


def _error(status: int, code: int | None) -> Outcome:
    if code is None:
        return _error_without_code(status)
    known = CODES.get(code)
    if known is None:
        return Unknown("server_error", code) if status >= _FIRST_SERVER_ERROR else Failed(code, word_of(code))
    match known.act:
        case "permanent":
            return Failed(code, known.word)
        case "throttle":
            return NotYet(code, known.word, slow_down=True, of_account=known.of_account)
        case "pause":
            return NotYet(code, known.word)
        case "throttle_pair":
            return NotYet(code, known.word, pair=True)
        case "retry" if status >= _FIRST_SERVER_ERROR:
            return Unknown(known.word, code)
        case "retry":
            return NotYet(code, known.word, limited=True)
        case _:
            assert_never(known.act)


def _error_without_code(status: int) -> Outcome:
    """Decide by HTTP status where the body says nothing: proxies and gateways answer so."""
    if status == _TOO_MANY:
        return NotYet(None, "too_many_requests", slow_down=True)
    if status in _REFUSED_ACCESS:
        return NotYet(None, ACCESS_REFUSED)
    if status >= _FIRST_SERVER_ERROR or status < _OK.start:
        return Unknown("server_error")
    return Failed(None, f"http_{status}")


def code_of(body: Mapping[str, Any] | None) -> int | None:
    """Read the code of an error; None where the body tells none."""
    error = (body or {}).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isdecimal() and len(code) < len(str(_LARGEST_CODE)):
        code = int(code)
    known = isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= _LARGEST_CODE
    return code if known else None


def word_of_outcome(outcome: Outcome) -> str:
    """Name an outcome for figures and spans."""
    match outcome:
        case Accepted():
            return "accepted"
        case Failed():
            return "failed"
        case NotYet():
            return "not_yet"
        case Unknown():
            return "unknown"
