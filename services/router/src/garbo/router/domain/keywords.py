"""STOP, START and what may mean them: what a whole message must be to count as one."""

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Meaning = Literal["stop", "unsure", "start", "confirm", "keep"]
"""stop: an opt-out, in any context. unsure: one where the context makes it one, else worth a question.
start: lifts a STOP. confirm: says yes to an opt-in that was asked for. keep: no opt-out, after a question."""

STOP_BUTTON: Final = "garbo:stop"
KEEP_BUTTON: Final = "garbo:keep"
"""The ids of the two buttons of the question."""
LONGEST_CHARS: Final = 64
"""Longer than any of the words, with room for emoji."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word that was recognised, and the language it is of where it is of one."""

    meaning: Meaning
    language: str | None = None


def normalised(text: str) -> str:
    """Reduce a message to letters and digits: no marks, case, punctuation, emoji; single spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if unicodedata.category(c)[0] != "M").casefold()
    kept = "".join(c if c.isalnum() or c.isspace() else "" for c in bare)
    return " ".join(kept.split())


# English as Twilio, AWS, Braze, Telnyx have it (read 2026-11); the rest is ours: natives should review it.
# Templates with the platform's own opt-out button send its title as the payload.
_ANY: Final = None
_STOP: Final[tuple[tuple[str | None, str], ...]] = (
    (_ANY, "STOP, STOPALL, STOP ALL, OPTOUT, OPT-OUT, OPT OUT"),
    ("en", "UNSUBSCRIBE, REVOKE, REMOVE, REMOVE ME, STOP PROMOTIONS"),
    ("fr", "ARRET, ARRETER, DESABONNER, ME DESABONNER, DESINSCRIRE, ARRETER LES PROMOTIONS"),
    ("es", "BAJA, DESUSCRIBIR, no mas mensajes, DARME DE BAJA, DETENER PROMOCIONES"),
    ("it", "DISISCRIVIMI, DISISCRIVI, CANCELLAMI, non scrivetemi più, INTERROMPI PROMOZIONI"),
    ("pt", "DESCADASTRAR, sair da lista, PARAR PROMOCOES"),
    ("de", "ABMELDEN, ABBESTELLEN, STOPP, WERBUNG STOPPEN"),
    ("nl", "AFMELDEN"),
    ("pl", "WYPISZ, REZYGNUJE"),
    ("ro", "DEZABONARE"),
    ("tr", "IPTAL"),
    ("ru", "ОТПИСАТЬСЯ, СТОП"),
    ("ar", "إيقاف"),
    ("el", "ΔΙΑΓΡΑΦΗ"),
)
_UNSURE: Final[tuple[tuple[str | None, str], ...]] = (
    ("it", "BASTA, ANNULLA, CANCELLA, FINE"),
    (_ANY, "NO"),
    ("en", "CANCEL, END, QUIT"),
    ("fr", "ANNULER"),
    (_ANY, "FIN, CANCELAR, PARAR"),  # French and Spanish; Spanish and Portuguese
    ("es", "SALIR, ALTO, DETENER"),
    ("pt", "PARE, SAIR"),
    ("de", "ENDE"),
)
_START: Final[tuple[tuple[str | None, str], ...]] = (
    (_ANY, "START, UNSTOP, OPT-IN, OPT IN, OPTIN"),
    ("en", "RESUME, SUBSCRIBE"),
    ("it", "RIATTIVA, RIPRENDI, ISCRIVIMI"),
    ("fr", "REPRENDRE, ABONNER"),
    ("es", "REANUDAR, SUSCRIBIR, ALTA"),
    ("pt", "RETOMAR, CADASTRAR"),
    ("de", "STARTEN, ANMELDEN"),
    ("ru", "СТАРТ"),
)
_CONFIRM: Final[tuple[tuple[str | None, str], ...]] = (
    ("en", "CONFIRM, I CONFIRM"),
    ("it", "CONFERMO, CONFERMA"),
    ("fr", "JE CONFIRME, CONFIRMER"),
    ("es", "CONFIRMO, CONFIRMAR"),
    ("de", "BESTATIGEN, ICH BESTATIGE"),
)


def _words(meaning: Meaning, lists: tuple[tuple[str | None, str], ...]) -> Iterator[tuple[str, Keyword]]:
    for language, words in lists:
        for word in words.split(","):
            yield normalised(word), Keyword(meaning, language)


_KNOWN: Final[dict[str, Keyword]] = {
    **dict(_words("confirm", _CONFIRM)),
    **dict(_words("unsure", _UNSURE)),
    **dict(_words("start", _START)),
    **dict(_words("stop", _STOP)),
}
_BUTTONS: Final = {STOP_BUTTON: Keyword("stop"), KEEP_BUTTON: Keyword("keep")}


def keyword_of(*, text: str | None, payload: str | None = None, more: Collection[str] = ()) -> Keyword | None:
    """Recognise a keyword as the whole of a button's payload, else of the text.

    `more` are the policy's own words, always an opt-out. They add to the shipped ones and take none away.
    """
    if payload in _BUTTONS:
        return _BUTTONS[payload]
    for candidate in (payload, text):
        if candidate and len(candidate) <= LONGEST_CHARS:
            word = normalised(candidate)
            if more and word in _normalised_all(tuple(more)):
                return Keyword("stop")
            if word in _KNOWN:
                return _KNOWN[word]
    return None


@lru_cache(maxsize=16)
def _normalised_all(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(normalised(word) for word in words) - {""}
