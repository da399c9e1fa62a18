"""`garbo policy check`: what the router would say of a file, without a router."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from garbo.cli.main import app
from garbo.common.errors import StartRefused

PRESETS = Path(__file__).parents[4] / "deploy" / "policies"


def check(file: Path) -> list[str]:
    result = CliRunner().invoke(app, ["policy", "check", str(file)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_a_good_policy_is_told_with_version_rules_and_tests() -> None:
    ok, version, rules, tests = check(PRESETS / "it.yaml")
    assert ok.endswith("it.yaml: policy it")
    assert version.startswith("version  sha256:")
    assert rules.startswith("rules    15: erased, user-stop, opt-in")
    assert tests == "tests    20 of its own passed"


def test_what_is_odd_is_warned_of_and_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("policy: p\nversion: 1\nclasses: [{ id: promo }]\nrules: []\n")
    warning, second, *_, tests = check(file)
    assert warning.startswith("warning: no consent rule over all promo")
    assert second.startswith("warning: no block rule of state stopped")
    assert tests == "tests    none of its own"


def test_a_bad_policy_is_refused_with_a_line_for_each_fault(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "policy: p\nversion: 1\nclasses: [{ id: promo }]\nrules: [{ id: a, type: cup }]\ncolour: 1\n"
    )
    with pytest.raises(StartRefused) as refused:
        check(file)
    count, first, second = str(refused.value).splitlines()
    assert count == "2 faults, not to be put in force:"
    assert first.startswith(f"{file}:4: rule a: type: must be one of")
    assert second.startswith(f"{file}:5: policy: colour: is not a field here")


def test_the_schema_is_json() -> None:
    result = CliRunner().invoke(app, ["policy", "schema"], catch_exceptions=False)
    assert json.loads(result.stdout) == json.loads((PRESETS / "policy.schema.json").read_text())
