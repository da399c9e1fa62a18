"""The rights in Kafka: every topic has somebody, the code asks for no more, and the runbook says the same."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from garbo.cli.rights.table import MEMBERS, Member, Operation, commands
from garbo.common.events import topics
from garbo.common.events.topics import OPERATOR_ACTED, RAW_TOPICS, SERVICES, TOPICS
from garbo.simulator.business.help_desk import GROUP

ROOT: Final = Path(__file__).parents[2]
ROW: Final = re.compile(
    r"^\| `garbo-(?P<who>\w+)`.*?\| (?P<reads>.*?) \| (?P<groups>.*?) \| (?P<writes>.*?) \|$"
)
SERVED: Final = [member for member in MEMBERS if member.who in SERVICES]


def _short(name: str) -> str:
    return name.removeprefix("garbo.").removesuffix(".v1")


def _rows() -> dict[str, tuple[list[str], str, list[str]]]:
    found: dict[str, tuple[list[str], str, list[str]]] = {}
    for line in (ROOT / "docs/runbook.md").read_text(encoding="utf-8").splitlines():
        if row := ROW.match(line):
            reads, writes = (re.findall(r"`([a-z.]+)`", row[part]) for part in ("reads", "writes"))
            found[row["who"]] = reads, row["groups"].strip("` "), writes
    return found


def test_every_topic_is_somebody_s() -> None:
    read = {name for member in MEMBERS for name in member.reads}
    written = {name for member in MEMBERS for name in member.writes}
    for topic in [topic.name for topic in TOPICS if topic is not OPERATOR_ACTED]:
        assert topic in read, topic
        assert topic in written, topic
    assert {topic.name for topic in RAW_TOPICS} <= read | written
    assert OPERATOR_ACTED.name not in read | written, "who may write it is an operator"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.who)
def test_the_runbook_s_table_says_what_is_declared(member: Member) -> None:
    reads, groups, writes = _rows()[member.who]
    assert sorted(reads) == sorted(map(_short, member.reads))
    assert sorted(writes) == sorted(map(_short, member.writes))
    assert groups == (member.groups or "")


def test_the_runbook_s_table_names_nobody_else() -> None:
    assert sorted(_rows()) == sorted(member.who for member in MEMBERS)
    assert sorted(member.who for member in MEMBERS) == sorted([*SERVICES, "publisher", "subscriber"])


@pytest.mark.parametrize("member", SERVED, ids=lambda m: m.who)
def test_a_service_knows_no_topic_it_has_no_right_to(member: Member) -> None:
    known = {name: topic.name for name, topic in vars(topics).items() if isinstance(topic, topics.Topic)}
    imported: set[str] = set()
    for path in (ROOT / "services" / member.who / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "garbo.common.events.topics":
                imported |= {alias.name for alias in node.names}
    used = {known[name] for name in imported & known.keys()}
    assert used <= {*member.reads, *member.writes}


def test_the_demo_s_help_desk_reads_in_a_group_of_its_user() -> None:
    subscriber = next(member for member in MEMBERS if member.who == "subscriber")
    assert GROUP.startswith(subscriber.groups or "nothing")


def test_each_right_is_a_line_for_an_administrator_s_own_hands() -> None:
    lines = list(commands())
    assert len(lines) == sum(len(list(member.rights())) for member in MEMBERS) == len(set(lines))
    assert all(re.search(r"--operation (Read|Write) --(topic|group) \S+", line) for line in lines)
    assert {right.operation for member in MEMBERS for right in member.rights()} == set(Operation)
