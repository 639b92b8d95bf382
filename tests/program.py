"""The whole program, `__main__.py` itself, run between the SDK and the mock monitor."""

from __future__ import annotations

import contextvars
import runpy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi.runtime import set_all_config

from lifeboat.sandbox.inprocess.config import read_config
from lifeboat.sandbox.inprocess.deployment import STACK_TYPE, make_urn
from lifeboat.sandbox.plugin.wire import decode
from tests.components.harness import Monitor, Registration, run
from tests.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf import empty_pb2
    from pulumi.runtime import mocks
    from pulumi.runtime.proto import resource_pb2

PROJECT = "lifeboat"
PROVIDER = "pulumi:providers:aws"


class ProgramMonitor(Monitor):
    """Gives the URNs that the engine would, and keeps raw inputs and the stack's outputs too."""

    def __init__(self, stack: str, answers: mocks.Mocks | None, *, unknown: bool) -> None:
        super().__init__(answers, unknown=unknown)
        self.raw: dict[str, dict[str, Any]] = {}
        self.exports: dict[str, Any] = {}
        self._stack = stack

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's URN, with every ancestor's type."""
        return make_urn(stack=self._stack, project=PROJECT, parent=parent, type_token=type_, name=name)

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> object:  # noqa: N802 - gRPC's name
        """Keep the inputs as the wire has them, unknown and secret ones marked."""
        self.raw[self.make_urn(request.parent, request.type, request.name)] = decode(request.object)
        return super().RegisterResource(request)

    def RegisterResourceOutputs(  # noqa: N802 - gRPC's name
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Keep the stack's outputs."""
        if f"::{STACK_TYPE}::" in request.urn:
            self.exports = decode(request.outputs)
        return super().RegisterResourceOutputs(request)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the program asked for in one run."""

    registrations: dict[str, Registration]
    """By URN; the stack itself is not among them."""
    regions: Mapping[str, str]
    """Region by provider URN."""
    raw: Mapping[str, dict[str, Any]]
    """Inputs by URN, unknown and secret ones marked."""
    exports: dict[str, Any] = field(repr=False)
    """The stack's outputs, unknown and secret ones marked."""

    @property
    def resources(self) -> tuple[Registration, ...]:
        """Custom resources, but for providers."""
        return tuple(each for each in self.registrations.values() if each.custom and each.type != PROVIDER)

    def region(self, registration: Registration) -> str | None:
        """The region of the provider that a resource names; None when that has none."""
        return self.regions.get(registration.provider)


def evaluate(
    stack: str,
    *,
    answers: mocks.Mocks | None = None,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    secret_keys: Sequence[str] = (),
) -> Evaluation:
    """Run the program with a stack's settings.

    Args:
        stack: Names a `Pulumi.<stack>.yaml` of the checkout.
        answers: Plays the provider; placeholders where none is given.
        preview: Outputs that the provider does not answer are unknown.
        config: Values by full key that replace the stack's own.
        secret_keys: Full keys that the engine decrypted.

    Raises:
        pulumi.RunError: when the program refuses its settings.
    """
    values = {**read_config(ROOT, stack, passphrase=None).values, **(config or {})}
    monitor = ProgramMonitor(stack, answers, unknown=preview)

    def within() -> None:
        set_all_config(values, list(secret_keys))
        run(_program, monitor, preview=preview, stack=stack)

    # The SDK keeps its settings in context variables, which would outlive the run.
    contextvars.copy_context().run(within)
    return Evaluation(
        registrations=monitor.registrations,
        regions={reference.rpartition("::")[0]: region for reference, region in monitor.regions.items()},
        raw=monitor.raw,
        exports=monitor.exports,
    )


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
