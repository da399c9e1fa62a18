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


def _kinds() -> Iterator[tuple[str, Path]]:
    for path in sorted(RULES.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & SHAPES:
                yield node.name, path


KINDS = list(_kinds())


def test_each_file_holds_one_kind_of_rule() -> None:
    assert len(KINDS) == len({path for _, path in KINDS}) > 0


def test_the_registry_names_every_kind_of_rule() -> None:
    for node in ast.parse((RULES / "registry.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "RULES":
            assert isinstance(node.value, ast.Tuple)
            named = [ast.unparse(kind) for kind in node.value.elts]
            assert sorted(named) == sorted(name for name, _ in KINDS)
            return
    pytest.fail("there is no RULES")


@pytest.mark.parametrize("kind", [name for name, _ in KINDS])
def test_few_files_know_a_kind_of_rule(kind: str) -> None:
    word = re.compile(rf"\b{kind}\b")
    knowing = [p.relative_to(ROUTER).as_posix() for p in ROUTER.rglob("*.py") if word.search(p.read_text())]
    assert len(knowing) <= MOST_FILES, f"{kind} is named in {', '.join(sorted(knowing))}"
