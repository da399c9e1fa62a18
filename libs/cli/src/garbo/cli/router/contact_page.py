"""What is known of a person, to be read in a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

Json = Mapping[str, Any]


def print_contact(person: Json, console: Console) -> None:
    """Print it: may we write now, what fills the caps, what waits, what was consented."""
    console.print(Text(person["contact_id"], "bold"), person["kind"], _erased(person))
    zones = ", ".join(person["zone"]["zones"])
    console.print(f"  zone      {zones} (from {person['zone']['source']})")
    if person.get("language"):
        console.print(f"  language  {person['language']}")
    for address in person.get("addresses") or ():
        console.print(f"  {address['kind']:<9} {address['value']}", markup=False)
    _print_section("Joined by clients", map(_merge, person["merges"]), console)
    _print_section("A promo now", map(_promo, person["promo"]), console)
    _print_caps(person["caps"], console)
    _print_section("Waits", map(_waiting, person["waiting"]), console)
    _print_section("Windows", map(_window, person["windows"]), console)
    _print_section("Said", _said(person), console)
    _print_section("Cases", map(_case, person["cases"]), console)
    _print_section("Consent now", map(_consent, person["consents"]), console)
    _print_section("Consent, as it was recorded", map(_evidence, person["consent_history"]), console)


def _merge(merge: Json) -> str:
    return f"{merge['contact_id']}: by {merge['said_by']} {_instant(merge['merged_at'])}"


def _print_section(title: str, lines: Iterable[str], console: Console) -> None:
    listed = list(lines)
    if listed:
        console.print()
        console.print(title, style="bold")
        for line in listed:
            console.print(f"  {line}", markup=False, soft_wrap=True)


def _print_caps(caps: Sequence[Json], console: Console) -> None:
    """Print each cap on a line, and what fills it below."""
    if not caps:
        return
    console.print()
    console.print("Caps", style="bold")
    width = max(len(cap["rule"]) for cap in caps)
    for cap in caps:
        scope = " ".join(part for part in (cap.get("brand"), cap.get("campaign")) if part) or "all brands"
        again = f", again from {_instant(cap['free_at'])}" if cap.get("free_at") else ", never again"
        used = f"{cap['used']} of {cap['limit']} in {cap['window']}"
        line = f"  {cap['rule']:<{width}}  {used}, {scope}{again if cap['full'] else ''}"
        console.print(line, style="yellow" if cap["full"] else "", markup=False, soft_wrap=True)
        for send in cap["by"]:
            console.print(f"  {'':<{width}}    {_filling(send)}", style="dim", markup=False, soft_wrap=True)


def _filling(send: Json) -> str:
    campaign = f" {send['campaign']}" if send.get("campaign") else ""
    still = ", not settled" if send["open"] else ""
    frees = f", frees {_instant(send['frees_at'])}" if send.get("frees_at") else ""
    name = send["message_id"][:8] if send.get("message_id") else "another brand"
    return f"{name}{campaign} {_instant(send['counts_at'])}{still}{frees}"


def _promo(answer: Json) -> str:
    rule = f" by {answer['rule']}" if answer.get("rule") else ""
    words = "again from" if answer["verdict"] == "defer" else "and by time alone not before"
    when = f", {words} {_instant(answer['next_allowed_at'])}" if answer.get("next_allowed_at") else ""
    return f"{answer['brand']}: {answer['verdict']}, {answer['reason'].replace('_', ' ')}{rule}{when}"


def _waiting(deferred: Json) -> str:
    what = " ".join(part for part in (deferred["brand"], deferred.get("campaign")) if part)
    return f"{deferred['message_id'][:8]} {what}: {deferred['reason']}, due {_instant(deferred['due_at'])}"


def _window(window: Json) -> str:
    word = "open until" if window["open"] else "closed since"
    return f"{window['number']}: {word} {_instant(window['until'])}"


def _said(person: Json) -> Iterable[str]:
    for stop in person["stops"]:
        word, at = ("STOP", stop["stopped_at"]) if stop["stopped"] else ("START", stop["started_at"])
        yield f"{stop['brand']}: {word} {_instant(at)}"
    for switch in person["preferences"]:
        word, at = ("stop", switch["stopped_at"]) if switch["stopped"] else ("resume", switch["resumed_at"])
        yield f"{switch['brand']} {switch['number']}: {word} in WhatsApp's settings {_instant(at)}"
    for listed in person["suppressions"]:
        yield f"{listed['brand']}: on a suppression list since {_instant(listed['since'])}"
    for cooldown in person["cooldowns"]:
        yield f"{cooldown['brand']}: held back by WhatsApp until {_instant(cooldown['until'])}"
    for question in person["questions"]:
        yield f"{question['brand']}: asked what they meant, until {_instant(question['until'])}"


def _case(case: Json) -> str:
    closed = f", closed {_instant(case['closed_at'])}" if case.get("closed_at") else ", open"
    return f"{case['case_id']} of {case['client']}: opened {_instant(case['opened_at'])}{closed}"


def _consent(consent: Json) -> str:
    words = [
        f"{word} {_instant(consent[f'{word}_at'])}"
        for word in ("given", "confirmed", "withdrawn")
        if consent.get(f"{word}_at")
    ]
    return f"{consent['brand']} {consent['channel']} {consent['purpose']}: {', '.join(words)}"


def _evidence(record: Json) -> str:
    proof = " ".join(
        f"{name} {record[key]}"
        for name, key in (("text", "text_version"), ("hash", "text_hash"), ("evidence", "evidence"))
        if record.get(key)
    )
    what = f"{record['brand']} {record['channel']} {record['purpose']} {record['action']}"
    return (
        f"{_instant(record['occurred_at'])} {what} by {record['source']} ({record['actor']}) {proof}".rstrip()
    )


def _erased(person: Json) -> Text:
    return Text("erased", "bold red") if person["erased"] else Text("")


def _instant(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}Z" if text else ""
