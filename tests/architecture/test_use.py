"""What is shipped is used by what is shipped: a rule that only a fake calls merely looks like the truth."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted([*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()])
ANNOTATION = re.compile(r"[\w.\[\], |]+\Z")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@cache
def _modules() -> Mapping[str, ast.Module]:
    """Parse all that is shipped, by dotted name."""
    found = {}
    for member in MEMBERS:
        for path in (member / "src").rglob("*.py"):
            name = ".".join(path.relative_to(member / "src").with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def _imported() -> Mapping[str, set[str]]:
    """Give the names that any module takes from each module, by import or as an attribute of it."""
    names: dict[str, set[str]] = defaultdict(set)
    for tree in _modules().values():
        modules: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names[node.module] |= {alias.name for alias in node.names}
                modules |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names[modules.get(node.value.id, "")].add(node.attr)
    return names


def _definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Give what a module defines; what is decorated is known to whoever decorates it."""
    for node in tree.body:
        match node:
            case (
                ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]) | ast.ClassDef()
            ):
                yield node.name, node
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name, node


def _names_in(tree: ast.AST) -> Counter[str]:
    """Count the names that are spoken in a piece of code, annotations written as text included."""
    names: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names[node.id] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ANNOTATION.match(node.value):
            names.update(re.findall(r"\w+", node.value))
    return names


def _used_by_tests_alone(module: str, tree: ast.Module) -> Iterator[str]:
    spoken = _names_in(tree)
    for name, node in _definitions(tree):
        taken = name.startswith("__") or name in _imported()[module]
        if not taken and spoken[name] == _names_in(node)[name]:
            yield f"{module}.{name}"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.name)
def test_nothing_is_shipped_that_only_tests_use(member: Path) -> None:
    mine = {name: tree for name, tree in _modules().items() if name.split(".")[1] == member.name}
    found = {name for module, tree in mine.items() for name in _used_by_tests_alone(module, tree)}
    assert not found, "use it, move it to tests/support, or drop it"
