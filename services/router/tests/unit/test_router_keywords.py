import pytest

from garbo.router.domain.keywords import Keyword, keyword_of


@pytest.mark.parametrize(
    "text",
    ["STOP", "Stop!!", "  ARRÊT ", "🛑 stop", "opt-out", "Non scrivetemi più.", "İPTAL", "إيقاف", "Стоп"],
)
def test_scenario_48_stop_is_heard_as_a_whole_message(text: str) -> None:
    assert keyword_of(text=text) == "stop"


@pytest.mark.parametrize(
    "text",
    ["non stop", "la baja calidad", "basta così grazie", "stop please", "", "🛑", "basta", None, "x" * 5000],
)
def test_scenario_48_other_messages_are_not_stop(text: str | None) -> None:
    assert keyword_of(text=text) is None


@pytest.mark.parametrize(
    ("text", "payload", "expected"),
    [
        ("Stop promotions", None, "stop"),
        ("No, thanks", "STOP", "stop"),
        ("START", None, "start"),
        ("ok", "ok", None),
    ],
)
def test_button_payload_is_read_before_its_title(
    text: str, payload: str | None, expected: Keyword | None
) -> None:
    assert keyword_of(text=text, payload=payload) == expected
