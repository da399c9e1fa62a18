"""How words are told apart: what folding takes for the same, what a sentence adds, whose a press is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from garbo.router.domain.keyword_tables import VOCABULARIES
from garbo.router.domain.keywords import KEEP_BUTTON, STOP_BUTTON, Keyword, Payloads, keyword_of, normalised


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ARRÊT", "arret"),
        ("wyłącz", "wylacz"),
        ("ıptal", "iptal"),
        ("İPTAL", "iptal"),
        ("smørrebrød", "smorrebrod"),
        ("Ærø", "aero"),
        ("Đường", "duong"),
        ("Straße", "strasse"),
        ("cœur", "coeur"),
        ("Þór", "thor"),
        ("ΔΙΑΓΡΑΦΉ", "διαγραφη"),
        ("τέλος", normalised("ΤΕΛΟΣ")),
        ("ещё", "еще"),
        ("\u0441\u0442\u043e\u0301\u043f", "стоп"),
        ("إِيقَاف", "ايقاف"),
        ("إيـــقاف", "ايقاف"),
        ("STOP", "stop"),
        ("S.T.O.P.", "stop"),
        ("s\u200bto\u2060p\ufe0f", "stop"),
        ("stop,please", "stop please"),
        ("opt-out", "opt out"),
        ("stop_now", "stop now"),
        ("désabonnez-moi", "desabonnez moi"),
        ("🛑stop🛑", "stop"),
        ("stoooop", "stop"),
    ],
)
def test_what_is_written_in_two_ways_is_one(text: str, folded: str) -> None:
    assert normalised(text) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("мой", "мои"),
        ("їх", "іх"),
        ("बंद करो", "बद कर"),
        ("हिंदी", "हद"),
        ("หยุด", "หยด"),
        ("ばす", "はす"),
        ("パス", "ハス"),
        ("நிறுத்து", "நறதத"),
        ("বন্ধ", "বনধ"),
    ],
)
def test_marks_that_are_letters_stay(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@example(text="0:0:0")
@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


SIGNS = st.text("!?.,;:-_*~()[]\"'… \t\n🛑🙏😡👍🏽❤\ufe0f\u200d\u200b", max_size=40)


@given(SIGNS, st.sampled_from(["STOP", "Désabonnement", "ОТПИСАТЬСЯ", "ıptal", "إيقاف"]), SIGNS)
def test_signs_around_a_stop_change_nothing(before: str, word: str, after: str) -> None:
    assert keyword_of(text=before + word + after) == keyword_of(text=word)


@given(st.integers(1, 900), st.sampled_from(["!", "pp", " stop", " STOP", "🛑", " ", "?!", " 🙏", "\n"]))
def test_a_long_tail_changes_nothing(times: int, tail: str) -> None:
    said = keyword_of(text="STOP" + tail * times)
    assert said is not None
    assert said.meaning == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "STOP please",
        "Stop, grazie",
        "STOP STOP",
        "Arrêtez",
        "désabonnement",
        "STOP" + "!" * 80,
        "ıptal",
        "StOp. pLeAsE",
    ],
)
def test_a_plain_stop_is_heard(text: str) -> None:
    said = keyword_of(text=text)
    assert said is not None
    assert said.meaning == "stop"


@pytest.mark.parametrize(
    "text", ["No grazie", "Não", "Nein, danke!", "нет, спасибо", "Όχι", "لا شكرا", "non merci"]
)
def test_a_plain_no_is_asked_about(text: str) -> None:
    said = keyword_of(text=text)
    assert said is not None
    assert said.meaning == "unsure"


@pytest.mark.parametrize("text", ["wylacz", "WYŁĄCZ", "wyłącz"])
def test_the_policys_own_word_is_folded_as_well(text: str) -> None:
    assert keyword_of(text=text, more=("wyłącz",)) == Keyword("stop")


@pytest.mark.parametrize("text", ["start please", "I want to subscribe", "please START", "confirm my order"])
def test_a_sentence_lifts_nothing(text: str) -> None:
    assert keyword_of(text=text) is None


PRESSED = sorted(
    {word.strip() for words in VOCABULARIES.values() for word in f"{words.stop}, {words.unsure}".split(",")}
    | {"STOP", "START", "Inizia chat", "start", "remove", "Confermo", "UNSTOP", "ALTA"}
)


@pytest.mark.parametrize("kind", ["button", "interactive"])
def test_a_press_is_the_businesss_word_whatever_it_says(kind: str) -> None:
    for word in PRESSED:
        assert keyword_of(text=word, payload="7", kind=kind) is None, word
        assert keyword_of(text="Tap here", payload=word, kind=kind) is None, word
        assert keyword_of(text=word, kind="interactive") is None, word


@pytest.mark.parametrize(
    ("title", "payload", "kind", "meaning"),
    [
        ("No more offers", STOP_BUTTON, "interactive", "stop"),
        ("Keep the offers", KEEP_BUTTON, "interactive", "keep"),
        ("Stop promotions", "Stop promotions", "button", "stop"),
        ("Interrompi promozioni", "Interrompi promozioni", "button", "stop"),
        ("Stop promotions", "Stop promotions", "interactive", None),
        ("Stop promotions", "promo-7", "button", None),
        ("Anything", "no-offers", "button", "stop"),
        ("Anything", "no-offers", "interactive", "stop"),
        ("Anything", "offers", "interactive", "start"),
        ("Anything", "yes-offers", "button", "confirm"),
        ("no-offers", "another", "button", None),
        ("Anything", "NO-OFFERS", "button", None),
        ("START", "START", "button", None),
    ],
)
def test_a_press_means_what_we_the_platform_or_the_brand_say(
    title: str, payload: str, kind: str, meaning: str | None
) -> None:
    declared = Payloads(stop=("no-offers",), start=("offers",), confirm=("yes-offers",))
    said = keyword_of(text=title, payload=payload, kind=kind, declared=declared)
    assert (said.meaning if said else None) == meaning
