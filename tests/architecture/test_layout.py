"""What holds for the shape of the repository, checked on the files themselves."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted([*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()])
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir())
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX|SCHEMA))\b",
    re.DOTALL,
)
SQL_ELSEWHERE = {
    "libs/common/src/garbo/common/runtime/migrations.py": "applies the files and keeps their ledger",
    "libs/cli/src/garbo/cli/database.py": "makes the database itself, before any schema",
}

TEST_FILE = re.compile(r"/(tests?|testing|conftest|test_\w+)(/|\.py$)")
SCENARIO = re.compile(r"def test_(scenario_\d+)_")
TEST_TOOLS = {"pytest", "hypothesis", "testcontainers", "libs", "services", "tests", "benchmarks"}

LONGEST_FILE, LONGEST_BODY = 300, 40
"""Lines; a docstring is not part of a body."""
NEVER_IMPORTED = {
    "cli": {"garbo-ingest", "garbo-sender", "garbo-analytics", "garbo-simulator"},  # it starts them
}


def _sources(member: Path) -> Iterator[Path]:
    yield from sorted((member / "src").rglob("*.py"))


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_garbo_stays_a_namespace(member: Path) -> None:
    assert not (member / "src/garbo/__init__.py").exists(), "one stray file hides all other members"
    assert [p.name for p in (member / "src/garbo").iterdir() if p.is_dir() and p.name != "__pycache__"] == [
        member.name
    ]


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_wheel_holds_no_test_code(member: Path) -> None:
    found = [
        _relative(path)
        for path in _sources(member)
        if TEST_FILE.search(_relative(path))
        or any(name.split(".")[0] in TEST_TOOLS for name in _imported(path))
    ]
    assert not found, "belongs to tests/support"


def test_decisions_are_numbered_one_after_the_other() -> None:
    numbers = sorted(path.name[:4] for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_are_numbered_one_after_the_other(service: str) -> None:
    folder = ROOT / f"services/{service}/src/garbo/{service}/migrations"
    numbers = sorted(path.name[:4] for path in folder.glob("*.sql"))
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_sql_stands_in_its_two_places(member: Path) -> None:
    strays = [
        f"{_relative(path)}:{node.lineno}"
        for path in _sources(member)
        if not _is_of_postgres(path) and _relative(path) not in SQL_ELSEWHERE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    ]
    assert not strays, "SQL belongs to migrations/*.sql and outbound/postgres*"


def _is_of_postgres(path: Path) -> bool:
    """Say whether a module speaks SQL by its name, or by the name of its package."""
    return path.name.startswith("postgres") or path.parent.name == "postgres"


@pytest.mark.parametrize("service", SERVICES)
def test_rules_await_nothing(service: str) -> None:
    awaiting = [
        f"{_relative(path)}:{node.lineno}"
        for path in (ROOT / "services" / service / "src/garbo" / service / "domain").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    assert not awaiting


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_nothing_is_longer_than_a_reader_can_hold(member: Path) -> None:
    for path in _sources(member):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= LONGEST_FILE, _relative(path)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert length <= LONGEST_BODY, f"{_relative(path)}: {node.name}"


@pytest.mark.parametrize("member", [*MEMBERS, ROOT], ids=lambda m: m.name)
def test_no_file_of_tests_is_longer_either(member: Path) -> None:
    for path in (member / "tests").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, _relative(path)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_member_declares_what_it_imports(member: Path) -> None:
    needed, extra = _declared(member)
    missing = {name: path for name, path in _used(member).items() if name not in needed | extra}
    assert not missing, f"{member.name}/pyproject.toml does not declare these"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_member_imports_what_it_declares(member: Path) -> None:
    needed, _ = _declared(member)
    assert needed - _used(member).keys() <= NEVER_IMPORTED.get(member.name, set()), "nobody imports these"


def _declared(member: Path) -> tuple[set[str], set[str]]:
    """Give the distributions a member always needs, and those of its extras."""
    project = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    return set(map(_distribution, project["dependencies"])), set(map(_distribution, extras))


def _used(member: Path) -> dict[str, str]:
    """Give the distributions a member imports, each with a file that does."""
    used: dict[str, str] = {}
    for path in _sources(member):
        for name in _imported(path):
            if owner := _owner(name, member.name):
                used.setdefault(owner, _relative(path))
    return used


def _distribution(requirement: str) -> str:
    return re.split(r"[\[<>=~! ;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _owner(module: str, member: str) -> str | None:
    top, *rest = module.split(".")
    if top == "garbo":
        return f"garbo-{rest[0]}" if rest and rest[0] != member else None
    if top == "opentelemetry":
        return _OPENTELEMETRY.get(rest[0] if rest else "", "opentelemetry-api")
    owners = _OWNERS.get(top)
    return owners[0].lower().replace("_", "-") if owners else None


_OWNERS = packages_distributions()
_OPENTELEMETRY = {"sdk": "opentelemetry-sdk", "exporter": "opentelemetry-exporter-otlp-proto-http"}
"""One namespace of several distributions."""


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_the_rooms_a_reader_expects(service: str) -> None:
    home = ROOT / "services" / service
    rooms = {p.stem for p in (home / "src/garbo" / service).iterdir()}
    assert {"__main__", "app", "settings", "inbound", "flow", "domain", "ports", "outbound"} <= rooms
    assert (home / "README.md").exists()


def test_tests_are_no_package() -> None:
    assert not [p for m in [*MEMBERS, ROOT] for p in (m / "tests").rglob("__init__.py")]


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_no_registry_address_and_no_machine_path_is_committed() -> None:
    hosts = "|".join(("py" + "pi", "python" + "hosted", "npm" + "js", "mav" + "en", "deb" + "ian"))
    forbidden = re.compile(rf"https?://[a-z0-9.-]*({hosts})[a-z0-9.-]*|(?<![\w.])/(root|home/\w+|work)/")
    found = []
    for name in _tracked():
        path = ROOT / name
        if path.suffix in {".png", ".ico"} or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if forbidden.search(line):
                found.append(f"{name}:{number}")
    assert not found


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_scenario_stands_in_one_file(member: Path) -> None:
    files: dict[str, set[str]] = {}
    for path in (member / "tests").rglob("test_*.py"):
        for scenario in SCENARIO.findall(path.read_text(encoding="utf-8")):
            files.setdefault(scenario, set()).add(_relative(path))
    assert not {scenario: sorted(found) for scenario, found in files.items() if len(found) > 1}
