"""In which order a stack's sites are updated, and when they are not.

Invariants:
1. No update changes stateful resources of both sites: the standby goes first and is verified, then the rest.
2. With a region lost, nothing is asked of it: the survivors are the only targets, and a survivor that needs something
   new in the lost site is refused, because the engine would write a state that lacks it.
3. A refusal changes nothing.
4. While the stack is failed over, only the survivor is updated: the rest would ask a site that is fenced, or move what
   a run is moving.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from lifeboat.deployment.changes import Preview, losses, stateful_sites, touching
from lifeboat.deployment.engine import EngineError
from lifeboat.deployment.project import InputError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Engine(Protocol):
    """What an update needs of the engine."""

    def export(self) -> dict[str, Any]:
        """The stack's state."""
        ...

    def preview(self, targets: Sequence[str] = ()) -> Preview:
        """What an update would do."""
        ...

    def update(self, targets: Sequence[str] = ()) -> None:
        """Carry it out."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One run of the engine."""

    scope: str
    """`all`, or the site that was the target."""
    changes: dict[str, int]
    """Counts by operation."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was done."""

    stages: tuple[Stage, ...] = ()
    """Empty when nothing had to change."""
    export: str | None = None
    """File with the state from before, when a region was left out."""


@dataclass(frozen=True, kw_only=True)
class Updater:
    """One update of one stack.

    `confirm` is asked once per run of the engine, with a title and what it will do; False ends the update there.
    """

    engine: Engine
    sites: tuple[str, str]
    """Both regions, the one that is active now first."""
    tell: Callable[[str], None]
    confirm: Callable[[str, Preview], bool]
    frozen: Callable[[], str | None] = lambda: None
    """Why only the survivor may be updated now; None when nothing stands against an update of everything."""
    _stages: list[Stage] = field(default_factory=list[Stage], init=False)

    def everything(self) -> Outcome:
        """Update the whole stack, the standby first.

        Raises:
            Refused: while the stack is failed over; or when one update would change stateful resources of both sites,
                nothing more is changed then.
            EngineError: when the CLI fails.
        """
        if (why := self.frozen()) is not None:
            raise Refused(f"updates are frozen: {why}", "`lifeboat up --without REGION` updates the survivor alone")
        _, standby = self.sites
        if not _resources(self.engine.export()):
            # Nothing exists yet, and what the sites get depends on each other: there is no order to keep.
            self.tell("first deployment: both sites together")
            self._run("all", self.engine.preview())
            return self._outcome()
        self.tell(f"standby first: previewing {standby}")
        preview = self.engine.preview([standby])
        if preview.needs:
            self.tell(f"{standby} needs what is new outside of it: {_pairs(preview.needs)}")
        elif preview.changes:
            if not self._run(standby, preview, [standby]):
                return self._outcome()
            self._verify(standby)
        self.tell("then the rest: previewing everything")
        rest = self.engine.preview()
        changed = stateful_sites(rest.changes, self.sites)
        if len(changed) > 1:
            raise Refused(
                f"one update would change stateful resources of both sites: "
                f"{'; '.join(f'{site}: {_some(names)}' for site, names in changed.items())}",
                "deploy what is new first, and what changes in a second step",
            )
        if rest.changes:
            self._run("all", rest)
        return self._outcome()

    def without(self, lost: str, keep: Path) -> Outcome:
        """Update the surviving site only.

        Args:
            lost: the region that does not answer.
            keep: the file that the state of before is written to.

        Raises:
            InputError: if the region is no site of the stack.
            Refused: when the survivor needs something new in the lost site, or would lose state; nothing is changed.
            EngineError: when the CLI fails.
        """
        if lost not in self.sites:
            raise InputError(f"--without {lost}: no site of this stack; its sites are {', '.join(self.sites)}")
        (survivor,) = (site for site in self.sites if site != lost)
        state = self.engine.export()
        if not _resources(state):
            raise Refused("nothing is deployed: a first deployment needs both sites")
        _keep(keep, state)
        self.tell(f"state of before kept in {keep}")
        preview = self.engine.preview([survivor])
        if preview.needs:
            raise Refused(
                f"{survivor} needs something new that is not in it: {_pairs(preview.needs)}",
                f"leave that out of the change until {lost} is back, or until it is given up as a site",
            )
        if reaching := touching(preview.changes, lost):
            raise Refused(
                f"the update would need an answer from {lost}: {_some(reaching)}",
                "leave that out of the change until it is back",
            )
        if lose := losses(preview.changes):
            raise Refused(
                f"the update would replace or delete what holds state in the only site left: {_some(lose)}",
                "make that change when both sites are there",
            )
        if preview.changes:
            self._run(survivor, preview, [survivor])
        return self._outcome(export=str(keep))

    def _run(self, scope: str, preview: Preview, targets: Sequence[str] = ()) -> bool:
        if not self.confirm(scope, preview):
            self.tell("stopped: not confirmed")
            return False
        self.engine.update(targets)
        self._stages.append(Stage(scope=scope, changes=preview.counts()))
        return True

    def _verify(self, standby: str) -> None:
        left = self.engine.preview([standby])
        if left.changes or left.needs:
            names = [change.name for change in left.changes] or [name for name, _ in left.needs]
            raise EngineError(f"{standby} is not as declared after its update, the rest is untouched: {_some(names)}")
        self.tell(f"{standby} is as declared")

    def _outcome(self, export: str | None = None) -> Outcome:
        return Outcome(stages=tuple(self._stages), export=export)


def ordered(sites: tuple[str, str], active: str | None) -> tuple[str, str]:
    """Both sites, the active one first.

    Args:
        sites: both regions, home first.
        active: the site that is active now, None for home.

    Raises:
        InputError: if that is neither.
    """
    if active is None or active == sites[0]:
        return sites
    if active != sites[1]:
        raise InputError(f"--active {active}: no site of this stack; its sites are {', '.join(sites)}")
    return (sites[1], sites[0])


def export_file(root: Path, stack: str) -> Path:
    """Where the state of before is kept: a new file per run, named by the moment (UTC)."""
    moment = datetime.now(tz=UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return root / ".lifeboat" / f"{stack}-{moment}.json"


def _resources(export: dict[str, Any]) -> int:
    """Custom resources in an exported state; the stack itself and providers are none."""
    deployment = cast("dict[str, Any]", export.get("deployment") or {})
    resources = cast("list[dict[str, Any]]", deployment.get("resources") or [])
    return sum(bool(each.get("custom")) and not str(each["type"]).startswith("pulumi:") for each in resources)


def _keep(file: Path, state: dict[str, Any]) -> None:
    """Write the state for its owner's eyes only: its secrets are encrypted, its names are not."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(state, stream, indent=2)
        stream.flush()
        # It is the only copy if the backend goes down next.
        os.fsync(descriptor)


def _pairs(needs: Sequence[tuple[str, str]]) -> str:
    return _some([f"{name} needs {needed}" for name, needed in needs])


def _some(names: Sequence[str], shown: int = 5) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
