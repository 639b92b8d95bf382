"""A configured provider as both doors use it: secrets are taken off on the way in and marked again on the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lifeboat.sandbox.catalogue.loader import load
from lifeboat.sandbox.plugin.secrecy import mark
from lifeboat.sandbox.plugin.wire import reveal
from lifeboat.sandbox.provider import Diff, Failure, Provider, ProviderError, Values

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where providers send their calls.

    Attributes:
        endpoint: The gateway's address, ``http://127.0.0.1:PORT``.
        account: The sandbox's account, twelve digits.
    """

    endpoint: str
    account: str


@dataclass(frozen=True)
class Found:
    """A resource as it is: identifier, outputs and inputs, secrets marked."""

    id: str
    outputs: dict[str, Any]
    inputs: dict[str, Any]


class CheckError(Exception):
    """Inputs that a type does not accept; one line with every fault."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__("; ".join(f"{failure.property}: {failure.reason}" for failure in failures))
        self.failures = failures


def check_provider(package: str, settings: dict[str, Any], backend: Backend) -> str | None:
    """What is wrong with a provider's settings for this sandbox, in one line; None when nothing is.

    Args:
        package: ``aws`` or ``random``.
        settings: Plain settings; lists arrive as JSON text from the engine and as lists in process.
        backend: The sandbox.
    """
    if package == "random":
        return None
    if package != "aws":
        return f"the sandbox has no provider for {package}: there are aws and random"
    if not settings.get("region"):
        return "region: missing: name the provider's region"
    allowed = settings.get("allowedAccountIds")
    if allowed and backend.account not in allowed:
        return f"allowedAccountIds: {allowed}: the sandbox's account is {backend.account}"
    return None


class Door:
    """One provider, safe to use from many threads.

    Args:
        package: ``aws`` or ``random``.
        settings: The provider's plain settings, which :func:`check_provider` accepts.
        backend: The sandbox.
        reference: ``urn::id`` by which resources name this provider; empty where nobody asks.
    """

    def __init__(self, package: str, settings: dict[str, Any], backend: Backend, *, reference: str = "") -> None:
        self.reference = reference
        self._types = load()
        # `random` has no region, and calls nothing.
        region = settings["region"] if package == "aws" else ""
        self._engine = Provider(
            region=region, account=backend.account, endpoint=backend.endpoint, catalogue=self._types
        )

    def check(
        self, type_token: str, urn: str, news: dict[str, Any], olds: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Checked inputs, defaults and automatic names filled in.

        Raises:
            CheckError: with every fault.
        """
        if type_token not in self._types:
            raise ProviderError("check", "NotImplemented", f"{type_token}: the sandbox's catalogue lacks this type")
        name = urn.split("::", 3)[3]
        inputs, failures = self._engine.check(type_token, _optional(olds), reveal(news), name=name)
        if failures:
            raise CheckError(failures)
        return mark(inputs, news)

    def create(self, type_token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create a resource from checked inputs; its identifier and outputs."""
        result = self._engine.create(type_token, reveal(inputs))
        return result.id, self._mark(type_token, result.outputs, inputs)

    def preview(
        self, type_token: str, inputs: dict[str, Any], previous: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Outputs as far as they are known before the resource is created, or updated from ``previous`` outputs."""
        outputs = self._engine.outputs_preview(type_token, reveal(inputs), _optional(previous))
        return self._mark(type_token, outputs, inputs)

    def read(self, type_token: str, identifier: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> Found | None:
        """The resource as it is; without inputs and outputs it is adopted. None when there is none."""
        result = self._engine.read(type_token, identifier, reveal(inputs) or None, reveal(outputs) or None)
        if result is None:
            return None
        known = {**outputs, **inputs}
        return Found(result.id, self._mark(type_token, result.outputs, known), mark(result.inputs, known))

    def update(
        self,
        type_token: str,
        identifier: str,
        olds: dict[str, Any],
        news: dict[str, Any],
        old_inputs: dict[str, Any],
    ) -> dict[str, Any]:
        """Update a resource in place from its old outputs and inputs to new inputs; its new outputs."""
        outputs = self._engine.update(type_token, identifier, reveal(olds), reveal(news), old_inputs=reveal(old_inputs))
        return self._mark(type_token, outputs, news)

    def delete(self, type_token: str, identifier: str, outputs: dict[str, Any]) -> None:
        """Delete a resource."""
        self._engine.delete(type_token, identifier, reveal(outputs))

    def diff(
        self, type_token: str, old_inputs: dict[str, Any], news: dict[str, Any], ignore_changes: Sequence[str] = ()
    ) -> Diff:
        """What an update would do."""
        return self._engine.diff(type_token, reveal(old_inputs), reveal(news), ignore_changes)

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a function of the package."""
        return cast("dict[str, Any]", self._engine.invoke(token, reveal(arguments)))

    def _mark(self, type_token: str, outputs: Values, inputs: dict[str, Any]) -> dict[str, Any]:
        present = {key: value for key, value in outputs.items() if value is not None}
        return mark(present, inputs, self._types.get(type_token).running.secret)


def _optional(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else reveal(values)
