"""A simulation's report, to be read in a terminal."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

Json = Mapping[str, Any]
SHOWN_EXAMPLES = 10
SHOWN_CAMPAIGNS = 15
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def print_report(report: Json, console: Console) -> None:
    """Print it: first what changes for people, then by class, campaign and rule, delays, examples."""
    _print_head(report, console)
    console.print(_groups("class", [report["messages"], *report["by_class"]]))
    campaigns = [g for g in report["by_campaign"] if g["name"] != "(none)" or len(report["by_campaign"]) > 1]
    if campaigns:
        console.print()
        console.print(_groups("campaign", campaigns[:SHOWN_CAMPAIGNS]))
        _print_rest(len(campaigns) - SHOWN_CAMPAIGNS, "campaigns", console)
    console.print()
    console.print(_rules(report["by_rule"]))
    console.print()
    console.print(_delays(report))
    if report["examples"]:
        console.print()
        console.print(_examples(report["examples"][:SHOWN_EXAMPLES]))
        _print_rest(len(report["examples"]) - SHOWN_EXAMPLES, "examples", console)
    for note in report["notes"]:
        console.print(f"note: {note}", style="dim")


def _print_head(report: Json, console: Console) -> None:
    people, agreement = report["people"], report["agreement"]
    since, until = _instant(report["since"]), _instant(report["until"])
    brand = f", {', '.join(report['brands'])} only" if report.get("brands") else ""
    console.print(
        f"{since} to {until}{brand}: {report['requests']:,} requests to {report['contacts']:,} people"
    )
    console.print(f"  now    {_policy(report['current_policy'])}")
    console.print(f"  other  {_policy(report['other_policy'])}")
    if report["skipped"]:
        console.print(f"  {report['skipped']:,} were refused at the door and are not replayed", style="dim")
    if agreement["share"] is not None:
        console.print(
            f"  the replay of the policy of now gives {agreement['share']:.1%} of the answers that were given"
        )
    console.print()
    console.print("Under the other policy", style="bold")
    for kind, words in (
        ("more", "people would get a message they did not get"),
        ("fewer", "people would not get a message they got"),
        ("later", "people would get one later"),
        ("earlier", "people would get one earlier"),
        ("same", "people would notice nothing"),
    ):
        console.print(f"  {people[kind]:>10,}  {words}")
    console.print()


def _policy(policy: Json) -> str:
    return f"{policy['name']}  {policy['version'][:19]}"


def _groups(title: str, groups: Iterable[Json]) -> Table:
    table = _table(
        title, "requests", "sent now", "sent other", "more", "fewer", "later", "earlier", "denied other"
    )
    for group in groups:
        shift = group["messages"]
        changes = (_changed(shift[kind]) for kind in ("more", "fewer", "later", "earlier"))
        table.add_row(
            group["name"],
            f"{group['requests']:,}",
            f"{group['current']['sent']:,}",
            f"{group['other']['sent']:,}",
            *changes,
            f"{group['other']['denied']:,}",
        )
    return table


def _rules(effects: Iterable[Json]) -> Table:
    table = _table("rule", "denied now", "denied other", "made wait now", "made wait other")
    for effect in effects:
        now, other = effect["current"], effect["other"]
        counts = (now["denied"], other["denied"], now["deferred"], other["deferred"])
        table.add_row(effect["rule"], *(f"{count:,}" if count else "" for count in counts))
    return table


def _delays(report: Json) -> Table:
    table = _table("waited", "now", "other")
    both = (report["current_delays"], report["other_delays"])
    table.add_row("messages", *(f"{delays['messages']:,}" for delays in both))
    for key, words in (("p50_s", "half up to"), ("p90_s", "9 of 10 up to"), ("p99_s", "99 of 100 up to")):
        table.add_row(words, *(_span(delays[key]) for delays in both))
    table.add_row("longest", *(_span(delays["longest_s"]) for delays in both))
    return table


def _examples(examples: Iterable[Json]) -> Table:
    table = _table("contact", "campaign", "asked", "change", "now", "other", right=False)
    for example in examples:
        table.add_row(
            example["contact_id"],
            example["campaign"] or "",
            _instant(example["asked_at"]),
            example["change"],
            _end(example["current"]),
            _end(example["other"]),
        )
    return table


def _end(end: Json) -> str:
    if end["sent_at"]:
        return f"sent {_instant(end['sent_at'])}"
    rule = f" by {end['rule']}" if end["rule"] else ""
    return f"{'waits' if end['verdict'] == 'defer' else end['reason'].replace('_', ' ')}{rule}"


def _table(first: str, *others: str, right: bool = True) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right" if right else "left")
    return table


def _print_rest(count: int, what: str, console: Console) -> None:
    if count > 0:
        console.print(f"and {count} more {what}: --json has them", style="dim")


def _changed(count: int) -> str:
    return f"{count:,}" if count else ""


def _span(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    if seconds < 2 * DAY_S:
        return f"{seconds / HOUR_S:.1f} h"
    return f"{seconds / DAY_S:.1f} d"


def _instant(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
