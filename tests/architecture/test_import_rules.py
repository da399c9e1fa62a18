"""Each import rule is broken on purpose, in a copy of the sources, and must say so."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted([*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()])
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir())
RULES: Final[list[dict[str, Any]]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "tool"
]["importlinter"]["contracts"]
BETWEEN, INSIDE, COMMON, DRIVERS, PURE, DOOR = (rule["name"] for rule in RULES)
LINT = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(sys.argv[1], no_cache=True))"
SECTION = re.compile(r"^(?P<name>\S.*)\n-{3,}$", re.MULTILINE)


def _below_the_edges() -> list[str]:
    """Name `flow` and every room under it: all ports, whatever they are called, and the rules."""
    (layers,) = (rule["layers"] for rule in RULES if rule["name"] == INSIDE)
    return [re.sub(r"[() ]", "", r) for layer in layers[layers.index("flow") :] for r in layer.split("|")]


def _module(service: str, room: str) -> str | None:
    """Name a service's room; of a package, a module inside that nobody has written yet; None without one."""
    home = ROOT / "services" / service / "src/garbo" / service
    if (home / room).is_dir():
        return f"garbo.{service}.{room}.planted"
    return f"garbo.{service}.{room}" if (home / f"{room}.py").exists() else None


def _breaches_of(service: str) -> Iterator[tuple[str, str | None, str]]:
    for room in _below_the_edges():
        for driver in ("asyncpg", "faststream", "garbo.common.runtime.postgres", "typing-only aiokafka"):
            yield DRIVERS, _module(service, room), driver
    for effect in ("asyncio", "random", "time", "typing-only os"):
        yield PURE, _module(service, "domain"), effect
    yield INSIDE, _module(service, "domain"), f"typing-only garbo.{service}.ports"
    yield INSIDE, _module(service, "domain"), f"garbo.{service}.flow"
    yield INSIDE, _module(service, "ports"), f"garbo.{service}.inbound"
    yield INSIDE, _module(service, "flow"), f"garbo.{service}.outbound"
    yield INSIDE, _module(service, "inbound"), f"garbo.{service}.outbound"
    yield INSIDE, _module(service, "outbound"), f"garbo.{service}.app"
    if service != "sender":
        yield BETWEEN, _module(service, "domain"), "garbo.sender.domain"
        yield DOOR, _module(service, "outbound"), "httpx"


BREACHES = [
    (rule, module, imported)
    for service in SERVICES
    for rule, module, imported in _breaches_of(service)
    if module
] + [
    (BETWEEN, "garbo.common.events.planted", "garbo.router"),
    (BETWEEN, "garbo.sender.outbound.planted", "typing-only garbo.simulator"),
    (COMMON, "garbo.common.events.planted", "garbo.common.runtime.broker"),
    (COMMON, "garbo.common.runtime.planted", "garbo.common.contracts"),
    (DOOR, "garbo.sender.flow.planted", "aiohttp"),
]
"""Rule, module, and what that module must not import."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the linter says of each rule in a copy where all breaches stand at once."""
    copy = tmp_path_factory.mktemp("planted")
    _copy_sources(copy)
    for _, module, imported in BREACHES:
        file = _file(copy, module)
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(_statement(imported))
    return _lint(copy)


@pytest.mark.parametrize(
    ("rule", "module", "imported"), [pytest.param(*b, id=f"{b[1]} imports {b[2]}") for b in BREACHES]
)
def test_rule_sees_who_breaks_it(found: Mapping[str, str], rule: str, module: str, imported: str) -> None:
    name = imported.removeprefix("typing-only ")
    line = rf"^ *(-|&) +{re.escape(module)} -> {re.escape(name)}(\.\S+)? \(l\.\d+\)"
    assert re.search(line, found.get(rule, ""), re.MULTILINE)


def test_a_room_nobody_knows_is_refused(tmp_path: Path) -> None:
    _copy_sources(tmp_path)
    for module in ("garbo.sender.utils", "garbo.common.helpers"):
        _file(tmp_path, module).touch()
    found = _lint(tmp_path)
    assert "- garbo.sender.utils" in found[INSIDE]
    assert "- garbo.common.helpers" in found[COMMON]


def test_no_rule_is_broken_in_a_mere_copy(tmp_path: Path) -> None:
    _copy_sources(tmp_path)
    assert not _lint(tmp_path).keys() & {rule["name"] for rule in RULES}


def _statement(imported: str) -> str:
    if imported.startswith("typing-only "):
        return f"if __import__('typing').TYPE_CHECKING:\n    import {imported.removeprefix('typing-only ')}\n"
    return f"import {imported}\n"


def _file(copy: Path, module: str) -> Path:
    member = module.split(".")[1]
    return copy / member / f"{module.replace('.', '/')}.py"


def _copy_sources(copy: Path) -> None:
    for member in MEMBERS:
        shutil.copytree(member / "src", copy / member.name, ignore=shutil.ignore_patterns("__pycache__"))


def _lint(copy: Path) -> dict[str, str]:
    """Run the linter on a copy with the repository's rules; give what it says, by the rule's name."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(str(copy / m.name) for m in MEMBERS)}
    settings = str(ROOT / "pyproject.toml")
    ran = subprocess.run(
        [sys.executable, "-c", LINT, settings],
        cwd=copy,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts" in ran.stdout, ran.stdout + ran.stderr
    _, *parts = SECTION.split(ran.stdout)
    return dict(zip(parts[::2], parts[1::2], strict=True))
