"""`garbo policy simulate` and `garbo contact`, against an HTTP server that answers as the router does."""

import io
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console
from typer.testing import CliRunner

from garbo.cli.main import app
from garbo.cli.router.contact import recipient_of
from garbo.cli.router.contact_page import print_contact
from garbo.cli.router.simulate import body_of, simulate
from garbo.cli.router.simulation_report import print_report
from garbo.cli.router.suppression_list import suppress
from garbo.cli.service_api import ServiceApi
from garbo.cli.spans import instant_of, span_of
from garbo.common.errors import StartRefused
from garbo.router.inbound.http.views.contact import CapSend, CapView, ContactView, PromoView, ZoneView
from garbo.router.inbound.http.views.simulation import (
    Agreement,
    ChangeCounts,
    Delays,
    Example,
    OutcomeCounts,
    OutcomeView,
    PolicyName,
    RequestGroup,
    RuleEffect,
    RuleHits,
    SimulationReport,
)

NOON = datetime(2026, 6, 5, 12, tzinfo=UTC)
MARIA = UUID("8f3a0000-0000-4000-8000-000000000001")
GROUP = RequestGroup(
    name="all",
    requests=3,
    current=OutcomeCounts(sent=3),
    other=OutcomeCounts(sent=2, waited=1, denied=1),
    messages=ChangeCounts(fewer=1, later=1, same=1),
)
REPORT = SimulationReport(
    since=NOON - timedelta(days=7),
    until=NOON,
    brands=None,
    current_policy=PolicyName(name="acme", version="sha256:0123456789abcdef"),
    other_policy=PolicyName(name="acme-strict", version="sha256:fedcba9876543210"),
    requests=3,
    contacts=2,
    skipped=0,
    messages=GROUP,
    people=ChangeCounts(fewer=1, later=1, same=1),
    by_class=(GROUP.model_copy(update={"name": "promo"}),),
    by_campaign=(GROUP.model_copy(update={"name": "summer"}),),
    by_rule=(RuleEffect(rule="promo-week", current=RuleHits(), other=RuleHits(denied=1, deferred=1)),),
    current_delays=Delays(messages=0),
    other_delays=Delays(messages=1, p50_s=7200, p90_s=7200, p99_s=7200, longest_s=7200),
    agreement=Agreement(same=3, of=3, share=1.0),
    examples=(
        Example(
            change="fewer",
            contact_id=MARIA,
            message_id=MARIA,
            client="shop",
            request_id=MARIA,
            message_class="promo",
            campaign="summer",
            asked_at=NOON,
            current=OutcomeView(verdict="allow", reason="allowed", sent_at=NOON),
            other=OutcomeView(verdict="deny", reason="would_expire", rule="promo-week"),
        ),
    ),
    notes=("Totals over all people are not replayed: total.",),
)


