"""Runs components on Pulumi's mock monitor and keeps every registration request whole.

One call of `deploy` is one deployment: a new event loop, a new monitor, a new root stack.
"""

from __future__ import annotations

import asyncio
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

import pulumi
import pulumi_aws as aws
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from components.aws.site import Site

if typing.TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2

ACCOUNT = "123456789012"
PREFIX = "acme-production"
STACK_TAGS = {"system": "acme", "environment": "production"}
Component = typing.TypeVar("Component", bound=pulumi.ComponentResource)
HOME, OTHER, WITNESS = "us-east-1", "us-west-2", "us-east-2"


@dataclass(kw_only=True)
class Registration:
    """One resource as the engine is asked to register it."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    """URN, empty for the stack itself."""
    provider: str
    """URN of the provider, empty for components."""
    inputs: dict[str, Any]
    """By wire name (camelCase); secrets unwrapped."""
    secrets: frozenset[str]
    """Top-level inputs that arrived as secrets."""
    protect: bool
    ignore_changes: tuple[str, ...]
    import_id: str
    depends_on: frozenset[str]
    """URNs of every dependency, explicit or by property."""
    property_dependencies: dict[str, frozenset[str]]
    delete_before_replace: bool
    retain_on_delete: bool
    replace_on_changes: tuple[str, ...]
    outputs: dict[str, Any] | None = None
    """What a component registered as outputs; None until it does."""
    secret_outputs: frozenset[str] = frozenset()
    """Top-level outputs that were registered as secrets."""
    state: dict[str, Any] = field(default_factory=dict)
    """What the mocked provider answered."""

    @property
    def sdk_class(self) -> type[pulumi.CustomResource]:
        """The SDK class of a custom resource."""
        return sdk_class(self.type)

    @property
    def arguments(self) -> frozenset[str]:
        """Python names of the inputs that the SDK's class takes."""
        return arguments(self.type)

    def accepts(self, python_name: str) -> bool:
        """Whether the SDK's class takes an input by that name."""
        return python_name in arguments(self.type)


@cache
def sdk_class(token: str) -> type[pulumi.CustomResource]:
    """The SDK class of a token such as ``aws:kms/key:Key``."""
    package, module, name = token.split(":")
    part = module.split("/")[0]
    found: type[pulumi.CustomResource] = getattr(
        import_module(f"pulumi_{package}" + ("" if part == "index" else f".{part}")), name
    )
    return found


@cache
def arguments(token: str) -> frozenset[str]:
    """Python names of the inputs that the SDK's class takes."""
    resource = sdk_class(token)
    args = getattr(import_module(resource.__module__), f"{resource.__name__}Args")
    return frozenset(name for name, value in vars(args).items() if isinstance(value, property))


_PLACEHOLDERS: dict[object, Callable[[str], object]] = {
    str: lambda label: label,
    int: lambda _: 1,
    bool: lambda _: False,
}


def _placeholder(kind: object, label: str) -> object:
    """A value of an output's type; None for what no component reads."""
    if typing.get_origin(kind) is Sequence:
        (item,) = typing.get_args(kind)
        return [f"{label}/0"] if item is str else []
    return _PLACEHOLDERS[kind](label) if kind in _PLACEHOLDERS else None


@cache
def _computed(token: str) -> Mapping[str, object]:
    """Output properties of a type by wire name, with the type each one resolves to."""
    found: dict[str, object] = {}
    for name, value in vars(sdk_class(token)).items():
        if isinstance(value, property) and value.fget is not None:
            returned = typing.get_args(typing.get_type_hints(value.fget).get("return"))
            found[getattr(value.fget, "_pulumi_name", name)] = returned[0] if returned else None
    return found


