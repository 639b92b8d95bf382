"""What can be understood of settings with faults, so that rules across fields report too.

Each part is validated alone. A part that fails loses the keys that failed and is tried again; a part that needs them is
left out. Rules ask a draft what was lost before they call something missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from lifeboat.model.settings.faults import Fault, Path, absent, from_pydantic, required
from lifeboat.model.settings.objectives import Objectives
from lifeboat.model.settings.recovery import Breakglass, Warden
from lifeboat.model.settings.root import Settings
from lifeboat.model.settings.sites import Divergence, Dns, Failback, GreyFailure, Lease, Network, Routing, Site
from lifeboat.model.settings.stores import Cache, Database, ObjectStore, Secret

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Listed(Generic[ModelT]):
    """One item of a list, and where it stands."""

    path: Path
    item: ModelT


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Settings as far as they could be understood. None and absence mean that a part could not, or is not there."""

    raw: Mapping[str, object]
    lost: frozenset[Path]
    """Paths whose values were refused, and so are not in the parts below."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Plain keys: system, environment, home, witness, strategy, approval."""
    objectives: Objectives | None = None
    sites: tuple[Listed[Site], ...] = ()
    network: Network | None = None
    databases: tuple[Listed[Database], ...] = ()
    caches: tuple[Listed[Cache], ...] = ()
    object_stores: tuple[Listed[ObjectStore], ...] = ()
    secrets: tuple[Listed[Secret], ...] = ()
    dns: Dns | None = None
    routing: Routing | None = None
    divergence: Divergence | None = None
    lease: Lease | None = None
    grey_failure: GreyFailure | None = None
    failback: Failback | None = None
    warden: Warden | None = None
    breakglass: Breakglass | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    def whole(self, *path: str | int) -> bool:
        """Whether nothing was lost at `path`, below it or above it."""
        return not any(lost[: len(path)] == path[: len(lost)] for lost in self.lost)

    @property
    def stores(self) -> tuple[Listed[Database] | Listed[Cache] | Listed[ObjectStore], ...]:
        """Everything that holds data and can have an RPO."""
        return (*self.databases, *self.caches, *self.object_stores)


_LISTS: dict[str, type[BaseModel]] = {
    "sites": Site,
    "databases": Database,
    "caches": Cache,
    "object_stores": ObjectStore,
    "secrets": Secret,
}
_PARTS: dict[str, type[BaseModel]] = {
    "objectives": Objectives,
    "network": Network,
    "dns": Dns,
    "routing": Routing,
    "divergence": Divergence,
    "lease": Lease,
    "grey_failure": GreyFailure,
    "failback": Failback,
    "warden": Warden,
    "breakglass": Breakglass,
}
_TEXTS = ("system", "environment", "home", "witness", "strategy", "approval")


def draft(raw: Mapping[str, object]) -> tuple[Draft, tuple[Fault, ...]]:
    """Understand what can be understood of `raw`, and say what is wrong with the form of the rest."""
    faults: list[Fault] = []
    lost: set[Path] = set()
    parts: dict[str, Any] = {}
    for key, value in raw.items():
        # An engine fills a project's defaults in: an empty zone is no zone.
        if key == "dns" and (value is None or value == {}):
            continue
        if key in _PARTS:
            parts[key] = _salvage(_PARTS[key], value, (key,), faults, lost)
        elif key in _LISTS and isinstance(value, list | tuple):
            items = cast("Sequence[object]", value)
            kept = (
                (path := (key, place), _salvage(_LISTS[key], item, path, faults, lost))
                for place, item in enumerate(items)
            )
            parts[key] = tuple(Listed(path, item) for path, item in kept if item is not None)
        else:
            parts[key] = _plain(key, value, faults, lost)
    for name, info in Settings.model_fields.items():
        if info.is_required() and name not in raw:
            faults.append(absent((name,), required(info.description)))
            lost.add((name,))
    known = {name: value for name, value in parts.items() if name in (*_PARTS, *_LISTS, "tags") and value is not None}
    for name, model in _PARTS.items():
        if name not in raw and name not in {"dns", "objectives"}:
            known[name] = model()
    texts = {name: str(parts[name]) for name in _TEXTS if parts.get(name) is not None}
    return Draft(raw=raw, lost=frozenset(lost), texts=texts, **known), tuple(faults)


def _plain(key: str, value: object, faults: list[Fault], lost: set[Path]) -> object:
    """A top-level key that is not a model: the one key validated alone, by the whole's own definition of it."""
    info = Settings.model_fields.get(key)
    if info is None:
        # The whole's own error names the nearest key.
        errors = _errors(Settings, {key: value})
        faults.extend(from_pydantic(error, Settings) for error in errors if error["type"] == "extra_forbidden")
        lost.add((key,))
        return None
    adapter: TypeAdapter[Any] = TypeAdapter(info.rebuild_annotation())
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            faults.append(from_pydantic(detail, Settings, (key,)))
            lost.add((key, *detail["loc"]))
        return None


def _salvage(model: type[ModelT], value: object, path: Path, faults: list[Fault], lost: set[Path]) -> ModelT | None:
    errors = _errors(model, value)
    faults.extend(from_pydantic(error, model, path) for error in errors)
    lost.update((*path, *error["loc"]) for error in errors)
    if not isinstance(value, Mapping):
        return None if errors else model.model_validate(value)
    refused = {error["loc"][0] for error in errors if error["loc"]}
    kept = {key: item for key, item in cast("Mapping[object, object]", value).items() if key not in refused}
    return None if _errors(model, kept) else model.model_validate(kept)


def _errors(model: type[BaseModel], value: object) -> list[Any]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return list(error.errors(include_url=False))
    return []
