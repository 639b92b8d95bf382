"""The ``ResourceProvider`` service that a Pulumi engine speaks to its plugins."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lifeboat.sandbox.plugin.admission import RefusedError, admit, whoami
from lifeboat.sandbox.plugin.operations import Backend, CheckError, Door, check_provider
from lifeboat.sandbox.plugin.wire import decode, encode, reveal
from lifeboat.sandbox.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf import struct_pb2
    from pulumi.runtime.proto.provider_pb2 import PropertyDiff

_KINDS = {
    "add": provider_pb2.PropertyDiff.ADD,
    "add-replace": provider_pb2.PropertyDiff.ADD_REPLACE,
    "update": provider_pb2.PropertyDiff.UPDATE,
    "update-replace": provider_pb2.PropertyDiff.UPDATE_REPLACE,
    "delete": provider_pb2.PropertyDiff.DELETE,
    "delete-replace": provider_pb2.PropertyDiff.DELETE_REPLACE,
}


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One plugin process: one package, one configured provider.

    Every fault of a resource is answered in one line; the engine adds the URN.

    Args:
        package: ``aws`` or ``random``.
        stop: Called when the engine cancels everything.
    """

    def __init__(self, package: str, stop: Callable[[], None]) -> None:
        self._package = package
        self._stop = stop
        self._door: Door | None = None

    def Handshake(  # noqa: N802 - protocol
        self,
        request: provider_pb2.ProviderHandshakeRequest,  # noqa: ARG002 - protocol
        context: grpc.ServicerContext,  # noqa: ARG002 - protocol
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Secrets arrive marked; resources and outputs arrive as plain values."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802 - protocol
        """The version is the installed SDK's: its types are what this plugin serves."""
        return plugin_pb2.PluginInfo(version=version(f"pulumi_{self._package}"))

    def CheckConfig(  # noqa: N802 - protocol
        self,
        request: provider_pb2.CheckRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - protocol
    ) -> provider_pb2.CheckResponse:
        """Settings are checked when they take effect: in ``Configure``, which knows the sandbox."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: ARG002, N802 - protocol
        """Settings take effect without replacing anything."""
        same = decode(request.old_inputs) == decode(request.news)
        changes = provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=changes)

    def Configure(  # noqa: N802 - protocol
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Take settings, if this is the running sandbox's own shell."""
        settings = reveal(decode(request.args))
        try:
            endpoint = admit()
            region = settings.get("region")
            backend = Backend(endpoint=endpoint, account=whoami(endpoint, region) if region else "")
        except (RefusedError, ProviderError) as fault:
            _abort(context, fault, grpc.StatusCode.FAILED_PRECONDITION)
        fault = check_provider(self._package, settings, backend)
        if fault:
            _abort(context, fault, grpc.StatusCode.INVALID_ARGUMENT)
        self._door = Door(self._package, settings, backend)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802 - protocol
        """Validate inputs, fill in defaults and automatic names."""
        olds = decode(request.olds)
        try:
            inputs = self._ready(context).check(_type(request.urn), request.urn, decode(request.news), olds or None)
        except CheckError as fault:
            failures = [provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in fault.failures]
            return provider_pb2.CheckResponse(failures=failures)
        except ProviderError as fault:
            _abort(context, fault)
        return provider_pb2.CheckResponse(inputs=encode(inputs))

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802 - protocol
        """What an update would do, property by property."""
        diff = self._ready(context).diff(
            _type(request.urn), decode(request.old_inputs), decode(request.news), list(request.ignoreChanges)
        )
        detailed: dict[str, PropertyDiff] = {
            key: provider_pb2.PropertyDiff(kind=_KINDS[kind], inputDiff=True) for key, kind in diff.detailed.items()
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if diff.changes else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=diff.changed,
            replaces=diff.replaces,
            deleteBeforeReplace=diff.delete_before_replace,
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:  # noqa: N802 - protocol
        """Create a resource; in a preview, what is known of it."""
        door, type_token, inputs = self._ready(context), _type(request.urn), decode(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=encode(door.preview(type_token, inputs)))
        try:
            identifier, outputs = door.create(type_token, inputs)
        except ProviderError as fault:
            _abort(context, fault)
        return provider_pb2.CreateResponse(id=identifier, properties=encode(outputs))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:  # noqa: N802 - protocol
        """The resource as it is: for a refresh with its state, for an import without."""
        inputs, outputs = decode(request.inputs), decode(request.properties)
        try:
            found = self._ready(context).read(_type(request.urn), request.id, inputs, outputs)
        except ProviderError as fault:
            _abort(context, fault)
        if found is None:
            # An empty identifier says that it is gone.
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found.id, properties=encode(found.outputs), inputs=encode(found.inputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:  # noqa: N802 - protocol
        """Update a resource in place; in a preview, what is known of it."""
        door, type_token = self._ready(context), _type(request.urn)
        olds, news = decode(request.olds), decode(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=encode(door.preview(type_token, news, olds)))
        try:
            outputs = door.update(type_token, request.id, olds, news, decode(request.old_inputs))
        except ProviderError as fault:
            _abort(context, fault)
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802 - protocol
        """Delete a resource."""
        try:
            self._ready(context).delete(_type(request.urn), request.id, decode(request.properties))
        except ProviderError as fault:
            _abort(context, fault)
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:  # noqa: N802 - protocol
        """Call a function of the package."""
        try:
            answer: struct_pb2.Struct = encode(self._ready(context).invoke(request.tok, decode(request.args)))
        except ProviderError as fault:
            _abort(context, fault)
        # `return` is a keyword here and a field there.
        fields: dict[str, Any] = {"return": answer}
        return provider_pb2.InvokeResponse(**fields)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: ARG002, N802 - protocol
        """Finish what runs, take nothing new."""
        self._stop()
        return empty_pb2.Empty()

    def _ready(self, context: grpc.ServicerContext) -> Door:
        if self._door is None:
            _abort(context, "the provider is not configured", grpc.StatusCode.FAILED_PRECONDITION)
        return self._door


def _abort(context: grpc.ServicerContext, fault: object, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> NoReturn:
    context.abort(code, str(fault))
    raise AssertionError("abort raises")  # for the type checker: the stubs do not say so


def _type(urn: str) -> str:
    """The type token at the end of a URN's qualified type."""
    return urn.split("::", 3)[2].rpartition("$")[2]
