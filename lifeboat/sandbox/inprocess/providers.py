"""The providers of an in-process deployment: explicit ones, and default ones where the stack's settings allow them."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

from lifeboat.sandbox.catalogue.loader import Catalogue, load
from lifeboat.sandbox.inprocess.deployment import ResourceState, make_urn
from lifeboat.sandbox.inprocess.errors import DeployError
from lifeboat.sandbox.plugin.operations import Backend, Door, check_provider
from lifeboat.sandbox.plugin.wire import reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.sandbox.inprocess.config import RuntimeConfig

PROVIDER_PREFIX = "pulumi:providers:"


class Registry:
    """Providers by reference, ``urn::id``.

    Args:
        backend: Where providers send their calls.
        project: The project's name.
        stack: The stack's name.
        config: Says which default providers are disabled, and gives default ones their settings.
    """

    def __init__(self, *, backend: Backend, project: str, stack: str, config: RuntimeConfig) -> None:
        self._backend = backend
        self._project = project
        self._stack = stack
        self._config = config
        self._catalogue: Catalogue = load()
        self._doors: dict[str, Door] = {}
        self._defaults: dict[str, str] = {}
        self._lock = threading.Lock()

    def is_recorded(self, type_token: str) -> bool:
        """Whether the local cloud only records a type."""
        return self._catalogue.is_recorded(type_token)

    def configure(self, state: ResourceState, version: str) -> None:
        """Configure a provider resource, and fill its identifier and outputs.

        Raises:
            DeployError: when its settings are not for this sandbox.
        """
        package = state.type.removeprefix(PROVIDER_PREFIX)
        fault = check_provider(package, reveal(state.inputs), self._backend)
        if fault:
            raise DeployError(f"{state.urn}: configure: {fault}")
        if version:
            state.inputs = {**state.inputs, "version": version, "__internal": {}}
        state.outputs = {key: value for key, value in state.inputs.items() if key != "__internal"}
        state.id = str(uuid.uuid4())
        reference = f"{state.urn}::{state.id}"
        self._doors[reference] = Door(package, reveal(state.inputs), self._backend, reference=reference)

    def door(
        self, reference: str, package: str, version: str, *, wanted_by: str, made: Callable[[ResourceState], None]
    ) -> Door:
        """The provider that a request names, or the package's default one.

        Args:
            reference: ``urn::id``, or empty for the default provider.
            package: The package of the request's type.
            version: The SDK's version; part of a default provider's name.
            wanted_by: Named when there is no provider.
            made: Takes the resource of a default provider that this call made.

        Raises:
            DeployError: when the default provider is disabled.
        """
        if reference:
            return self._doors[reference]
        with self._lock:
            if self._config.disables_default_provider(package):
                raise DeployError(
                    f"Default provider for '{package}' disabled. '{wanted_by}' must use an explicit provider."
                )
            key = f"{package}@{version}"
            if key not in self._defaults:
                self._defaults[key] = self._make_default(package, version, made)
            return self._doors[self._defaults[key]]

    def builtin(self) -> str:
        """Reference of the provider of the engine's own types."""
        return f"{self._urn('pulumi', 'default')}::{uuid.UUID(int=0)}"

    def _make_default(self, package: str, version: str, made: Callable[[ResourceState], None]) -> str:
        name = "_".join(
            ["default", *version.replace("-", ".").replace("+", ".").split(".")] if version else ["default"]
        )
        prefix = f"{package}:"
        settings = {k.removeprefix(prefix): v for k, v in self._config.values.items() if k.startswith(prefix)}
        state = ResourceState(
            urn=self._urn(package, name), type=PROVIDER_PREFIX + package, custom=True, inputs=dict(settings)
        )
        self.configure(state, version)
        made(state)
        return f"{state.urn}::{state.id}"

    def _urn(self, package: str, name: str) -> str:
        return make_urn(
            stack=self._stack, project=self._project, parent="", type_token=PROVIDER_PREFIX + package, name=name
        )
