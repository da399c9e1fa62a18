"""A kind of rule is a file: whoever adds or changes one finds all of it there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROUTER = Path(__file__).parents[2] / "services/router/src/garbo/router"
RULES = ROUTER / "domain/rules"
SHAPES = {"StandingRule", "TimedRule"}
MOST_FILES = 4
"""Its own, the registry, the policy file's, and one more."""


def _classes() -> Iterator[tuple[ast.ClassDef, Path]]:
    for path in sorted(RULES.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.bases:
                yield node, path


def _says_its_type(kind: ast.ClassDef) -> bool:
    said = [node for node in kind.body if isinstance(node, ast.AnnAssign) and node.value is not None]
    return any(ast.unparse(node.target) == "type" for node in said)


FAMILIES = {
    node.name: path for node, path in _classes() if {ast.unparse(base) for base in node.bases} & SHAPES
}
"""Classes of one shape; caps and gaps are one family."""
KINDS = [node.name for node, _ in _classes() if _says_its_type(node)]


def test_each_file_holds_one_family_of_rules() -> None:
    assert len(FAMILIES) == len({*FAMILIES.values()}) > 0


def test_the_registry_names_every_kind_of_rule() -> None:
    for node in ast.parse((RULES / "registry.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "RULES":
            assert isinstance(node.value, ast.Tuple)
            named = [ast.unparse(kind) for kind in node.value.elts]
            assert sorted(named) == sorted(KINDS)
            return
    pytest.fail("there is no RULES")


@pytest.mark.parametrize("kind", sorted({*FAMILIES, *KINDS}))
def test_few_files_know_a_kind_of_rule(kind: str) -> None:
    word = re.compile(rf"\b{kind}\b")
    knowing = [p.relative_to(ROUTER).as_posix() for p in ROUTER.rglob("*.py") if word.search(p.read_text())]
    assert len(knowing) <= MOST_FILES, f"{kind} is named in {', '.join(sorted(knowing))}"
