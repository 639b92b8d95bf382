"""The resource monitor that stands where the engine would: it takes registrations and runs them at once.

The SDK calls it from several threads, one for each registration that waits for nothing. A registration's dependencies
have always finished before it starts, so the order in which registrations finish is an order of dependency.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockMonitor, Mocks
from pulumi.runtime.proto import resource_pb2

from lifeboat.sandbox.inprocess.deployment import Deployment, ResourceState, make_urn
from lifeboat.sandbox.inprocess.errors import DeployError, StoppedError
from lifeboat.sandbox.inprocess.providers import PROVIDER_PREFIX, Registry
from lifeboat.sandbox.inprocess.references import REFERENCE_TYPE, StackReader
from lifeboat.sandbox.plugin.operations import CheckError, Door
from lifeboat.sandbox.plugin.wire import Secret, decode, encode
from lifeboat.sandbox.provider.diffing import reset
from lifeboat.sandbox.provider.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.sandbox.plugin.operations import Found


@dataclass(frozen=True, kw_only=True)
class Step:
    """One resource that is done, for whoever shows progress.

    Attributes:
        operation: ``create``, ``import`` or ``read``.
        urn: The resource.
        type: Its type token.
        name: Its logical name.
        recorded: Whether the catalogue only recorded it.
        seconds: Time it took.
        done: Resources of a provider that are done, this one included.
    """

    operation: str
    urn: str
    type: str
    name: str
    recorded: bool
    seconds: float
    done: int


class SandboxMonitor(MockMonitor):
    """Registers resources against the local cloud and keeps the deployment.

    The first failure stops the program: everything registered after it is refused.

    Args:
        deployment: Takes the resources.
        registry: The providers.
        stacks: Where other stacks' outputs are read from.
        progress: Called after each resource, from several threads but never twice at once.
    """

    failure: DeployError | None

    def __init__(
        self, *, deployment: Deployment, registry: Registry, stacks: StackReader, progress: Callable[[Step], None]
    ) -> None:
        # Every method that would ask the mocks is replaced below.
        super().__init__(cast("Mocks", None))
        self.failure = None
        self.real = 0
        self.recorded = 0
        self._deployment = deployment
        self._registry = registry
        self._stacks = stacks
        self._progress = progress
        self._lock = threading.Lock()
        self._packages: dict[str, tuple[str, str]] = {}
        self._states: dict[str, ResourceState] = {}

    def GetDeploymentInfo(self, request: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:  # noqa: ARG002, N802 - protocol
        """What this monitor can do. Without transforms and hooks: the SDK then refuses them instead of losing them."""
        return resource_pb2.DeploymentInfo(
            supportedFeatures=[
                resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
                resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
                resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
                resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
                resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
            ]
        )

    def RegisterPackage(self, request: resource_pb2.RegisterPackageRequest) -> resource_pb2.RegisterPackageResponse:  # noqa: N802 - protocol
        """Remember which package and version a reference stands for."""
        reference = f"{request.name}@{request.version}"
        self._packages[reference] = (request.name, request.version)
        return resource_pb2.RegisterPackageResponse(ref=reference)

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:  # noqa: N802 - protocol
        """Create one resource, or note a component."""
        state = self._new_state(request)
        with _Failures(self, state.urn, "import" if request.importId else "create"):
            if request.remote:
                raise DeployError(f"{state.urn}: the sandbox runs no remote components")
            if request.type.startswith(PROVIDER_PREFIX):
                self._registry.configure(state, request.version or self._version_of(request.packageRef))
                self._keep(state)
            elif state.custom:
                self._run(request, state)
            else:
                self._keep(state)
        return resource_pb2.RegisterResourceResponse(
            urn=state.urn, id=state.id or "", object=encode(state.outputs, secrets=request.acceptSecrets)
        )

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:  # noqa: N802 - protocol
        """Note what a component, or the stack, gives."""
        self._states[request.urn].outputs = decode(request.outputs)
        return empty_pb2.Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:  # noqa: N802 - protocol
        """Read a resource that something else manages, or another stack's outputs."""
        state = ResourceState(
            urn=self._urn(request.parent, request.type, request.name),
            type=request.type,
            custom=True,
            id=request.id,
            inputs=decode(request.properties),
            parent=request.parent,
            dependencies=list(request.dependencies),
            additional_secret_outputs=list(request.additionalSecretOutputs),
            external=True,
        )
        with _Failures(self, state.urn, "read"):
            self._claim(state)
            if request.type == REFERENCE_TYPE:
                state.provider = self._registry.builtin()
                state.outputs = self._stacks.read(state.inputs, request.id)
                self._keep(state)
            else:
                started = time.perf_counter()
                door = self._door(state, request.provider, request.version or self._version_of(request.packageRef))
                found = door.read(request.type, request.id, state.inputs, {})
                if found is None:
                    raise DeployError(f"{state.urn}: read: the sandbox has no {request.type} {request.id}")
                state.id, state.outputs = found.id, _with_secrets(found.outputs, state.additional_secret_outputs)
                self._finish("read", state, started)
        return resource_pb2.ReadResourceResponse(
            urn=state.urn, properties=encode(state.outputs, secrets=request.acceptSecrets)
        )

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802 - protocol
        """Answer a look-up."""
        arguments = decode(request.args)
        with _Failures(self, request.tok, "invoke"):
            if request.tok == "pulumi:pulumi:getResource":
                state = self._states[arguments["urn"]]
                answer: dict[str, Any] = {"urn": state.urn, "id": state.id, "state": state.outputs}
            else:
                package = request.tok.partition(":")[0]
                version = request.version or self._version_of(request.packageRef)
                door = self._registry.door(request.provider, package, version, wanted_by=request.tok, made=self._keep)
                answer = door.invoke(request.tok, arguments)
        # `return` is a keyword here and a field there.
        fields: dict[str, Any] = {"return": encode(answer)}
        return resource_pb2.ResourceInvokeResponse(**fields)

    def ExistsResource(self, request: resource_pb2.ExistsResourceRequest) -> resource_pb2.ExistsResourceResponse:  # noqa: N802 - protocol
        """Tell whether the local cloud holds something of this type and identifier."""
        with _Failures(self, request.id, "exists"):
            package = request.type.partition(":")[0]
            version = request.version or self._version_of(request.packageRef)
            door = self._registry.door(request.provider, package, version, wanted_by=request.type, made=self._keep)
            return resource_pb2.ExistsResourceResponse(exists=door.read(request.type, request.id, {}, {}) is not None)

    def fail(self, failure: DeployError) -> None:
        """Stop the program; the first failure is the one that counts."""
        with self._lock:
            self.failure = self.failure or failure

    def _run(self, request: resource_pb2.RegisterResourceRequest, state: ResourceState) -> None:
        started = time.perf_counter()
        door = self._door(state, request.provider, request.version or self._version_of(request.packageRef))
        declared = state.inputs
        state.inputs = door.check(request.type, state.urn, declared)
        found = door.read(request.type, request.importId, {}, {}) if request.importId else None
        if found is None:
            # A fresh local cloud has nothing to adopt: what is imported in earnest is made here.
            state.id, outputs = door.create(request.type, state.inputs)
        else:
            kept = reset(declared, found.inputs, state.ignore_changes)
            state.inputs = door.check(request.type, state.urn, kept, found.inputs)
            state.id, outputs = found.id, _adopt(door, state, found)
        state.outputs = _with_secrets(outputs, state.additional_secret_outputs)
        self._finish("import" if request.importId else "create", state, started)

    def _new_state(self, request: resource_pb2.RegisterResourceRequest) -> ResourceState:
        state = ResourceState(
            urn=self._urn(request.parent, request.type, request.name),
            type=request.type,
            custom=request.custom,
            inputs=decode(request.object),
            parent=request.parent,
            dependencies=list(request.dependencies),
            property_dependencies={key: list(value.urns) for key, value in request.propertyDependencies.items()},
            protect=request.protect,
            import_id=request.importId,
            additional_secret_outputs=list(request.additionalSecretOutputs),
            ignore_changes=list(request.ignoreChanges),
            retain_on_delete=request.retainOnDelete,
            deleted_with=request.deletedWith,
        )
        with _Failures(self, state.urn, "register"):
            self._claim(state)
        return state

    def _claim(self, state: ResourceState) -> None:
        """Take a URN, once."""
        with self._lock:
            if self._states.setdefault(state.urn, state) is not state:
                raise DeployError(f"Duplicate resource URN '{state.urn}'; try giving it a unique name")

    def _door(self, state: ResourceState, reference: str, version: str) -> Door:
        package = state.type.partition(":")[0]
        door = self._registry.door(reference, package, version, wanted_by=state.urn, made=self._keep)
        state.provider = door.reference
        return door

    def _finish(self, operation: str, state: ResourceState, started: float) -> None:
        state.seconds = time.perf_counter() - started
        recorded = self._registry.is_recorded(state.type)
        with self._lock:
            self._deployment.resources.append(state)
            self.recorded += recorded
            self.real += not recorded
            self._progress(
                Step(
                    operation=operation,
                    urn=state.urn,
                    type=state.type,
                    name=state.name,
                    recorded=recorded,
                    seconds=state.seconds,
                    done=self.real + self.recorded,
                )
            )

    def _keep(self, state: ResourceState) -> None:
        with self._lock:
            self._deployment.resources.append(state)

    def _urn(self, parent: str, type_token: str, name: str) -> str:
        deployment = self._deployment
        return make_urn(
            stack=deployment.stack, project=deployment.project, parent=parent, type_token=type_token, name=name
        )

    def _version_of(self, reference: str) -> str:
        return self._packages.get(reference, ("", ""))[1]


