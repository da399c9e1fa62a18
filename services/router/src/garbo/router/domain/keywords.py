"""STOP, START and what may mean them: what people type, and what their presses of buttons mean.

Typed text is the person's: a sentence that says nothing but an opt-out is one, however it is dressed; one
that merely holds such a word is not. Buttons and list rows are the business's words, whatever they say: they
mean something here only where they are our own, the platform's opt-out, or declared by the business.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Final, Literal

from garbo.router.domain.keyword_tables import (
    CONFIRM,
    EVERYWHERE,
    NEITHER,
    PLATFORM_TITLES,
    START,
    VOCABULARIES,
)
from garbo.router.domain.vocabularies.vocabulary import Vocabulary

Meaning = Literal["stop", "unsure", "start", "confirm", "keep"]
"""stop: an opt-out, in any context. unsure: one where the context makes it one, else worth a question.
start: lifts a STOP. confirm: says yes to an opt-in that was asked for. keep: no opt-out, after a question."""
Kind = Literal["stop", "alone", "unsure", "refuse", "about", "glue", "polite"]
"""What a phrase is in a sentence: a field of `Vocabulary`."""
_KINDS: Final[tuple[Kind, ...]] = ("polite", "glue", "about", "refuse", "unsure", "alone", "stop")

STOP_BUTTON: Final = "garbo:stop"
KEEP_BUTTON: Final = "garbo:keep"
"""The ids of the two buttons of the question."""
PRESSES: Final = frozenset({"button", "interactive"})
"""Kinds of messages that are chosen, not typed: a template's quick reply; a button, a list row, a form."""
MOST_WORDS: Final = 16
MOST_LETTERS: Final = 400
"""Nobody needs more to say it. Signs do not count, nor does what is said again and again."""
LONGEST_PHRASE_WORDS: Final = 5
LONG_WORD_CHARS: Final = 9
"""A word of this length stands for one letter missed or added, too."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word that was recognised, and the language it is of where it is of one."""

    meaning: Meaning
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Payloads:
    """What a brand declares its buttons to mean: payloads, exactly as they are sent."""

    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()


NO_PAYLOADS: Final = Payloads()
_OUR_BUTTONS: Final = {STOP_BUTTON: Keyword("stop"), KEEP_BUTTON: Keyword("keep")}


def keyword_of(
    *,
    text: str | None,
    payload: str | None = None,
    kind: str = "text",
    more: Collection[str] = (),
    declared: Payloads = NO_PAYLOADS,
) -> Keyword | None:
    """Recognise what a message of this kind means to promo; None leaves it to the conversation.

    `text` is what was typed, or the title of what was pressed. `more` are the policy's own words, always an
    opt-out as the whole of what is typed: they add to the shipped ones and take none away. `declared` are the
    brand's own payloads.
    """
    if kind in PRESSES or payload is not None:
        return _pressed(text, payload, kind=kind, declared=declared)
    short = " ".join(word for word, _ in groupby(squeezed(text or "").split()))
    if sum(map(str.isalpha, short)) > MOST_LETTERS:
        return None
    said = normalised(short)
    if more and said in _normalised_all(tuple(more)):
        return Keyword("stop")
    return _whole_messages().get(said) or _sentence(said)


def _pressed(title: str | None, payload: str | None, *, kind: str, declared: Payloads) -> Keyword | None:
    if payload in _OUR_BUTTONS:
        return _OUR_BUTTONS[payload]
    if payload in declared.stop or is_platform_opt_out(title, payload, kind=kind):
        return Keyword("stop")
    if payload in declared.start:
        return Keyword("start")
    return Keyword("confirm") if payload in declared.confirm else None


def is_platform_opt_out(title: str | None, payload: str | None, *, kind: str) -> bool:
    """Say whether it is the platform's own opt-out: a template's quick reply whose payload is its title."""
    return kind == "button" and title == payload and normalised(title or "") in _platform_titles()


def _sentence(said: str) -> Keyword | None:
    """Recognise a sentence all of whose words are of one language's vocabulary and together an opt-out."""
    words = tuple(word for word, _ in groupby(said.split()))
    if len(words) > MOST_WORDS or f" {said} ".find(f" {NEITHER} ") >= 0:
        return None
    unsure: Keyword | None = None
    for language in VOCABULARIES:
        if not _lexicon(language).issuperset(words):
            continue  # most messages, at no cost
        meanings = {_meaning(kinds) for kinds in _readings(words, _phrases(language))}
        if "stop" in meanings:
            return Keyword("stop", language)
        if "unsure" in meanings:
            unsure = unsure or Keyword("unsure", language)
    return unsure


def _meaning(kinds: frozenset[Kind]) -> Meaning | None:
    """Say what the kinds of a sentence's phrases come to; courtesy changes nothing."""
    told = kinds - {"polite"}
    if "stop" in told or {"refuse", "about"} <= told or told == {"alone"}:
        return "stop"
    if "alone" in told or ("glue" in told and "about" not in told):
        return None
    return "unsure" if "unsure" in told else None


def _readings(words: tuple[str, ...], phrases: Mapping[str, frozenset[Kind]]) -> frozenset[frozenset[Kind]]:
    """Give each set of kinds that a sentence can be made of; none where a word is unknown."""
    ending_at: list[set[frozenset[Kind]]] = [{frozenset()}, *(set() for _ in words)]
    for end in range(1, len(words) + 1):
        for start in range(max(0, end - LONGEST_PHRASE_WORDS), end):
            for kind in phrases.get(" ".join(words[start:end]), ()):
                ending_at[end] |= {before | {kind} for before in ending_at[start]}
    return frozenset(ending_at[-1])


