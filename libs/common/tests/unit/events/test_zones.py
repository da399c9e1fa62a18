"""One database of time zones, whatever the machine's own says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from garbo.common.events.zones import zone_link, zone_names, zone_rules, zones_of_region, zones_within

ROOT = Path(__file__).parents[5]


@pytest.mark.parametrize(
    ("region", "names", "within"),
    [
        ("IN", ("Asia/Calcutta",), ("Asia/Kolkata",)),
        ("AR", ("America/Buenos_Aires",), ("America/Argentina/Buenos_Aires",)),
        ("US", ("America/Denver", "America/New_York"), ("America/New_York", "America/Denver")),
        ("MA", ("Atlantic/Canary",), None),
        ("KZ", ("Asia/Almaty", "Europe/Moscow"), None),
        ("US", ("Etc/Unknown",), None),
    ],
)
def test_older_names_are_a_regions_own_and_neighbours_are_not(
    region: str, names: tuple[str, ...], within: tuple[str, ...] | None
) -> None:
    assert zones_within(region, names) == within


def test_a_region_without_zones_has_none() -> None:
    assert zones_of_region("UK") == zones_of_region("") == ()


@pytest.mark.parametrize("name", sorted(zone_names()))
def test_each_name_has_rules_and_a_link_that_is_a_name(name: str) -> None:
    assert zone_rules(name).key == name
    assert zone_link(name) in zone_names()


@pytest.mark.parametrize("line", ["import zoneinfo", "from zoneinfo import ZoneInfo", "from pytz import utc"])
def test_another_door_to_time_zones_is_refused(line: str, tmp_path: Path) -> None:
    file = tmp_path / "another.py"
    file.write_text(f'"""Tell the time."""\n\n{line}\n')
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--config",
        str(ROOT / "pyproject.toml"),
        "--select",
        "TID251",
    ]
    ran = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False, env=os.environ)
    assert "garbo.common.events.zones.zone_rules" in ran.stdout, ran.stdout + ran.stderr


def test_the_lint_rule_is_passed_over_once() -> None:
    sources = [p for room in ("libs", "services", "tests", "benchmarks") for p in (ROOT / room).rglob("*.py")]
    mark = "noqa: " + "TID251"
    passing = [path.name for path in sources if mark in path.read_text(encoding="utf-8")]
    assert passing == ["zones.py"]
