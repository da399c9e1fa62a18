"""What STOP, START and the words around them do to a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from garbo.common.events.ids import platform_message_ref
from garbo.router.domain.consent import confirmable, unanswered, with_confirmation, without_overtaken
from garbo.router.domain.instants import DAY_US, MINUTE_US
from garbo.router.domain.state import Question, Stop
from garbo.router.domain.values import replace
from garbo.router.flow.directory import Directory
from garbo.router.flow.events.case import case_is_open
from garbo.router.flow.events.consent import ConsentEvent, record_consent_event
from garbo.router.flow.events.replies import KeywordMessage, ask_question, confirm_stop
from garbo.router.flow.events.revocation import revoke_promos
from garbo.router.flow.promo_reevaluation import reconsider
from garbo.router.flow.unit_of_work import UnitOfWork

AFTER_PROMO_US: Final = 3 * DAY_US
"""A word that may mean STOP means it within 72 h of a promo, when the promo was what we said last."""
QUESTION_US: Final = 3 * DAY_US
"""A question nobody answers holds promo this long."""
LATE_RECORD_US: Final = MINUTE_US
"""A send is recorded this much later than it happened at most, as far as an answer's whole seconds go."""


@dataclass(frozen=True, slots=True)
class KeywordEffects:
    """Obeys keywords. Said again, or come again, they change nothing."""

    uow: UnitOfWork
    directory: Directory

    def stop(self, said: KeywordMessage) -> None:
        """Stop promos of the brand: granted ones are called back, waiting ones denied; one confirmation."""
        state = self.uow.states[said.contact_id]
        known = state.stops.get(said.brand, Stop())
        self._note(said, action="withdrawn")
        self._answered(said)
        state = self.uow.states[said.contact_id]
        self.uow.put(said.contact_id, without_overtaken(state, brand=said.brand, at_us=said.at_us))
        if known.by == said.message.wamid or said.at_us <= (known.stopped_at_us or 0):
            return
        by = known.by if known.active else said.message.wamid
        stop = replace(known, stopped_at_us=said.at_us, by=by)
        state = self.uow.states[said.contact_id]
        self.uow.put(said.contact_id, replace(state, stops={**state.stops, said.brand: stop}))
        if stop.active:
            revoke_promos(self.uow, said.contact_id, brand=said.brand, trace=said.trace)
        if stop.active and not known.active:
            confirm_stop(self.uow, self.directory, said)

    def start(self, said: KeywordMessage) -> None:
        """Lift an earlier STOP, and confirm what the person was asked to confirm.

        It gives no consent that was not there.
        """
        uow, contact_id = self.uow, said.contact_id
        self._note(said, action="given")
        self._answered(said)
        state = uow.states[contact_id]
        self._confirm(said, confirmable(state, brand=said.brand, at_us=said.at_us))
        state = uow.states[contact_id]
        known = state.stops.get(said.brand, Stop())
        started = replace(known, started_at_us=max(said.at_us, known.started_at_us or 0))
        uow.put(contact_id, replace(state, stops={**state.stops, said.brand: started}))

    def confirm(self, said: KeywordMessage) -> bool:
        """Confirm what the person was asked to confirm and has not; tells whether there was anything."""
        state = self.uow.states[said.contact_id]
        keys = confirmable(state, brand=said.brand, at_us=said.at_us)
        return self._confirm(said, unanswered(state, keys))

    def _confirm(self, said: KeywordMessage, keys: Sequence[str]) -> bool:
        state = self.uow.states[said.contact_id]
        self.uow.put(said.contact_id, with_confirmation(state, keys=keys, at_us=said.at_us))
        for brand in {key.partition("/")[0] for key in keys}:
            self._note(replace(said, brand=brand), action="confirmed")
        return bool(keys)

    def weigh(self, said: KeywordMessage) -> bool:
        """Take a word that may mean STOP for one right after a promo; else ask, and let promo wait.

        Tells whether it was an opt-out. A word that was weighed before is not weighed again.
        """
        state = self.uow.states[said.contact_id]
        stop, question = state.stops.get(said.brand), state.questions.get(said.brand)
        if stop is not None and stop.by == said.message.wamid:
            return True
        if said.message.group_id is not None or (question and said.at_us <= question.until_us):
            return False
        if stop is not None and stop.active:
            return False
        if self._answers_promo(said):
            self.stop(said)
            return True
        asked = Question(said.at_us, said.at_us + QUESTION_US, said.message.wamid)
        self.uow.put(said.contact_id, replace(state, questions={**state.questions, said.brand: asked}))
        if asked.until_us > self.uow.snapshot.now_us:
            ask_question(self.uow, self.directory, said)
            reconsider(self.uow, self.directory, said.contact_id, brand=said.brand, trace=said.trace)
        return False

    def keep(self, said: KeywordMessage) -> None:
        """Take the answer that it was no STOP: promo need not wait any more."""
        self._answered(said)

    def _answered(self, said: KeywordMessage) -> None:
        """Close the question that is open; the same word does not open it again."""
        state = self.uow.states[said.contact_id]
        question = state.questions.get(said.brand)
        if question is None or not question.asked_at_us <= said.at_us < question.until_us:
            return
        closed = replace(question, until_us=said.at_us)
        self.uow.put(said.contact_id, replace(state, questions={**state.questions, said.brand: closed}))
        self.uow.freed.add(said.contact_id)

    def _answers_promo(self, said: KeywordMessage) -> bool:
        """Say whether a promo was what this brand sent last, not long ago, and nobody works on a case."""
        state = self.uow.states[said.contact_id]
        if case_is_open(state, brand=said.brand):
            return False
        sent = [
            send
            for send in state.sends
            if send.brand == said.brand and not send.open and send.at_us <= said.at_us + LATE_RECORD_US
        ]
        last = max(sent, key=lambda send: send.at_us, default=None)
        return last is not None and last.message_class == "promo" and last.at_us > said.at_us - AFTER_PROMO_US

    def _note(self, said: KeywordMessage, *, action: Literal["given", "confirmed", "withdrawn"]) -> None:
        act = ConsentEvent(
            key=platform_message_ref(said.message.wamid),
            action=action,
            source="button" if said.message.payload else "keyword",
            at_us=said.at_us,
            brand=said.brand,
            number=said.message.number,
            locale=said.keyword.language,
        )
        record_consent_event(self.uow, said.contact_id, act)
