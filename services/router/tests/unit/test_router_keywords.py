"""Keywords: whole messages, two strengths, the tenant's own words."""

import pytest

from garbo.router.domain.keywords import KEEP_BUTTON, STOP_BUTTON, Keyword, keyword_of


def meaning(text: str | None, payload: str | None = None) -> str | None:
    said = keyword_of(text=text, payload=payload)
    return said.meaning if said else None


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "Stop!!",
        "  ARRÊT ",
        "🛑 stop",
        "opt-out",
        "Non scrivetemi più.",
        "İPTAL",
        "إيقاف",
        "Стоп",
        "ΔΙΑΓΡΑΦΉ",
        "desinscrire",
        "dezabonare",
        "no más mensajes",
        "STOPP",
    ],
)
def test_scenario_48_stop_is_heard_as_a_whole_message(text: str) -> None:
    assert meaning(text) == "stop"


@pytest.mark.parametrize(
    "text",
    ["non stop", "la baja calidad", "basta così grazie", "stop please", "", "🛑", None, "x" * 5000],
)
def test_scenario_48_other_messages_are_not_stop(text: str | None) -> None:
    assert meaning(text) is None


@pytest.mark.parametrize(
    "text", ["basta", "ANNULLA", "no", "Cancel", "fin", "salir", "pare", "Ende!", "annuler", "QUIT", "fine"]
)
def test_a_word_that_may_mean_stop_is_told_from_stop(text: str) -> None:
    assert meaning(text) == "unsure"


@pytest.mark.parametrize(
    ("text", "payload", "expected"),
    [
        ("Stop promotions", None, "stop"),
        ("No, thanks", "STOP", "stop"),
        ("No more offers", STOP_BUTTON, "stop"),
        ("Keep the offers", KEEP_BUTTON, "keep"),
        ("START", None, "start"),
        ("Confermo", None, "confirm"),
        ("ok", "ok", None),
    ],
)
def test_button_payload_is_read_before_its_title(
    text: str, payload: str | None, expected: str | None
) -> None:
    assert meaning(text, payload) == expected


def test_a_policy_adds_words_and_takes_none_away() -> None:
    own = ("Basta promo!",)
    assert keyword_of(text="basta PROMO", more=own) == Keyword("stop")
    assert keyword_of(text="stop", more=own) == Keyword("stop")
    assert keyword_of(text="basta promo") is None


def test_a_word_tells_its_language_where_it_is_of_one() -> None:
    assert keyword_of(text="arrêt") == Keyword("stop", "fr")
    assert keyword_of(text="disiscrivimi") == Keyword("stop", "it")
    assert keyword_of(text="stop") == Keyword("stop")