class Answers(BaseHTTPRequestHandler):
    """Answers what a test has put down, and keeps what it was asked."""

    answers: dict[tuple[str, str], tuple[int, str, bytes]]
    asked: list[tuple[str, str, Any]]

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.asked.append((self.command, self.path, body))
        status, media, content = self.answers[self.command, self.path.partition("?")[0]]
        self.send_response(status)
        self.send_header("content-type", media)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - as http.server names them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def router() -> Iterator[tuple[ServiceApi, type[Answers]]]:
    handler = type("Handler", (Answers,), {"answers": {}, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ServiceApi(f"http://127.0.0.1:{server.server_port}", "key"), handler
        server.shutdown()


def printed(show: Any, what: Any) -> str:  # noqa: ANN401 - JSON
    console = Console(file=io.StringIO(), width=160)
    show(json.loads(what.model_dump_json(exclude_none=show is print_contact)), console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_a_report_says_first_what_changes_for_people() -> None:
    text = printed(print_report, REPORT)
    head = text.index("people would not get a message they got")
    assert head < text.index("promo-week")
    assert "gives 100.0% of the answers" in text
    assert "would expire by promo-week" in text
    assert "2.0 h" in text
    assert "note: Totals over all people" in text


def test_a_person_is_shown_with_what_fills_each_cap() -> None:
    cap = CapView(
        rule="promo-week",
        type="cap",
        window="rolling 7d",
        limit=1,
        used=1,
        full=True,
        free_at=NOON,
        by=(CapSend(message_class="promo", counts_at=NOON, open=True, frees_at=NOON),),
    )
    lists = "merges waiting windows stops preferences suppressions cooldowns questions cases consents"
    empty = f"{lists} consent_history"
    shown = ContactView.model_validate(
        {
            **dict.fromkeys(empty.split(), ()),
            "contact_id": MARIA,
            "kind": "person",
            "now": NOON,
            "policy_version": "sha256:0",
            "state_version": 1,
            "erased": False,
            "zone": ZoneView(source="country", zones=("Europe/Rome",)),
            "promo": (PromoView(brand="acme", verdict="defer", reason="cap_reached", rule="promo-week"),),
            "caps": (cap,),
        }
    )
    text = printed(print_contact, shown)
    assert "acme: defer, cap reached by promo-week" in text
    assert "another brand 2026-06-05 12:00:00Z, not settled, frees 2026-06-05 12:00:00Z" in text


def test_a_simulation_reads_lines_until_its_report(
    router: tuple[ServiceApi, type[Answers]], tmp_path: Path
) -> None:
    api, answers = router
    lines = [{"kind": "progress", "done": 1, "total": 3}, json.loads(REPORT.model_dump_json())]
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    answers.answers["POST", "/v1/policies:simulate"] = (200, "application/x-ndjson", content)
    file = tmp_path / "other.yaml"
    file.write_text("policy: other\n")
    report = simulate(api, body_of(file, since="7d", until=None, warm_up="2h", brand="acme"))
    assert report["requests"] == 3
    ((_, _, body),) = answers.asked
    assert (body["policy"], body["warm_up_s"], body["brand"]) == ("policy: other\n", 7200, "acme")


def test_a_refused_policy_is_told_line_by_line(router: tuple[ServiceApi, type[Answers]]) -> None:
    api, answers = router
    problem = {"title": "Not a policy", "detail": "x", "errors": ["23: limit: give one", "30: type: no such"]}
    answers.answers["POST", "/v1/policies:simulate"] = (
        422,
        "application/problem+json",
        json.dumps(problem).encode(),
    )
    with pytest.raises(StartRefused, match=r"(?s)Not a policy: 23: limit: give one\n.*30: type") as refused:
        simulate(api, {})
    assert "Traceback" not in str(refused.value)


def test_no_router_is_one_line() -> None:
    with pytest.raises(StartRefused, match=r"does not answer .*make run"):
        ServiceApi("http://127.0.0.1:9", "key").ask("GET", "/v1/contacts/x")


def test_a_phone_never_stands_in_a_url(
    router: tuple[ServiceApi, type[Answers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, answers = router
    found = json.dumps({"contact_id": str(MARIA)}).encode()
    answers.answers["POST", "/v1/contacts:find"] = (200, "application/json", found)
    answers.answers["DELETE", f"/v1/contacts/{MARIA}"] = (200, "application/json", ERASED)
    monkeypatch.setenv("GARBO_URL_ROUTER", api.url)
    runner = CliRunner()
    refused = runner.invoke(app, ["contact", "erase", "+393331234567"], input="n\n")
    assert refused.exit_code == 1
    assert [method for method, _, _ in answers.asked] == ["POST"]
    erased = runner.invoke(app, ["contact", "erase", "+393331234567", "--yes"])
    assert erased.output.startswith(f"erased {MARIA};")
    assert "  sender.message      until 2026-06-05 12:00Z  the contact id" in erased.output
    assert "  router.suppression  stays                    a hash" in erased.output
    assert not any("333" in path for _, path, _ in answers.asked)


def test_what_a_client_joined_is_parted(
    router: tuple[ServiceApi, type[Answers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, answers = router
    said = {"contact_id": str(MARIA), "parted_from": str(UUID(int=1)), "said_by": "shop"}
    parted = json.dumps(said).encode()
    answers.answers["POST", f"/v1/contacts/{MARIA}:split"] = (200, "application/json", parted)
    monkeypatch.setenv("GARBO_URL_ROUTER", api.url)
    done = CliRunner().invoke(app, ["contact", "split", str(MARIA)])
    assert done.output == f"{MARIA} is parted from {UUID(int=1)}; shop had joined them\n"
    refused = CliRunner().invoke(app, ["contact", "split", "+393331234567"])
    assert refused.exit_code == 2, "an address enters no URL"


ERASED = (
    b'{"contact_id": "8f3a0000-0000-4000-8000-000000000001", "remains": ['
    b'{"where": "sender.message", "what": "the contact id", "until": "2026-06-05T12:00:00Z"},'
    b'{"where": "router.suppression", "what": "a hash"}]}'
)


def test_an_export_is_written_for_its_owner_alone(
    router: tuple[ServiceApi, type[Answers]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api, answers = router
    answers.answers["GET", f"/v1/contacts/{MARIA}:export"] = (200, "application/json", b'{"alias": []}')
    monkeypatch.setenv("GARBO_URL_ROUTER", api.url)
    file = tmp_path / "maria.json"
    done = CliRunner().invoke(app, ["contact", "export", str(MARIA), "--output", str(file)])
    assert done.exit_code == 0, done.output
    assert json.loads(file.read_text()) == {"alias": []}
    assert file.stat().st_mode & 0o077 == 0


def test_a_list_is_brought_whole_or_not_at_all(
    router: tuple[ServiceApi, type[Answers]], tmp_path: Path
) -> None:
    api, answers = router
    answers.answers["POST", "/v1/suppressions"] = (200, "application/json", b'{"addresses": 2, "known": 0}')
    file = tmp_path / "list.csv"
    file.write_text("phone,since\n+39 333 123 4567,x\n\n+393337654321\n", encoding="utf-8-sig")
    assert suppress(api, file, brand="*", as_of=NOON, source="register") == 2
    ((_, _, body),) = answers.asked
    assert body["addresses"] == [{"phone": "+393331234567"}, {"phone": "+393337654321"}]
    file.write_text("+393331234567\n0039\n")
    with pytest.raises(StartRefused, match="line 2"):
        suppress(api, file, brand="*", as_of=NOON, source="register")
    assert len(answers.asked) == 1


def test_a_list_that_begins_with_no_address_is_refused_whole(
    router: tuple[ServiceApi, type[Answers]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api, answers = router
    monkeypatch.setenv("GARBO_URL_ROUTER", api.url)
    file = tmp_path / "list.csv"
    file.write_text("393331300003\n+393331234567\n")
    arguments = ["contact", "suppress", str(file), "--brand", "*", "--as-of", "2026-06-01"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code != 0
    assert not answers.asked


@pytest.mark.parametrize(
    ("text", "recipient"),
    [
        ("+39 333 1234567", {"phone": "+393331234567"}),
        ("IT.13491208655302741918", {"user_id": "IT.13491208655302741918"}),
        ("333", None),
        ("", None),
    ],
)
def test_an_address_is_a_phone_or_a_user_id(text: str, recipient: dict[str, str] | None) -> None:
    assert recipient_of(text) == recipient


def test_spans_and_instants_are_read_or_refused() -> None:
    assert span_of("7d", "--since") == timedelta(days=7)
    assert instant_of("2026-06-05T12:00", "--since") == NOON
    for wrong in ("7", "soon", "-1d"):
        with pytest.raises(StartRefused, match="--since"):
            instant_of(wrong, "--since")