class Mocks(mocks.Mocks):
    """Answers a creation with its inputs, and a placeholder of the right type for everything AWS would compute."""

    def __init__(self, regions: Mapping[str, str], *, unknown: bool) -> None:
        self._regions = regions
        self._unknown = unknown

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """No component may look anything up."""
        raise AssertionError(f"a component called {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """See the class."""
        if not args.custom:
            return None, args.inputs
        if args.typ.startswith("pulumi:providers:"):
            return f"{args.name}-id", args.inputs
        if self._unknown:
            return None, dict(args.inputs)
        state = dict(args.inputs)
        region = self._regions.get(args.provider or "", "")
        for prop, kind in _computed(args.typ).items():
            if prop in state:
                continue
            if prop == "region":
                state[prop] = region
            elif prop == "arn":
                state[prop] = f"arn:aws:{args.typ.split(':')[1].split('/')[0]}:{region}:{ACCOUNT}:{args.name}"
            else:
                state[prop] = _placeholder(kind, f"{args.name}/{prop}")
        return f"{args.name}-id", state


class Monitor(mocks.MockMonitor):
    """Keeps what `MockMonitor` throws away."""

    def __init__(self, answers: mocks.Mocks | None = None, *, unknown: bool = False) -> None:
        self.regions: dict[str, str] = {}
        super().__init__(answers or Mocks(self.regions, unknown=unknown))
        self.registrations: dict[str, Registration] = {}

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> object:  # noqa: N802 - gRPC's name
        """Record, then answer as the mocks do."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.registrations:
            raise AssertionError(f"registered twice: {urn}")
        raw = rpc.deserialize_properties(request.object, keep_unknowns=True)
        registration = Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            provider=request.provider.rpartition("::")[0],
            inputs={key: _plain(value) for key, value in raw.items()},
            secrets=frozenset(key for key, value in raw.items() if rpc.is_rpc_secret(value)),
            protect=request.protect,
            ignore_changes=tuple(request.ignoreChanges),
            import_id=request.importId,
            depends_on=frozenset(request.dependencies),
            property_dependencies={key: frozenset(v.urns) for key, v in request.propertyDependencies.items()},
            delete_before_replace=request.deleteBeforeReplace,
            retain_on_delete=request.retainOnDelete,
            replace_on_changes=tuple(request.replaceOnChanges),
        )
        if request.type != "pulumi:pulumi:Stack":
            self.registrations[urn] = registration
        response = super().RegisterResource(request)
        if request.type == "pulumi:providers:aws":
            self.regions[f"{urn}::{response.id}"] = registration.inputs["region"]
        if urn in self.resources:
            registration.state = self.resources[urn].state
        return response

    def RegisterResourceOutputs(  # noqa: N802 - gRPC's name
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Record a component's outputs."""
        if request.urn in self.registrations:
            raw = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            registration = self.registrations[request.urn]
            registration.outputs = {key: _plain(value) for key, value in raw.items()}
            registration.secret_outputs = frozenset(key for key, value in raw.items() if rpc.is_rpc_secret(value))
        return empty_pb2.Empty()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a property's value is of any type
    """A deserialised property with every secret unwrapped, however deep."""
    value = rpc.unwrap_rpc_secret(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


class World:
    """What a builder builds in: three regions with their providers."""

    def __init__(self) -> None:
        self._sites = {
            region: Site(
                region=region,
                account=ACCOUNT,
                prefix=PREFIX,
                provider=aws.Provider(f"aws-{region}", region=region),
                tags=STACK_TAGS,
            )
            for region in (HOME, OTHER, WITNESS)
        }
        self.aside: set[str] = set()
        """Logical names of components that are there only to be built on."""

    def site(self, region: str) -> Site:
        """The site of `region`: `HOME`, `OTHER` or `WITNESS`."""
        return self._sites[region]

    def given(self, component: Component) -> Component:
        """A component that the one under test builds on; neither it nor its children count in the deployment."""
        self.aside.add(component.pulumi_resource_name)
        return component

    def key(self, region: str, purpose: str) -> str:
        """ARN of that region's key for a purpose."""
        return f"arn:aws:kms:{region}:{ACCOUNT}:key/{purpose}-{region}"


@dataclass(frozen=True, kw_only=True)
class Example:
    """One way to build one component, for the contract test."""

    name: str
    build: Callable[[World], pulumi.ComponentResource]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What one run of a builder registered."""

    component: pulumi.ComponentResource
    resources: tuple[Registration, ...]
    """Every registration but the stack and the providers, by name: the engine sees them in no fixed order."""
    regions: Mapping[str, str]
    """Region by provider URN."""
    values: Mapping[str, Any]
    """The component's annotated outputs, resolved."""

    @property
    def root(self) -> Registration:
        """The component's own registration."""
        return next(each for each in self.resources if each.name == self.component.pulumi_resource_name)

    @property
    def children(self) -> tuple[Registration, ...]:
        """Custom resources."""
        return tuple(each for each in self.resources if each.custom)

    def named(self, name: str) -> Registration:
        """The resource of that logical name."""
        return next(each for each in self.resources if each.name == name)

    def of(self, resource: type[pulumi.CustomResource]) -> tuple[Registration, ...]:
        """Resources of an SDK class, by name."""
        token: str = getattr(resource, "pulumi_type")  # noqa: B009 - only generated classes have it
        return tuple(each for each in self.resources if each.type == token)

    def region(self, registration: Registration) -> str:
        """The region of the provider that creates it; KeyError without an explicit provider."""
        return self.regions[registration.provider]


def annotated_outputs(component: pulumi.ComponentResource) -> dict[str, object]:
    """Values of the attributes annotated on the component's own class, by name."""
    return {
        name: _as_mapping(getattr(component, name))
        for name in type(component).__annotations__
        if not name.startswith("_")
    }


def _as_mapping(value: Any) -> Any:  # noqa: ANN401 - an output's value is of any type
    """A value with every dataclass in it as a dict of its fields, so that the outputs in them resolve."""
    if is_dataclass(value) and not isinstance(value, type):
        # Nothing that is None survives the wire.
        return {key: _as_mapping(inner) for key, inner in vars(value).items() if inner is not None}
    if isinstance(value, Mapping):
        return {key: _as_mapping(inner) for key, inner in value.items()}
    return value


def deploy(build: Callable[[World], pulumi.ComponentResource], *, preview: bool = False) -> Deployment:
    """Run one builder to the end.

    With `preview`, nothing that AWS computes is known, as in a stack's first preview.
    """
    monitor = Monitor(unknown=preview)
    built: list[tuple[pulumi.ComponentResource, World]] = []
    values: dict[str, Any] = {}

    def program() -> None:
        world = World()
        component = build(world)
        built.append((component, world))
        pulumi.Output.all(**annotated_outputs(component)).apply(values.update)

    run(program, monitor, preview=preview)
    component, world = built[0]
    return Deployment(
        component=component,
        resources=tuple(
            each
            for each in sorted(monitor.registrations.values(), key=lambda each: each.name)
            if not each.type.startswith("pulumi:providers:")
            and not world.aside & {each.name, each.parent.rpartition("::")[2]}
        ),
        regions={key.rpartition("::")[0]: region for key, region in monitor.regions.items()},
        values=values,
    )


def run(program: Callable[[], None], monitor: Monitor, *, preview: bool = False, stack: str = "test") -> None:
    """Run a program between the SDK and a monitor, to the end of everything it registers."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # The mock monitor makes an event loop in every thread that calls it and closes none: one thread, with our loop.
    thread_loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(thread_loop,)))
    # Left by a run that failed before this one.
    SETTINGS.rpc_manager.clear()
    SETTINGS.outputs.clear()
    try:
        pulumi.runtime.set_mocks(mocks=monitor.mocks, project="lifeboat", stack=stack, preview=preview, monitor=monitor)
        # set_mocks finishes a stack of its own; run_in_stack makes the one that counts.
        set_root_resource(typing.cast("pulumi.Resource", None))
        loop.run_until_complete(run_in_stack(program))
    finally:
        # A run that failed leaves its other registrations waiting.
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(_settle(asyncio.all_tasks(loop)))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        thread_loop.close()
        asyncio.set_event_loop(None)


async def _settle(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait until every task has ended, whatever its end."""
    await asyncio.gather(*tasks, return_exceptions=True)


def regions_in(text: str) -> set[str]:
    """Every AWS region named in a text."""
    return set(re.findall(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx)(?:-gov)?-[a-z]+-\d\b", text))