@cache
def _phrases(language: str) -> Mapping[str, frozenset[Kind]]:
    """Give what each phrase of a language may be, one mistyped letter of a long word forgiven."""
    phrases: dict[str, frozenset[Kind]] = {}
    for vocabulary in (EVERYWHERE, VOCABULARIES[language]):
        for kind in _KINDS:
            for phrase in _listed(getattr(vocabulary, kind)):
                phrases[phrase] = phrases.get(phrase, frozenset()) | {kind}
    for phrase in _listed(VOCABULARIES[language].stop):
        for mistyped in _mistyped(phrase):
            phrases.setdefault(mistyped, frozenset({"stop"}))
    return phrases


@cache
def _lexicon(language: str) -> frozenset[str]:
    return frozenset(word for phrase in _phrases(language) for word in phrase.split())


def _mistyped(word: str) -> Iterator[str]:
    """Give a long word with one letter left out or two changed about."""
    if " " in word or len(word) < LONG_WORD_CHARS:
        return
    for place in range(1, len(word)):
        yield word[:place] + word[place + 1 :]
        yield word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]


@cache
def _whole_messages() -> Mapping[str, Keyword]:
    """Give what is known as a whole message, in whatever language; an opt-out comes before all others."""
    known: dict[str, Keyword] = {}
    languages: list[tuple[str | None, Vocabulary]] = [*VOCABULARIES.items(), (None, EVERYWHERE)]
    known |= {word: Keyword("confirm", language) for language, words in CONFIRM for word in _listed(words)}
    for language, vocabulary in languages:
        known |= {word: Keyword("unsure", language) for word in _listed(vocabulary.unsure)}
    known |= {word: Keyword("start", language) for language, words in START for word in _listed(words)}
    for language, vocabulary in languages:
        opt_outs = f"{vocabulary.stop}, {vocabulary.alone}"
        known |= {word: Keyword("stop", language) for word in _listed(opt_outs)}
    return known


def _listed(words: str) -> list[str]:
    return [phrase for word in words.split(",") if (phrase := normalised(word))]


@cache
def _platform_titles() -> frozenset[str]:
    return frozenset(_listed(PLATFORM_TITLES))


@lru_cache(maxsize=16)
def _normalised_all(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(normalised(word) for word in words) - {""}


_ALIKE: Final[dict[int, int | str | None]] = {
    # Letters with no decomposition, as a telephone without them writes them.
    **str.maketrans("ıłđðøħŧŋĸəƒς", "ilddohtnkefσ"),
    **{ord(letter): written for letter, written in (("æ", "ae"), ("œ", "oe"), ("þ", "th"), ("ß", "ss"))},
    # Letters of one word that are written in two ways, in the scripts that do.
    **str.maketrans("ёأإآٱىیکة", "еااااييكه", "ـ"),
}
_ACCENTED: Final = ("LATIN", "GREEK")
"""Scripts whose marks are accents: the letter below one is the same letter for who writes in haste."""
_POINTED: Final = ("CYRILLIC", "ARABIC", "HEBREW")
"""Scripts where a mark that makes a letter of its own (й, ї) stays and one that only tells how to read goes.
In all others marks are letters: a vowel of Devanagari, a tone of Thai."""
_RUN: Final = re.compile(r"(.)\1{2,}", re.DOTALL)
_SPELT: Final = 3
"""This many single letters in a row are one word, spelt."""


def normalised(text: str) -> str:
    """Reduce a text to its words, single spaces between them.

    Case, accents, signs and emoji go; a sign between letters parts two words. Three of a letter or more in a
    row are one. Idempotent.
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", squeezed(text)).casefold())
    kept = "".join(_cluster(letter, marks) for letter, marks in _clusters(folded))
    words = squeezed(unicodedata.normalize("NFC", kept).translate(_ALIKE)).split()
    return squeezed(" ".join(_unspelt(words)))


def squeezed(text: str) -> str:
    """Write three or more of a character in a row once."""
    return _RUN.sub(r"\1", text)


def _clusters(text: str) -> list[tuple[str, str]]:
    """Part a decomposed text into letters and the marks on each."""
    clusters: list[tuple[str, str]] = []
    for character in text:
        if not unicodedata.category(character).startswith("M"):
            clusters.append((character, ""))
        elif clusters:
            letter, marks = clusters[-1]
            clusters[-1] = (letter, marks + character)
    return clusters


@lru_cache(maxsize=4096)
def _cluster(letter: str, marks: str) -> str:
    """Write a letter with those of its marks that count; a blank for a sign, nothing for what is unseen."""
    if not letter.isalnum():
        return "" if unicodedata.category(letter) == "Cf" else " "
    if not marks:
        return letter
    name = unicodedata.name(letter, "")
    if name.startswith(_ACCENTED):
        return letter
    composed = unicodedata.normalize("NFC", letter + marks)
    return composed[0] if name.startswith(_POINTED) else composed


def _unspelt(words: list[str]) -> list[str]:
    """Join letters that stand alone, such as S T O P or S.T.O.P."""
    if len(words) >= _SPELT and all(len(word) == 1 for word in words):
        return ["".join(words)]
    return words
