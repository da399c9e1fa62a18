"""What names promise: a file is found by its thing, and a word means one thing within a service."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted([*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()])
SERVICES = sorted(p.name for p in (ROOT / "services").iterdir())


@pytest.mark.parametrize("service", SERVICES)
def test_use_case_is_named_by_its_thing(service: str) -> None:
    home = ROOT / "services" / service / "src/garbo" / service
    gerunds = [path.name for path in (home / "flow").rglob("*ing.py")]
    assert not gerunds, "nouns or verb and object, please"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_class_has_its_name_alone(member: Path) -> None:
    names = Counter(
        node.name
        for path in (member / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []
