"""The resources of our own two stacks, as the pack reads them after a deployment, without deploying anything."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lifeboat.sandbox.inprocess.deployment import STACK_TYPE, make_urn
from policies.core.index import Index
from policies.core.resource import Provider, Resource, canonical
from tests.components.harness import Mocks
from tests.program import PROJECT, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi.runtime import mocks

    from tests.components.harness import Registration

STACKS = ("reskflow", "prod")
BUCKET = "aws:s3/bucket:Bucket"


class Answers(Mocks):
    """The components' placeholders, but that a bucket's ARN has neither region nor account: policies name it."""

    def __init__(self) -> None:
        self._by_provider: dict[str, str] = {}
        self._by_id: dict[str, str] = {}
        super().__init__(self._by_provider, unknown=False)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """See the class."""
        if args.provider:
            self._by_provider[args.provider] = self._by_id.get(args.provider.rpartition("::")[2], "")
        identity, state = super().new_resource(args)
        if args.typ.startswith("pulumi:providers:") and identity:
            self._by_id[identity] = args.inputs.get("region", "")
        if args.typ == BUCKET:
            state["arn"] = f"arn:aws:s3:::{state['bucket']}"
        return identity, state


@cache
def own(stack: str) -> Index:
    """A stack of ours, evaluated once for the whole session.

    The mock provider answers with placeholders, an ARN of the right service, region and account among them.
    """
    registrations = evaluate(stack, answers=Answers()).registrations
    providers = {
        urn: Provider(urn=urn, type=each.type, inputs=each.inputs)
        for urn, each in registrations.items()
        if each.type.startswith("pulumi:providers:")
    }
    root = Resource(
        urn=make_urn(stack=stack, project=PROJECT, parent="", type_token=STACK_TYPE, name=f"{PROJECT}-{stack}"),
        type=STACK_TYPE,
        inputs={},
    )
    return Index([root, *(_resource(each, providers) for each in registrations.values())])


def _resource(registration: Registration, providers: Mapping[str, Provider]) -> Resource:
    return Resource(
        urn=registration.urn,
        type=canonical(registration.type),
        inputs=registration.inputs,
        outputs=registration.state,
        protect=registration.protect,
        ignore_changes=registration.ignore_changes,
        parent=registration.parent,
        provider=providers.get(registration.provider),
        dependencies=tuple(sorted(registration.depends_on)),
        property_dependencies={
            name: tuple(sorted(urns)) for name, urns in registration.property_dependencies.items() if urns
        },
    )
