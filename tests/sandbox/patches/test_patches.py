"""The patches as a whole: each has a test of its name, and goes in only where moto is as it expects."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lifeboat.sandbox.patches import collect
from lifeboat.sandbox.patches.base import OutdatedPatchError, Patches


def named_tests(service: str) -> list[str]:
    tree = ast.parse(Path(__file__).with_name(f"test_{service}.py").read_text())
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@pytest.mark.parametrize("service", [service.service for service in collect()])
def test_every_patch_has_a_test_of_its_name_and_says_what_moto_does(service: str) -> None:
    (patches,) = (known.patches for known in collect() if known.service == service)
    tests = named_tests(service)
    assert [patch.name for patch in patches if not any(test.startswith(f"test_{patch.name}") for test in tests)] == []
    assert [patch.name for patch in patches if not patch.fault] == []


class Handler:
    """Stands for a class of moto's."""

    def answer(self) -> str:
        """A method."""
        return "moto"

    @property
    def size(self) -> int:
        """A property."""
        return 1

    @staticmethod
    def scale(by: int) -> int:
        """A static method."""
        return by


def test_a_fix_gets_the_original_and_keeps_its_kind() -> None:
    owner = type("Owner", (Handler,), dict(vars(Handler)))
    patches = Patches("service")

    @patches.fixes(owner)
    def answer(original: object, self: Handler) -> str:
        return f"{original(self)}, fixed"  # pyright: ignore[reportCallIssue]

    @patches.fixes(owner)
    def size(original: object, self: Handler) -> int:
        return original(self) + 1  # pyright: ignore[reportCallIssue]

    @patches.fixes(owner)
    def scale(original: object, by: int) -> int:
        return original(by) * 2  # pyright: ignore[reportCallIssue]

    for patch in patches.patches:
        patches.apply(patch)
    assert (owner().answer(), owner().size, owner.scale(2)) == ("moto, fixed", 2, 4)


def test_a_patch_of_what_changed_is_refused() -> None:
    patches = Patches("service")

    @patches.fixes(Handler)
    def gone(_original: object, _self: Handler) -> None:
        """Fixes what is not there."""

    def answer(_self: Handler) -> str:
        return "ours"

    patches.fills(Handler)(answer)
    with pytest.raises(OutdatedPatchError, match=r"no longer has Handler\.gone"):
        patches.apply(patches.patches[0])
    with pytest.raises(OutdatedPatchError, match=r"now has Handler\.answer"):
        patches.apply(patches.patches[1])
