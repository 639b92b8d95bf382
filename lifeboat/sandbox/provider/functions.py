"""What the catalogue's expressions can do beyond JMESPath's own functions."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from jmespath import Options
from jmespath.functions import Functions, signature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class _Functions(Functions):
    """One method a function; JMESPath finds them by their prefix."""

    @signature({"types": ["string"]})
    def _func_crc32(self, value: str) -> int:
        """The provider's hash of a text, part of some of its identifiers."""
        return zlib.crc32(value.encode())

    @signature({"types": ["array", "null"]}, {"types": ["array", "null"]})
    def _func_minus(self, left: Sequence[object] | None, right: Sequence[object] | None) -> list[object] | None:
        """Items of the first list that the second lacks; null when there are none."""
        return [item for item in left or () if item not in (right or ())] or None

    @signature({"types": ["object", "null"]}, {"types": ["string"]}, {"types": ["string"]})
    def _func_pairs(self, value: Mapping[str, object] | None, key: str, item: str) -> list[dict[str, object]] | None:
        """A map as a list of pairs, ``pairs(dimensions, 'Name', 'Value')``."""
        return None if value is None else [{key: name, item: content} for name, content in value.items()]

    @signature({"types": ["array", "null"]}, {"types": ["string"]}, {"types": ["string"]})
    def _func_unpairs(
        self, value: Sequence[Mapping[str, object]] | None, key: str, item: str
    ) -> dict[str, object] | None:
        """The reverse of ``pairs``."""
        return None if value is None else {str(pair[key]): pair[item] for pair in value}

    @signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_after(self, value: str | None, mark: str) -> str | None:
        """What follows the last occurrence of a mark: the ID in ``/hostedzone/Z1``."""
        return None if value is None else value.rsplit(mark, 1)[-1]

    @signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_trim(self, value: str | None, characters: str) -> str | None:
        """A text without these characters at either end: the final dot of a DNS name, the quotes of an ETag."""
        return None if value is None else value.strip(characters)

    @signature({"types": ["string", "null"]}, {"types": ["string", "null"]})
    def _func_version(self, actual: str | None, wanted: str | None) -> str | None:
        """An engine's version as the program wrote it, if the actual one is of that series; ``16`` for ``16.4``."""
        if wanted is not None and actual is not None and f"{actual}.".startswith(f"{wanted.rstrip('.')}."):
            return wanted
        return actual


OPTIONS: Final = Options(custom_functions=_Functions())
"""Passed to every search."""
