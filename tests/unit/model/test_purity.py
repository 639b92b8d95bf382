"""The model knows no clock, no network, no files and no Pulumi: read from its own imports and calls."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lifeboat.model

ROOM = Path(lifeboat.model.__file__).parent
MODULES = sorted(ROOM.rglob("*.py"))
ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "difflib",
    "enum",
    "functools",
    "graphlib",
    "hashlib",
    "heapq",
    "importlib",
    "ipaddress",
    "json",
    "lifeboat",
    "math",
    "numpy",
    "pkgutil",
    "pydantic",
    "pydantic_core",
    "re",
    "shlex",
    "statistics",
    "typing",
    "yaml",
    "zlib",
}
"""`datetime` for the form of a day; what reads the clock is refused by name below. `importlib` and `pkgutil` for the
plan's kinds of steps, one a module; `numpy` draws from seeds that it is given."""
IMPURE = {"now", "utcnow", "today", "open", "input", "print", "exec", "eval", "read_text", "write_text"}


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where things come from"
            found.add(node.module or "")
    return found


def calls(tree: ast.AST) -> set[str]:
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {f.id if isinstance(f, ast.Name) else f.attr for f in functions if isinstance(f, ast.Name | ast.Attribute)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_a_module_is_pure_and_short(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    # The schema's module prints when it is run; nothing imports what it needs for that.
    spared = {"sys"} if path.name == "schema.py" else set[str]()
    names = imports(tree)
    assert {name.split(".")[0] for name in names} <= ALLOWED | spared
    assert all(name.split(".")[1:2] in ([], ["model"]) for name in names if name.split(".")[0] == "lifeboat")
    assert not calls(tree) & IMPURE
    assert len(text.splitlines()) < 400


def test_decisions_are_taken_in_topology_alone() -> None:
    # Whoever builds a Topology decides; nobody else does.
    builders = [path.name for path in MODULES if "Topology" in calls(ast.parse(path.read_text()))]
    # `outlook` drafts what `topology` asks about, so that its plan can be derived; nothing in a draft is chosen there.
    assert builders == ["outlook.py", "topology.py"]
