"""What a preview of the engine says, and whether it may be carried out. Pure: digests in, judgements out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_QUIET = frozenset({"same", "read", "refresh"})
"""Operations that leave a resource as it is."""

_ADDS = frozenset({"create", "import"})
"""Operations on what was not in the state before."""

_UNTARGETED = re.compile(r"Resource '(?P<urn>[^']+)' depends on '(?P<needed>[^']+)' which was")
"""The engine's refusal to update a target that needs a resource which is new and no target (its diagnostic 2013)."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step of a preview that changes something."""

    operation: str
    """The engine's word: `create`, `update`, `replace`, `delete`, ..."""
    urn: str
    protected: bool
    """Whether it holds state: our stateful resources, and only they, are protected."""
    provider: str
    """Reference of its provider, empty for components and providers."""

    @property
    def name(self) -> str:
        """The logical name, the last part of the URN."""
        return self.urn.rpartition("::")[2]

    def of(self, region: str) -> bool:
        """Whether it belongs to a site: by its name, or by the provider that would carry it out."""
        return region in self.name or f"aws-{region}::" in f"{self.provider}::"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an update would do."""

    changes: tuple[Change, ...]
    needs: tuple[tuple[str, str], ...]
    """Pairs of names: a target, and the new resource outside of the targets that it needs. Then the engine refuses."""
    errors: tuple[str, ...]
    """The engine's other errors, each in one line."""

    def counts(self) -> dict[str, int]:
        """Changes by operation."""
        found: dict[str, int] = {}
        for change in self.changes:
            found[change.operation] = found.get(change.operation, 0) + 1
        return found


def read_preview(digest: Mapping[str, Any]) -> Preview:
    """The engine's preview digest (`pulumi preview --json`), reduced to what is judged here."""
    needs: list[tuple[str, str]] = []
    errors: list[str] = []
    for diagnostic in digest.get("diagnostics", ()):
        if diagnostic.get("severity") != "error":
            continue
        message = _line(str(diagnostic.get("message", "")))
        found = _UNTARGETED.search(message)
        if found:
            needs.append((found["urn"].rpartition("::")[2], found["needed"].rpartition("::")[2]))
        elif message:
            errors.append(message)
    changes = tuple(_change(step) for step in digest.get("steps", ()) if step["op"] not in _QUIET and not _root(step))
    return Preview(changes=changes, needs=tuple(needs), errors=tuple(errors))


def _line(message: str) -> str:
    """A message in one line; of a traceback only what it ends with."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if any(line.startswith("Traceback ") for line in lines):
        lines = [lines[0], lines[-1]]
    return " ".join(lines)


def _root(step: Mapping[str, Any]) -> bool:
    return "::pulumi:pulumi:Stack::" in step["urn"]


def _change(step: Mapping[str, Any]) -> Change:
    states = [state for state in (step.get("oldState"), step.get("newState")) if state]
    return Change(
        operation=step["op"],
        urn=step["urn"],
        protected=any(state.get("protect", False) for state in states),
        provider=step.get("provider") or next((state["provider"] for state in states if state.get("provider")), ""),
    )


def stateful_sites(changes: Iterable[Change], sites: Sequence[str]) -> dict[str, list[str]]:
    """Stateful resources that exist and would change: names by site. Additions do not count, they endanger nothing."""
    found: dict[str, list[str]] = {}
    for change in changes:
        if change.protected and change.operation not in _ADDS:
            for site in sites:
                if site in change.name:
                    found.setdefault(site, []).append(change.name)
    return found


def touching(changes: Iterable[Change], region: str) -> list[str]:
    """Names of the changes that would need an answer from a region."""
    return [change.name for change in changes if change.of(region)]


def losses(changes: Iterable[Change]) -> list[str]:
    """Names of stateful resources that would be deleted or replaced."""
    return [
        change.name
        for change in changes
        if change.protected and change.operation not in _ADDS and change.operation != "update"
    ]