class _Failures:
    """Turns what goes wrong inside into the program's one failure, and refuses to start after one."""

    def __init__(self, monitor: SandboxMonitor, subject: str, operation: str) -> None:
        self._monitor = monitor
        self._subject = subject
        self._operation = operation

    def __enter__(self) -> None:
        if self._monitor.failure is not None:
            raise StoppedError

    def __exit__(self, kind: object, fault: BaseException | None, traceback: object) -> None:
        match fault:
            case None | StoppedError():
                return
            case DeployError():
                failure = fault
            case ProviderError() | CheckError():
                # The provider's own operations are named like ours.
                what = str(fault).removeprefix(f"{self._operation}: ")
                failure = DeployError(f"{self._subject}: {self._operation}: {what}")
            case _:
                # A fault of ours: it keeps its traceback, and nothing more is registered.
                self._monitor.fail(DeployError(f"{self._subject}: {self._operation}: {type(fault).__name__}: {fault}"))
                return
        self._monitor.fail(failure)
        raise StoppedError from None


def _adopt(door: Door, state: ResourceState, found: Found) -> dict[str, Any]:
    """Update what exists to what is declared, as the engine does right after an import; its outputs."""
    differing = door.diff(state.type, found.inputs, state.inputs, state.ignore_changes)
    faults = [f"{name}: differs from what exists, and the change would replace it" for name in differing.replaces]
    faults += [f"{name}: {message}" for name, message in differing.refused.items()]
    if faults:
        raise DeployError(f"{state.urn}: import: {state.import_id}: {'; '.join(faults)}")
    if not differing.changes:
        return found.outputs
    return door.update(state.type, found.id, found.outputs, state.inputs, found.inputs)


def _with_secrets(outputs: dict[str, Any], additional: list[str]) -> dict[str, Any]:
    """Outputs with those marked that the program declared secret."""
    return {
        key: Secret(value) if key in additional and not isinstance(value, Secret) else value
        for key, value in outputs.items()
    }
