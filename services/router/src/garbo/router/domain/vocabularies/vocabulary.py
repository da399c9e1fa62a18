"""What a sentence in one language is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words and phrases of one language, comma separated."""

    stop: str = ""
    """An opt-out, alone and in a sentence that says nothing else."""
    alone: str = ""
    """An opt-out as the whole message only: beside other words it may be of a basket or an appointment."""
    unsure: str = ""
    """One where the context makes it one, else worth a question."""
    refuse: str = ""
    """An opt-out beside what is refused: messages, not the blue one."""
    about: str = ""
    """What is refused."""
    glue: str = ""
    """What holds such a sentence together."""
    polite: str = ""
    """What may stand beside any of these."""
