"""Rules across fields: what each field accepts, and the whole still cannot be. One module a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.settings.rules import demands, generations, names, places, stores, switching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.settings.draft import Draft
    from lifeboat.model.settings.faults import Fault


def faults(draft: Draft) -> Iterator[Fault]:
    """Every fault of every rule, in the order of a stack's file."""
    for subject in (demands, places, stores, generations, names, switching):
        yield from subject.faults(draft)
