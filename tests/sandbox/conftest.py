"""One running gateway a test session (under xdist one a worker: each is a session of its own).

`gateway` is the running sandbox's record. `clients("rds", "us-west-2")` makes a boto3 client that talks to it, fails at
once instead of retrying, and is kept. `clean_gateway` forgets every resource first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import boto3
import pytest
from botocore.config import Config

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import Directory, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"


Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""
Request: TypeAlias = Any
"""An argument of a boto3 call."""


class Clients(Protocol):
    """Makes boto3 clients of the sandbox."""

    def __call__(self, service: str, region: str = "us-east-1") -> Client:
        """The client of a service in a region, the same one each time."""
        ...


@pytest.fixture(scope="session")
def sandbox_directory(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    """A `.sandbox/` in a project of the tests' own."""
    project = tmp_path_factory.mktemp("project")
    (project / "Pulumi.yaml").write_text("name: lifeboat\n")
    return Directory.of_project(project)


@pytest.fixture(scope="session")
def gateway(sandbox_directory: Directory) -> Iterator[Record]:
    """A running sandbox of the stack `reskflow`, shared by the session."""
    record = supervisor.start(sandbox_directory, stack="reskflow", account=ACCOUNT, home="us-east-1")
    yield record
    supervisor.stop(sandbox_directory)


@pytest.fixture
def clean_gateway(gateway: Record) -> Record:
    """The running sandbox with nothing in it, no call counted and no region lost."""
    supervisor.control(gateway, "POST", "reset", deadline=60)
    return gateway


@pytest.fixture(scope="session")
def clients(gateway: Record) -> Clients:
    """boto3 clients of the running sandbox."""
    made: dict[tuple[str, str], Client] = {}
    session = boto3.session.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="sandbox")
    config = Config(retries={"total_max_attempts": 1}, read_timeout=30)

    def client(service: str, region: str = "us-east-1") -> Client:
        if (service, region) not in made:
            made[service, region] = session.client(
                service, region_name=region, endpoint_url=gateway.endpoint, config=config
            )
        return made[service, region]

    return client
