"""A policy that cannot be meant is refused, with the rule, the field and how to write it."""

from pathlib import Path

import pytest

from garbo.common.errors import StartRefused
from garbo.router.inbound.policy_file.fields import PolicyFault
from garbo.router.inbound.policy_file.load import load_policy, read_policy

TOP = "policy: p\nversion: 1\nclasses: [{ id: promo }]\nrules:\n"
CAP = "id: c, type: cap, window: { rolling: 7d }"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (f"{CAP}, limit: null", "rule c: limit: is null"),
        (f"{CAP}, limit: -1", "rule c: limit: must be a whole number"),
        (f"{CAP}, limit: 1.5", "rule c: limit: must be a whole number"),
        (f"{CAP}, limit: true", "rule c: limit: must be a whole number"),
        (f"{CAP}", "rule c: limit: is missing"),
        (f"{CAP}, limit: 1, max: 3", "rule c: max: is not a field here"),
        (
            "id: c, type: cap, limit: 1, window: { rolling: 1mo }",
            "rule c: window: rolling: must be a whole number and s",
        ),
        ("id: c, type: cap, limit: 1, window: { rolling: 91d }", "rule c: window: is longer than history"),
        ("id: c, type: cup", "rule c: type: must be one of block, consent"),
        ("type: block", "rule number 1: id: is missing"),
        ("id: b, type: block, state: gone", "rule b: state: must be one of erased, stopped"),
        (
            "id: b, type: block, state: erased, applies_to: { klass: promo }",
            "rule b: applies_to: klass: is not a field",
        ),
        (
            "id: b, type: block, state: erased, applies_to: { class: spam }",
            "rule b: applies_to: class: spam is none of",
        ),
        ("id: g, type: gap, min: 0h", "rule g: min: must be a whole number"),
        ("id: g, type: gap, min: 2h, per: [campaign]", "rule g: per: must be [recipient]"),
        ("id: w, type: window, open: 25h", "rule w: open: must be 24h or less"),
        (
            "id: w, type: window, on_hit: { fallback: sms }",
            "rule w: on_hit: fallback: must be one of template",
        ),
    ],
)
def test_scenario_11_wrong_rules_are_refused(rule: str, told: str) -> None:
    with pytest.raises(PolicyFault) as fault:
        read_policy(f"{TOP}  - {{ {rule} }}\n".encode())
    assert told in str(fault.value)


def test_two_rules_of_one_name_are_refused() -> None:
    rule = "  - { id: b, type: block, state: erased }\n"
    with pytest.raises(PolicyFault, match="used twice"):
        read_policy((TOP + rule + rule).encode())


@pytest.mark.parametrize("content", ["- 1", "policy: [", "\x00", "", "policy: p\nversion: 2"])
def test_what_is_no_policy_is_refused_by_name_of_the_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(content)
    with pytest.raises(StartRefused) as refused:
        load_policy(file)
    assert str(file) in str(refused.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")


def test_version_is_the_hash_of_the_content() -> None:
    first, second = (read_policy((TOP + end).encode()) for end in ("  []\n", "  [] # c\n"))
    assert first.version.startswith("sha256:")
    assert len(first.version) == 7 + 64
    assert first.version != second.version


def test_demo_policy_is_a_policy() -> None:
    demo = Path(__file__).parents[4] / "deploy" / "local" / "policy.yaml"
    assert {rule.reach.id for rule in load_policy(demo).rules} >= {
        "erased",
        "user-stop",
        "opt-in",
        "wa-window",
    }
