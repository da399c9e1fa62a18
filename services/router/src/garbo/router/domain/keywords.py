"""STOP and START: what a whole message must be to count as one."""

import unicodedata
from typing import Final, Literal

Keyword = Literal["stop", "start"]


def normalised(text: str) -> str:
    """Reduce a message to letters and digits: no marks, case, punctuation, emoji; single spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if unicodedata.category(c)[0] != "M").casefold()
    kept = "".join(c if c.isalnum() or c.isspace() else "" for c in bare)
    return " ".join(kept.split())


_STOP_WORDS: Final = (
    "STOP, STOPALL, STOP ALL, UNSUBSCRIBE, OPT-OUT, OPT OUT, REVOKE, REMOVE, STOP PROMOTIONS, "
    "ARRET, DESABONNER, DESINSCRIRE, "
    "BAJA, DESUSCRIBIR, no mas mensajes, DARME DE BAJA, "
    "DISISCRIVIMI, DISISCRIVI, CANCELLAMI, non scrivetemi più, "
    "DESCADASTRAR, sair da lista, "
    "ABMELDEN, ABBESTELLEN, STOPP, AFMELDEN, WYPISZ, REZYGNUJE, DEZABONARE, IPTAL, "
    "ОТПИСАТЬСЯ, СТОП, إيقاف, ΔΙΑΓΡΑΦΗ"
)
"""Always an opt-out, in any context. English as Twilio, AWS, Braze, Telnyx have it; the rest is ours."""
_START_WORDS: Final = "START, UNSTOP, RESUME, OPT-IN, OPT IN, RIATTIVA, RIPRENDI, REPRENDRE, СТАРТ"

STOP_WORDS: Final = frozenset(normalised(word) for word in _STOP_WORDS.split(","))
START_WORDS: Final = frozenset(normalised(word) for word in _START_WORDS.split(","))


def keyword_of(*, text: str | None, payload: str | None = None) -> Keyword | None:
    """Recognise STOP or START as the whole of a button's payload, else of the text."""
    for candidate in (payload, text):
        if candidate and len(candidate) <= 64:  # noqa: PLR2004 - longer than any of the words
            word = normalised(candidate)
            if word in STOP_WORDS:
                return "stop"
            if word in START_WORDS:
                return "start"
    return None
