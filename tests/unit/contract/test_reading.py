"""Reading through a StackReference: the SDK's own wire format lies between the two stacks."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
import pytest
from lifeboat_contract import Contract, ContractError, read, read_document, view

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
PLATFORM = "organization/lifeboat/reskflow"


class _Platform(pulumi.runtime.Mocks):
    """An engine that knows one stack's outputs."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        self.outputs = outputs

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.resource_id, {**args.inputs, "outputs": self.outputs, "secretOutputNames": ["password"]}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[Any, Any]:
        raise AssertionError(args.token)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop, of_thread = asyncio.new_event_loop(), asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # The mock monitor makes an event loop in every thread that calls it and closes none: one thread, our loop.
    loop.set_default_executor(ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(of_thread,)))
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    of_thread.close()
    asyncio.set_event_loop(None)


def _reference(outputs: dict[str, Any]) -> pulumi.StackReference:
    pulumi.runtime.set_mocks(_Platform(outputs), project="app", stack="test")
    return pulumi.StackReference(PLATFORM)


def _value(loop: asyncio.AbstractEventLoop, output: pulumi.Output[T]) -> T | None:
    return loop.run_until_complete(output.future())


def test_the_contract_arrives_typed(loop: asyncio.AbstractEventLoop, document: dict[str, Any]) -> None:
    contract = read(_reference({"contract": document, "password": "hunter2"}))
    found = _value(loop, contract)
    assert found is not None
    assert found.document() == document
    assert loop.run_until_complete(contract.is_secret()) is False


def test_a_view_gives_outputs_of_single_fields(loop: asyncio.AbstractEventLoop, document: dict[str, Any]) -> None:
    contract = view(read(_reference({"contract": document})))
    site = contract.site("us-west-2")
    expected = document["sites"]["us-west-2"]
    orders, sessions, uploads = site.databases["orders"], site.caches["sessions"], site.buckets["uploads"]
    for output, value in (
        (site.gate_url, expected["gate_url"]),
        (orders.writer_endpoint, expected["databases"]["orders"]["writer_endpoint"]),
        (orders.reader_endpoint, expected["databases"]["orders"]["reader_endpoint"]),
        (orders.port, 5432),
        (orders.database, "orders"),
        (orders.secret_arn, expected["databases"]["orders"]["secret_arn"]),
        (sessions.primary_endpoint, "sessions.us-west-2.cache.amazonaws.com"),
        (sessions.reader_endpoint, None),
        (sessions.port, 6379),
        (sessions.secret_arn, expected["caches"]["sessions"]["secret_arn"]),
        (uploads.bucket, "reskflow-uploads-us-west-2"),
        (uploads.arn, "arn:aws:s3:::reskflow-uploads-us-west-2"),
        (uploads.key_arn, expected["keys"]["objects"]),
        (site.vpc_id, "vpc-20"),
        (site.network.apply(lambda network: network.availability_zones), ("us-west-2a", "us-west-2b", "us-west-2c")),
        (site.keys["objects"], expected["keys"]["objects"]),
        (site.secrets["jwt"], expected["secrets"]["jwt"]),
        (contract.home, "us-east-1"),
        (contract.dns.apply(lambda dns: dns and dns.names["api"]), "api.reskflow.example.com"),
        (contract.objectives["stack"].apply(lambda scope: scope.rto and scope.rto.objective_seconds), 900),
    ):
        found = _value(loop, output)
        assert (found, type(found)) == (value, type(value))


def test_a_stack_without_a_contract_is_named(loop: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(ContractError, match=f"^stack {PLATFORM} has no output 'contract': is it a platform stack"):
        _value(loop, read(_reference({"other": 1})))


def test_another_version_names_the_stack(loop: asyncio.AbstractEventLoop, document: dict[str, Any]) -> None:
    document["version"] = "2.1"
    with pytest.raises(
        ContractError, match=rf"^output 'platform' of stack {PLATFORM}: contract version 2\.1 cannot be"
    ):
        _value(loop, read(_reference({"platform": document}), "platform"))


def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    loop: asyncio.AbstractEventLoop, document: dict[str, Any]
) -> None:
    site = view(read(_reference({"contract": document}))).site("us-east-1")
    with pytest.raises(ContractError, match=r"^database users is not in the contract; it has orders$"):
        _value(loop, site.databases["users"].port)


def test_a_parameter_that_says_where_the_contract_is_is_followed(document: dict[str, Any]) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(bucket: str, key: str) -> str:
        asked.append((bucket, key))
        return json.dumps(document)

    pointer = json.dumps({"location": "s3://platform-contract/lifeboat/us-east-1/contract.json"})
    assert read_document(pointer, fetch) == Contract.model_validate(document)
    assert asked == [("platform-contract", "lifeboat/us-east-1/contract.json")]


def test_a_parameter_that_says_where_the_contract_is_names_it_when_it_cannot_be_followed() -> None:
    with pytest.raises(ContractError, match="the contract is at s3://b/k: read that object, or give `fetch`"):
        read_document('{"location": "s3://b/k"}')
