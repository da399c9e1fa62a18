"""The table of `which outcomes are ambiguous`."""

import json
from pathlib import Path
from typing import Any

import pytest

from garbo.common.events.addresses import Person
from garbo.common.events.ids import platform_message_ref
from garbo.sender.domain.error_codes import CODES
from garbo.sender.domain.outcomes import (
    Accepted,
    Answer,
    Answered,
    Broke,
    Failed,
    NotYet,
    Outcome,
    Unknown,
    judge,
)

PAYLOADS = Path(__file__).parent.parent / "payloads"


def error(code: object) -> dict[str, Any]:
    return {"error": {"message": "x", "type": "OAuthException", "code": code}}


REF = platform_message_ref("wamid.a")
OK = {"messages": [{"id": "wamid.a"}]}
CONTACTS: dict[str, tuple[object, Person | None]] = {
    "by number": ([{"input": "+55119", "wa_id": "551187650002"}], Person(phone="+551187650002")),
    "by user id": ([{"input": "x", "user_id": "BR.1349"}], Person(user_id="BR.1349")),
    "by both": (
        [{"wa_id": "551187650002", "user_id": "BR.1"}],
        Person(phone="+551187650002", user_id="BR.1"),
    ),
    "nobody": ([], None),
    "two": ([{"wa_id": "551187650002"}, {"wa_id": "551187650003"}], None),
    "no list": ({"wa_id": "551187650002"}, None),
    "no object": (["551187650002"], None),
    "no digits": ([{"wa_id": "nobody"}], None),
    "a number": ([{"wa_id": 551187650002}], None),
    "too long": ([{"wa_id": "5" * 400}], None),
    "a newline": ([{"wa_id": "551187650002\n"}], None),
    "null": ([{"wa_id": None, "user_id": None}], None),
    "no user id": ([{"user_id": "x"}], None),
}
TABLE: dict[str, tuple[Answer, Outcome]] = {
    "no_connection_was_made": (Broke("unreachable"), NotYet(None, "unreachable", unreachable=True)),
    "no_answer_in_time": (Broke("timeout"), Unknown("timeout")),
    "connection_broke_after_the_request": (Broke("broken"), Unknown("broken")),
    "accepted": (Answered(200, OK), Accepted(REF)),
    **{
        f"shown: {name}": (Answered(200, {**OK, "contacts": contacts}), Accepted(REF, shown=shown))
        for name, (contacts, shown) in CONTACTS.items()
    },
    **{
        f"shown_{name}": (Answered(200, {**OK, "contacts": contacts}), Accepted(REF, shown=shown))
        for name, (contacts, shown) in CONTACTS.items()
    },
    "accepted_with_201": (Answered(201, OK), Accepted(REF)),
    "accepted_but_held": (
        Answered(200, {"messages": [{"id": "wamid.a", "message_status": "held_for_quality_assessment"}]}),
        Accepted(REF, held=True),
    ),
    "success_without_json": (Answered(200, None), Unknown("unreadable_answer")),
    "success_without_messages": (Answered(200, {}), Unknown("unreadable_answer")),
    "success_with_empty_messages": (Answered(200, {"messages": []}), Unknown("unreadable_answer")),
    "success_with_a_strange_id": (Answered(200, {"messages": [{"id": 7}]}), Unknown("unreadable_answer")),
    "number_throttled": (Answered(429, error(130429)), NotYet(130429, "number_throttled", slow_down=True)),
    "number_throttled_as_400": (
        Answered(400, error(130429)),
        NotYet(130429, "number_throttled", slow_down=True),
    ),
    "account_throttled": (
        Answered(400, error(80007)),
        NotYet(80007, "account_throttled", slow_down=True, of_account=True),
    ),
    "app_throttled": (Answered(400, error(4)), NotYet(4, "app_throttled", slow_down=True, of_account=True)),
    "pair_throttled": (Answered(400, error(131056)), NotYet(131056, "pair_throttled", pair=True)),
    "token_expired": (Answered(401, error(190)), NotYet(190, "token_expired")),
    "template_unknown": (Answered(404, error(132001)), Failed(132001, "template_unknown")),
    "permanent_though_500": (Answered(500, error(134102)), Failed(134102, "route_not_allowed")),
    "platform_error_with_500": (Answered(500, error(131000)), Unknown("platform_error", 131000)),
    "platform_error_with_400": (Answered(400, error(1)), NotYet(1, "platform_error", limited=True)),
    "code_as_text": (Answered(500, error("131000")), Unknown("platform_error", 131000)),
    "code_is_true": (Answered(400, error(True)), Failed(None, "http_400")),
    "unknown_code_with_4xx": (Answered(400, error(999999)), Failed(999999, "code_999999")),
    "unknown_code_with_5xx": (Answered(503, error(999999)), Unknown("server_error", 999999)),
    "4xx_without_a_code": (Answered(404, None), Failed(None, "http_404")),
    "429_without_a_code": (Answered(429, None), NotYet(None, "too_many_requests", slow_down=True)),
    "401_without_a_code": (Answered(401, {}), NotYet(None, "access_refused")),
    "5xx_without_a_body": (Answered(502, None), Unknown("server_error")),
    "redirect": (Answered(302, None), Failed(None, "http_302")),
    "error_is_a_list": (Answered(400, {"error": []}), Failed(None, "http_400")),
}


@pytest.mark.parametrize(("answer", "outcome"), TABLE.values(), ids=TABLE.keys())
def test_an_answer_becomes_an_outcome(answer: Answer, outcome: Outcome) -> None:
    assert judge(answer) == outcome


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("error_*.json")), ids=lambda p: p.stem)
def test_each_documented_error_is_known_and_never_taken_for_success(path: Path) -> None:
    case = json.loads(path.read_text())
    outcome = judge(Answered(case["http_status"], case["body"]))
    assert not isinstance(outcome, Accepted)
    assert case["code"] in CODES
    assert outcome.code == case["code"]


def test_only_what_is_known_not_to_be_sent_may_be_tried_again() -> None:
    for code in CODES:
        for status in (400, 500):
            outcome = judge(Answered(status, error(code)))
            if isinstance(outcome, NotYet) and status == 500:
                assert CODES[code].act in ("throttle", "throttle_pair", "pause")
