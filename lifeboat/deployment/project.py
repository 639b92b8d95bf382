"""A checkout as a Pulumi project: its stacks and what their files say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "Pulumi.yaml"


class InputError(Exception):
    """What the user gave cannot be used. Its lines are for the user, one per fault."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Refused(Exception):  # noqa: N818  (a refusal is not an error of the program)
    """A safety check stopped the command before it changed anything. Its lines say what and what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Project:
    """A directory with a `Pulumi.yaml`."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> Project:
        """The project that a directory lies in.

        Raises:
            InputError: outside of any project.
        """
        for directory in (start, *start.parents):
            if (directory / _FILE).is_file():
                return cls(directory)
        raise InputError(f"no {_FILE} in {start} or above: run lifeboat inside a checkout")

    @classmethod
    def at(cls, directory: Path) -> Project:
        """The project whose `Pulumi.yaml` a directory itself holds.

        Raises:
            InputError: when it holds none.
        """
        if not (directory / _FILE).is_file():
            raise InputError(f"no {_FILE} in {directory}")
        return cls(directory)

    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks that have a `Pulumi.STACK.yaml`, sorted."""
        files = (path for path in self.root.glob("Pulumi.*.yaml") if path.is_file())
        return tuple(sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files))

    def text(self, stack: str) -> str:
        """The text of a stack's file.

        Raises:
            InputError: if there is no such stack, or its file cannot be read or is no text.
        """
        # Compared with what there is, so that a name with a slash never becomes a path.
        if stack not in self.stacks():
            known = ", ".join(self.stacks()) or "none"
            raise InputError(
                f"no stack {stack!r}: there is no Pulumi.{stack}.yaml in {self.root}; stacks here: {known}"
            )
        try:
            return (self.root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InputError(f"Pulumi.{stack}.yaml: not UTF-8 text") from None
        except OSError as fault:
            raise InputError(f"Pulumi.{stack}.yaml: {fault.strerror}") from None
