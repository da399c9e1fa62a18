"""What a customer does with a message. Pure, given the customer's own dice.

Every message draws the same number of dice, so that turning one ratio leaves all other choices alone.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from garbo.simulator.control import Population
from garbo.simulator.population.attachments import Attachment

QUICK_REPLIES: Final = ("Tell me more", "Show me", "Not now")
PROMO_REPLIES: Final = ("Looks nice!", "How long is this offer valid?", "Is there a blue one?", "Grazie!")
UTILITY_REPLIES: Final = ("Thanks!", "When will it arrive?", "Can I pick it up instead?", "Perfetto, grazie")
CARE_REPLIES: Final = ("Thank you!", "That solves it, thanks.", "Still not working for me.", "Grazie mille")
STOPS: Final = ("STOP", "Stop", "stop!", "🛑 stop")
UNCLEAR_STOPS: Final = ("BASTA", "Annulla", "basta!", "No")
"""Words that may mean stop, or an answer to something else."""
STARTS: Final = ("START", "Start")
QUESTIONS: Final = (
    "Where is my order?",
    "My parcel arrived damaged, what can I do?",
    "Can I change the delivery address?",
    "The discount code does not work.",
    "How do I return a pair of shoes?",
    "Do you have this in size 42?",
    "I was charged twice, please help.",
    "Buongiorno, siete aperti domenica?",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a customer answers: free text, a template's quick-reply button, or a button of a message."""

    text: str
    button: bool = False
    button_id: str | None = None
    """The id of a message's own button."""
    attachment: Attachment | None = None
    """A file; the text is its caption."""
    too_large: bool = False
    """A file that Meta does not hand over."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button a message offers."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """Whether a message is read, and what comes back."""

    reads: bool
    reply: Reply | None = None


def react(
    *, category: str, known: bool, random: Random, habits: Population, buttons: tuple[Button, ...] = ()
) -> Reaction:
    """Decide what this person does with a message of this price category, which may offer buttons."""
    reading, answering, stopping, choosing, pressing = (random.random() for _ in range(5))
    reads = reading < habits.read_ratio
    if not (reads and known and habits.on):
        return Reaction(reads)
    if category == "marketing":
        return Reaction(reads, _promo_reply(answering, stopping, choosing, pressing, habits))
    if buttons:
        pressed = buttons[int(choosing * len(buttons))]
        answers = answering < habits.reply_to_buttons_ratio
        return Reaction(reads, Reply(pressed.title, button_id=pressed.id) if answers else None)
    if category == "utility" and answering < habits.reply_to_utility_ratio:
        return Reaction(reads, Reply(pick(UTILITY_REPLIES, choosing)))
    if category == "service" and answering < habits.reply_to_care_ratio:
        return Reaction(reads, Reply(pick(CARE_REPLIES, choosing)))
    return Reaction(reads)


def pick(choices: tuple[str, ...], die: float) -> str:
    """Choose by a die in [0, 1)."""
    return choices[int(die * len(choices))]


def _promo_reply(
    answering: float, stopping: float, choosing: float, pressing: float, habits: Population
) -> Reply | None:
    if stopping < habits.stop_ratio:
        return Reply(pick(STOPS, choosing))
    if stopping < habits.stop_ratio + habits.unclear_stop_ratio:
        return Reply(pick(UNCLEAR_STOPS, choosing))
    if answering >= habits.reply_to_promo_ratio:
        return None
    if pressing < 0.6:  # noqa: PLR2004 - most people press what is there
        return Reply(pick(QUICK_REPLIES, choosing), button=True)
    return Reply(pick(PROMO_REPLIES, choosing))
