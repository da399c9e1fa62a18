"""What STOP, START and the words around them do to a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from garbo.router.domain.instants import DAY_US, MINUTE_US
from garbo.router.domain.rules.consent import confirmable, unanswered, with_confirmation, without_overtaken
from garbo.router.domain.state import Question, RecipientState, Stop
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.case import case_is_open
from garbo.router.flow.events.consent import ConsentEvent, record_consent_event
from garbo.router.flow.events.replies import KeywordMessage, ask_question, confirm_stop
from garbo.router.flow.reevaluation import reevaluate_promos
from garbo.router.flow.unit_of_work import UnitOfWork

AFTER_PROMO_US: Final = 3 * DAY_US
"""A word that may mean STOP means it within 72 h of a promo, when the promo was what we said last."""
QUESTION_US: Final = 3 * DAY_US
"""A question nobody answers holds promo this long."""
LATE_RECORD_US: Final = MINUTE_US
"""A send is recorded this much later than it happened at most, as far as an answer's whole seconds go."""


@dataclass(frozen=True, slots=True)
class KeywordEffects:
    """What one keyword does to the contact who wrote it. Written again, or come again, it changes nothing."""

    uow: UnitOfWork
    directory: Directory
    message: KeywordMessage

    def apply(self) -> Literal["opted_out", "opted_in"] | None:
        """Do what the keyword means; tells whether it was an opt-out or an opt-in."""
        match self.message.keyword.meaning:
            case "stop":
                self._stop()
                return "opted_out"
            case "start":
                self._start()
                return "opted_in"
            case "confirm":
                return "opted_in" if self._confirm() else None
            case "unsure":
                return "opted_out" if self._decide_unsure() else None
            case "keep":
                self._close_question()
                return None

    def _stop(self) -> None:
        """Stop promos of the brand: granted ones are called back, waiting ones denied; one confirmation."""
        message, brand, at_us = self.message, self.message.brand, self.message.at_us
        known = self._state.stops.get(brand, Stop())
        self._record("withdrawn", brand=brand)
        self._close_question()
        self._put(without_overtaken(self._state, brand=brand, at_us=at_us))
        if known.by == message.ref or at_us <= (known.stopped_at_us or 0):
            return
        by = known.by if known.active else message.ref
        stop = replace(known, stopped_at_us=at_us, by=by)
        self._put(replace(self._state, stops={**self._state.stops, brand: stop}))
        if stop.active:
            self.uow.revoke_promos(message.contact_id, brand=brand, trace=message.trace)
        if stop.active and not known.active:
            confirm_stop(self.uow, self.directory, message)

    def _start(self) -> None:
        """Lift an earlier STOP, and confirm what the contact was asked to confirm.

        It gives no consent that was not there.
        """
        brand, at_us = self.message.brand, self.message.at_us
        self._record("given", brand=brand)
        self._close_question()
        self._confirm_consents(confirmable(self._state, brand=brand, at_us=at_us))
        known = self._state.stops.get(brand, Stop())
        started = replace(known, started_at_us=max(at_us, known.started_at_us or 0))
        self._put(replace(self._state, stops={**self._state.stops, brand: started}))

    def _confirm(self) -> bool:
        """Confirm what the contact was asked to confirm and has not; tells whether there was anything."""
        keys = confirmable(self._state, brand=self.message.brand, at_us=self.message.at_us)
        keys = unanswered(self._state, keys)
        self._confirm_consents(keys)
        return bool(keys)

    def _confirm_consents(self, keys: Sequence[str]) -> None:
        self._put(with_confirmation(self._state, keys=keys, at_us=self.message.at_us))
        for brand in {key.partition("/")[0] for key in keys}:
            self._record("confirmed", brand=brand)

    def _decide_unsure(self) -> bool:
        """Take a word that may mean STOP for one right after a promo; else ask, and let promo wait.

        Tells whether it was an opt-out. A word that was decided before is not decided again.
        """
        message, brand, at_us = self.message, self.message.brand, self.message.at_us
        stop, question = self._state.stops.get(brand), self._state.questions.get(brand)
        if stop is not None and stop.by == message.ref:
            return True
        if message.inbound.group_id is not None or (question and at_us <= question.until_us):
            return False
        if stop is not None and stop.active:
            return False
        if self._answers_promo():
            self._stop()
            return True
        asked = Question(at_us, at_us + QUESTION_US, message.ref)
        self._put(replace(self._state, questions={**self._state.questions, brand: asked}))
        if asked.until_us > self.uow.snapshot.now_us:
            ask_question(self.uow, self.directory, message)
            reevaluate_promos(self.uow, message.contact_id, brand=brand, trace=message.trace)
        return False

    def _close_question(self) -> None:
        """Close the question that is open: promo waits no longer. The same word does not open it again."""
        brand, at_us = self.message.brand, self.message.at_us
        question = self._state.questions.get(brand)
        if question is None or not question.asked_at_us <= at_us < question.until_us:
            return
        closed = replace(question, until_us=at_us)
        self._put(replace(self._state, questions={**self._state.questions, brand: closed}))
        self.uow.contacts_to_recheck.add(self.message.contact_id)

    def _answers_promo(self) -> bool:
        """Say whether a promo was what this brand sent last, not long ago, and nobody works on a case."""
        brand, at_us = self.message.brand, self.message.at_us
        if case_is_open(self._state, brand=brand):
            return False
        until_us = at_us + LATE_RECORD_US
        sent = [s for s in self._state.sends if s.brand == brand and not s.open and s.at_us <= until_us]
        last = max(sent, key=lambda send: send.at_us, default=None)
        return last is not None and last.message_class == "promo" and last.at_us > at_us - AFTER_PROMO_US

    def _record(self, action: Literal["given", "confirmed", "withdrawn"], *, brand: str) -> None:
        message = self.message
        event = ConsentEvent(
            key=message.ref,
            action=action,
            source="button" if message.inbound.payload else "keyword",
            at_us=message.at_us,
            brand=brand,
            number=message.inbound.number,
            locale=message.keyword.language,
        )
        record_consent_event(self.uow, message.contact_id, event)

    @property
    def _state(self) -> RecipientState:
        return self.uow.states[self.message.contact_id]

    def _put(self, state: RecipientState) -> None:
        self.uow.put(self.message.contact_id, state)
