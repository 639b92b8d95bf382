"""The one error that running a resource raises."""

from __future__ import annotations


class ProviderError(Exception):
    """An API refused, or could not be reached.

    Attributes:
        operation: The API operation, ``CreateVpc``; or the engine's own, ``create``.
        code: The vendor's error code; ``Unreachable`` when nothing answered, ``Refused`` when the catalogue knows that
            the real provider would refuse.
        message: The vendor's words, on one line.
    """

    def __init__(self, operation: str, code: str, message: str) -> None:
        self.operation = operation
        self.code = code
        self.message = " ".join(message.split())
        super().__init__(f"{operation}: {code}: {self.message}")
