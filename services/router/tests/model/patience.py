"""What waits is not overtaken, and not denied on a guess."""

from dataclasses import replace

from garbo.common.events.decisions import DecisionMade
from services.router.tests.model.cast import Message, rank
from services.router.tests.model.facts import Asked, TimedRule
from services.router.tests.model.world import World


def judge_overtaken(world: World, message: Message, asked: Asked) -> None:
    """See that nobody of equal class and priority who comes before this one waits although they may go."""
    facts = world.facts_of(message)
    for other in world.messages.values():
        if other.state != "deferred" or other.wish.person != message.wish.person:
            continue
        waiting = world.asked_of(other)
        alike = (waiting.message_class, waiting.priority) == (asked.message_class, asked.priority)
        if alike and rank(other) < rank(message):
            answer = world.oracle.answer(facts, waiting, world.now_us)
            assert answer.verdict != "allow", f"overtaken by a later one: {other.wish} {message.wish}"


def judge_guess(world: World, message: Message, asked: Asked, record: DecisionMade) -> None:
    """See that no final denial rests on sends that may yet come to nothing, while there is time to wait.

    A rule that denies whenever it refuses wants no waiting, whatever it refuses for.
    """
    oracle, facts, now_us = world.oracle, world.facts_of(message), world.now_us
    touching = [rule for rule in oracle.rules if oracle.touches(rule, asked)]
    start_us = max(now_us, asked.not_before_us)
    refusing = [rule for rule in touching if not oracle.permits(rule, facts, asked, start_us)]
    if any(oracle.is_final(rule, facts, asked, start_us) for rule in refusing):
        return
    ends = [
        (message.first_decided_us or now_us) + rule.max_defer_us
        for rule in refusing
        if isinstance(rule, TimedRule)
    ]
    ends += [] if asked.expires_at_us is None else [asked.expires_at_us]
    if min(ends, default=now_us + 1) <= now_us:
        return
    settled = {key: sent for key, sent in facts.sends.items() if not sent.open}
    best = oracle.answer(replace(facts, sends=settled), asked, now_us)
    assert best.verdict == "deny", f"{record.reason}, and for good, on what may come to nothing: {best}"
