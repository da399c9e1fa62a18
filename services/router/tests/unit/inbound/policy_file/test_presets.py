"""The presets that ship pass their own tests, and the schema beside them says of a file what it can."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from garbo.router.inbound.policy_file.document import read_document
from garbo.router.inbound.policy_file.load import PolicyRefused, load_policy_file, read_policy_file
from garbo.router.inbound.policy_file.policy_model import policy_schema

ROOT = Path(__file__).parents[6]
PRESETS = sorted((ROOT / "deploy" / "policies").glob("*.yaml"))
POLICIES = [
    *PRESETS,
    ROOT / "deploy" / "local" / "policy.yaml",
    ROOT / "tests" / "e2e" / "policy.yaml",
    ROOT / "benchmarks" / "policy.yaml",
    ROOT / "services" / "router" / "tests" / "payloads" / "policy.yaml",
    ROOT / "services" / "router" / "tests" / "payloads" / "policy_whole.yaml",
]
VALIDATOR = jsonschema.Draft202012Validator(policy_schema())


def read(path: Path) -> dict[str, Any]:
    content = read_document(path.read_bytes()).value
    assert isinstance(content, dict)
    return dict(content)


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_passes_its_own_tests_without_a_warning(path: Path) -> None:
    checked = load_policy_file(path)
    assert checked.tests >= 9
    assert checked.warnings == ()
    assert checked.policy.name == path.stem


def test_there_are_the_presets_the_docs_name() -> None:
    assert {path.stem for path in PRESETS} == {"it", "strict", "us"}


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_policy_that_ships_is_one_by_loader_and_schema(path: Path) -> None:
    load_policy_file(path)
    assert not list(VALIDATOR.iter_errors(read(path)))


def test_the_schema_that_ships_is_the_one_in_code() -> None:
    shipped = json.loads((ROOT / "deploy" / "policies" / "policy.schema.json").read_text())
    assert shipped == policy_schema(), (
        "type: .venv/bin/garbo policy schema > deploy/policies/policy.schema.json"
    )


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_name_their_schema_for_editors(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")


RULES: dict[Any, Any] = {
    rule["id"]: n for n, rule in enumerate(read(ROOT / "deploy" / "policies" / "it.yaml")["rules"])
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rules", "promo-week", "limit"), None),
        (("rules", "promo-week", "limit"), -1),
        (("rules", "promo-week", "limit"), 1.5),
        (("rules", "promo-week", "limit"), True),
        (("rules", "promo-week", "limit"), 257),
        (("rules", "promo-week", "colour"), "red"),
        (("rules", "promo-week", "type"), "cup"),
        (("rules", "promo-week", "id"), "a b"),
        (("rules", "promo-week", "per"), ["people"]),
        (("rules", "promo-week", "window"), {"rolling": "1mo"}),
        (("rules", "promo-week", "window"), {"calendar": "year"}),
        (("rules", "promo-week", "on_hit"), {"fallback": "template"}),
        (("rules", "promo-week", "applies_to"), {"klass": "promo"}),
        (("rules", "promo-week", "applies_to"), {"class": "spam"}),
        (("rules", "promo-week", "applies_to"), {"number_region": "usa"}),
        (("rules", "promo-week", "counts"), {"purpose": "promo"}),
        (("rules", "promo-week", "keep_for"), {"slots": 0, "min_priority": 80}),
        (("rules", "night", "from"), "9:00"),
        (("rules", "night", "days"), ["sunday"]),
        (("rules", "opt-in", "max_age"), "2y"),
        (("rules", "opt-in", "on_hit"), {"defer": "1h"}),
        (("rules", "care-open", "state"), "open"),
        (("lease", "ttl"), "15"),
        (("counting", "refund"), ["timeout"]),
        (("arbitration", "order"), ["priority asc"]),
        (("week_start",), "mon"),
        (("colour",), "red"),
        (("tests", 0, "expect", "verdict"), "maybe"),
        (("tests", 0, "ask", "purpose"), "spam"),
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_loader_refuses(path: tuple[Any, ...], value: object) -> None:
    content = deepcopy(read(ROOT / "deploy" / "policies" / "it.yaml"))
    place: Any = content
    for key in path[:-1]:
        place = place[RULES.get(key, key)] if isinstance(place, list) else place[key]
    place[path[-1]] = value
    assert list(VALIDATOR.iter_errors(content))
    with pytest.raises(PolicyRefused):
        read_policy_file(json.dumps(content).encode())
