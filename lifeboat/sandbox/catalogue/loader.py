"""Reading the catalogue's files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar, cast

import yaml
from pydantic import ValidationError

from lifeboat.sandbox.catalogue.schema import Entry, Meaning, MeaningFile, Running, RunningFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_File = TypeVar("_File", MeaningFile, RunningFile)

# libyaml where the wheel carries it: ten times faster, the same documents.
_Loader: type[yaml.SafeLoader] = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class CatalogueError(Exception):
    """The catalogue's files are wrong; the message names file and key."""


class Catalogue:
    """Every resource type that the sandbox can run.

    Args:
        entries: Types by token.
        described_only: Types whose changes are described but that cannot be run.
    """

    def __init__(self, entries: dict[str, Entry], described_only: frozenset[str] = frozenset()) -> None:
        self._entries = entries
        self.described_only = described_only

    def __contains__(self, token: object) -> bool:
        return token in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token: str) -> Entry:
        """The entry of a type token.

        Raises:
            KeyError: If the catalogue lacks it; the message says how to add it.
        """
        try:
            return self._entries[token]
        except KeyError:
            raise KeyError(
                f"{token}: the sandbox's catalogue lacks this type; add it to lifeboat/sandbox/catalogue/data/calls"
            ) from None

    def is_recorded(self, token: str) -> bool:
        """Whether a type is only recorded: its inputs checked, its outputs computed, no API called."""
        return self.get(token).running.recorded


@cache
def load() -> Catalogue:
    """Read the catalogue shipped with this package, once a process.

    Raises:
        CatalogueError: If a file does not fit the format.
    """
    data = files("lifeboat.sandbox.catalogue") / "data"
    meanings: dict[str, Meaning] = {}
    for file in _yaml_files(data):
        meanings |= _parse(MeaningFile, file).types
    entries: dict[str, Entry] = {}
    for file in _yaml_files(data / "calls"):
        parsed = _parse(RunningFile, file)
        for token, running in parsed.types.items():
            entries[token] = Entry(
                token=token, running=_inherit(running, parsed), meaning=meanings.pop(token, Meaning())
            )
    return Catalogue(entries, frozenset(meanings))


def _inherit(running: Running, file: RunningFile) -> Running:
    """Fill what a type leaves to its file."""
    return running.model_copy(
        update={
            "service": running.service or file.service,
            "region": running.region or file.region,
            "missing": (*file.missing, *running.missing),
        }
    )


def _yaml_files(folder: Traversable) -> list[Traversable]:
    return sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)


def _parse(model: type[_File], file: Traversable) -> _File:
    document: Any = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader, libyaml's or its own
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise CatalogueError(f"{file.name}: {where}: {fault['msg']}") from None
