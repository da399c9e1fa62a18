"""What a decision was made from comes back whole, and holds neither an address nor what hides one."""

from uuid import UUID

from garbo.common.events.ids import message_id_of
from garbo.router.domain.prepared_request import CITED, decision_inputs
from garbo.router.domain.request import Body, Request
from garbo.router.domain.state import Case, Claims, Consent, Preference, RecipientState, Stop
from garbo.router.domain.values import replace
from garbo.router.outbound.postgres.codecs import json_bytes, read_inputs
from services.router.tests.support.build_domain import a_request, a_state, sends_at

WAMID = "wamid.HBgMMzkzMzMxMjM0NTY3"
REQUEST = replace(
    a_request(),
    message_id=message_id_of("crm", UUID(int=99)),
    request_id=UUID(int=99),
    fallback=Body(form="template", category="utility"),
    tags=("a", "b.c"),
    campaign="spring",
    priority=7,
    not_before_us=5,
    region="IT",
    country_zones=("Europe/Rome",),
    override=("week",),
    roles=frozenset({"lead", "boss"}),
)
STATE = RecipientState(
    claims={"acme": Claims(zone="Europe/Rome", zone_at_us=3)},
    inbound_at_us={"1001": 4},
    stops={"acme": Stop(stopped_at_us=1, by=WAMID)},
    consents={"acme/*/marketing": Consent(given_at_us=1)},
    cases={"desk:7": Case(opened_at_us=2)},
    preferences={"1002": Preference("acme", stopped_at_us=9)},
)


def inputs_bytes(request: Request, state: RecipientState) -> bytes:
    return json_bytes(decision_inputs(request, state))


def test_request_and_what_was_known_come_back_whole() -> None:
    facts = read_inputs(inputs_bytes(REQUEST, STATE))
    assert facts.request == REQUEST
    silent = {"acme": Stop(stopped_at_us=1)}
    assert facts.given == replace(STATE, stops=silent)


def test_sends_are_left_out() -> None:
    state = a_state(sends=sends_at("2026-06-01T10:00:00Z"))
    assert read_inputs(inputs_bytes(REQUEST, state)).given == replace(state, sends=())


def test_wamids_stay_out_and_a_cited_message_is_still_known_as_cited() -> None:
    state = replace(STATE, inbound=(("wamid.other", 3), (WAMID, 4)))
    content = inputs_bytes(replace(REQUEST, reply_to=WAMID), state)
    assert b"wamid" not in content
    facts = read_inputs(content)
    assert facts.request.reply_to == CITED
    assert facts.given.inbound == ((CITED, 4),)


def test_message_that_is_not_remembered_is_not_cited() -> None:
    content = inputs_bytes(replace(REQUEST, reply_to=WAMID), STATE)
    assert b"wamid" not in content
    assert read_inputs(content).request.reply_to is None
