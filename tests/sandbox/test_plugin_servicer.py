"""The provider protocol, spoken to a plugin process as an engine speaks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lifeboat.sandbox.environment import TOKEN_VARIABLE, exec_environment
from lifeboat.sandbox.plugin.executables import write_executables
from lifeboat.sandbox.plugin.wire import Secret, decode, encode
from lifeboat.sandbox.provider import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lifeboat.sandbox.state import Directory, Record
    from tests.sandbox.conftest import Clients

    Start = Callable[..., provider_pb2_grpc.ResourceProviderStub]

VPC = "aws:ec2/vpc:Vpc"
SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
PASSWORD = "random:index/randomPassword:RandomPassword"


def _urn(type_token: str, name: str = "it") -> str:
    return f"urn:pulumi:dev::shop::shop:aws:Thing${type_token}::{name}"


@pytest.fixture
def environ(clean_gateway: Record, sandbox_directory: Directory) -> dict[str, str]:
    return exec_environment(sandbox_directory, clean_gateway)


@pytest.fixture
def start(tmp_path: Path, environ: dict[str, str]) -> Iterator[Start]:
    """Starts the executable of a package and connects to the port that it prints."""
    write_executables(tmp_path)
    running: list[tuple[subprocess.Popen[str], grpc.Channel]] = []

    def start(package: str, changed: dict[str, str | None] | None = None) -> provider_pb2_grpc.ResourceProviderStub:
        merged = {**environ, **(changed or {})}
        process = subprocess.Popen(
            [tmp_path / f"pulumi-resource-{package}", "127.0.0.1:1"],
            stdout=subprocess.PIPE,
            text=True,
            env={key: value for key, value in merged.items() if value is not None},
        )
        assert process.stdout
        channel = grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}")
        running.append((process, channel))
        return provider_pb2_grpc.ResourceProviderStub(channel)

    yield start
    for process, channel in running:
        channel.close()
        process.terminate()
        assert process.wait(60) == 0
        assert process.stdout
        # Nothing but the port is ever printed there.
        assert process.stdout.read() == ""
        process.stdout.close()


@pytest.fixture
def aws(start: Start) -> provider_pb2_grpc.ResourceProviderStub:
    stub = start("aws")
    answer = stub.Configure(provider_pb2.ConfigureRequest(args=encode({"region": "us-east-1"}), acceptSecrets=True))
    assert answer.acceptSecrets
    assert answer.supportsPreview
    return stub


def _checked(stub: provider_pb2_grpc.ResourceProviderStub, type_token: str, news: dict[str, Any]) -> dict[str, Any]:
    answer = stub.Check(provider_pb2.CheckRequest(urn=_urn(type_token), news=encode(news)))
    assert not answer.failures
    return decode(answer.inputs)


def _create(stub: provider_pb2_grpc.ResourceProviderStub, type_token: str, news: dict[str, Any]) -> Any:  # noqa: ANN401 - message
    inputs = encode(_checked(stub, type_token, news))
    return stub.Create(provider_pb2.CreateRequest(urn=_urn(type_token), properties=inputs))


def test_a_resource_s_life(aws: provider_pb2_grpc.ResourceProviderStub, clients: Clients) -> None:
    news: dict[str, Any] = {"cidrBlock": "10.0.0.0/16", "tags": {"owner": "one"}}
    inputs = _checked(aws, VPC, news)
    made = aws.Create(provider_pb2.CreateRequest(urn=_urn(VPC), properties=encode(inputs)))
    assert clients("ec2").describe_vpcs(VpcIds=[made.id])["Vpcs"][0]["CidrBlock"] == "10.0.0.0/16"

    same = aws.Diff(
        provider_pb2.DiffRequest(
            id=made.id, urn=_urn(VPC), olds=made.properties, old_inputs=encode(inputs), news=encode(inputs)
        )
    )
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE

    changed = _checked(aws, VPC, {**news, "tags": {"owner": "two"}})
    diff = aws.Diff(
        provider_pb2.DiffRequest(
            id=made.id, urn=_urn(VPC), olds=made.properties, old_inputs=encode(inputs), news=encode(changed)
        )
    )
    assert diff.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(diff.diffs) == ["tags"]
    assert not diff.replaces
    ignored = aws.Diff(
        provider_pb2.DiffRequest(
            id=made.id, urn=_urn(VPC), old_inputs=encode(inputs), news=encode(changed), ignoreChanges=["tags.owner"]
        )
    )
    assert ignored.changes == provider_pb2.DiffResponse.DIFF_NONE
    moved = aws.Diff(
        provider_pb2.DiffRequest(
            id=made.id,
            urn=_urn(VPC),
            old_inputs=encode(inputs),
            news=encode(_checked(aws, VPC, {**news, "cidrBlock": "10.1.0.0/16"})),
        )
    )
    assert list(moved.replaces) == ["cidrBlock"]
    assert moved.detailedDiff["cidrBlock"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE

    updated = aws.Update(
        provider_pb2.UpdateRequest(
            id=made.id, urn=_urn(VPC), olds=made.properties, old_inputs=encode(inputs), news=encode(changed)
        )
    )
    assert decode(updated.properties)["tags"] == {"owner": "two"}
    read = aws.Read(
        provider_pb2.ReadRequest(id=made.id, urn=_urn(VPC), properties=updated.properties, inputs=encode(changed))
    )
    assert (read.id, decode(read.inputs)) == (made.id, changed)
    adopted = aws.Read(provider_pb2.ReadRequest(id=made.id, urn=_urn(VPC)))
    assert decode(adopted.inputs)["cidrBlock"] == "10.0.0.0/16"

    aws.Delete(provider_pb2.DeleteRequest(id=made.id, urn=_urn(VPC), properties=updated.properties))
    gone = aws.Read(
        provider_pb2.ReadRequest(id=made.id, urn=_urn(VPC), properties=updated.properties, inputs=encode(changed))
    )
    assert gone.id == ""


def test_a_preview_makes_nothing_and_knows_what_it_can(
    aws: provider_pb2_grpc.ResourceProviderStub, clients: Clients
) -> None:
    before = clients("ec2").describe_vpcs()["Vpcs"]
    inputs = _checked(aws, VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"of": UNKNOWN}})
    planned = aws.Create(provider_pb2.CreateRequest(urn=_urn(VPC), properties=encode(inputs), preview=True))
    outputs = decode(planned.properties)
    assert planned.id == ""
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["arn"] is UNKNOWN
    assert outputs["tags"] == {"of": UNKNOWN}
    assert clients("ec2").describe_vpcs()["Vpcs"] == before


def test_secrets_stay_secret(aws: provider_pb2_grpc.ResourceProviderStub, clients: Clients) -> None:
    secret = _create(aws, SECRET, {"name": "orders", "recoveryWindowInDays": 0})
    made = _create(aws, VERSION, {"secretId": secret.id, "secretString": Secret("swordfish-swordfish")})
    assert clients("secretsmanager").get_secret_value(SecretId="orders")["SecretString"] == "swordfish-swordfish"
    outputs = decode(made.properties)
    assert outputs["secretString"] == Secret("swordfish-swordfish")
    assert "swordfish" not in str({key: value for key, value in outputs.items() if key != "secretString"})
    read = aws.Read(
        provider_pb2.ReadRequest(
            id=made.id,
            urn=_urn(VERSION),
            properties=made.properties,
            inputs=encode({"secretId": secret.id, "secretString": Secret("swordfish-swordfish")}),
        )
    )
    assert decode(read.properties)["secretString"] == Secret("swordfish-swordfish")
    assert decode(read.inputs)["secretString"] == Secret("swordfish-swordfish")


def test_names_are_given_where_the_program_gives_none(aws: provider_pb2_grpc.ResourceProviderStub) -> None:
    inputs = _checked(aws, SECRET, {})
    assert inputs["name"].startswith("it-")
    again = aws.Check(provider_pb2.CheckRequest(urn=_urn(SECRET), olds=encode(inputs), news=encode({})))
    assert decode(again.inputs)["name"] == inputs["name"]


def test_faults_are_one_line(aws: provider_pb2_grpc.ResourceProviderStub) -> None:
    answer = aws.Check(provider_pb2.CheckRequest(urn=_urn(VPC), news=encode({"cidrBlok": "10.0.0.0/16"})))
    assert [failure.property for failure in answer.failures] == ["cidrBlok"]
    with pytest.raises(grpc.RpcError) as fault:
        _create(aws, "aws:ec2/subnet:Subnet", {"vpcId": "vpc-00000000", "cidrBlock": "10.0.0.0/24"})
    assert fault.value.details().startswith("CreateSubnet: InvalidVpcID.NotFound")
    assert "\n" not in fault.value.details()
    with pytest.raises(grpc.RpcError, match="catalogue lacks this type"):
        aws.Check(provider_pb2.CheckRequest(urn=_urn("aws:apigateway/account:Account"), news=encode({})))


def test_look_ups_are_answered(aws: provider_pb2_grpc.ResourceProviderStub) -> None:
    answer = aws.Invoke(provider_pb2.InvokeRequest(tok="aws:index/getCallerIdentity:getCallerIdentity"))
    assert decode(getattr(answer, "return"))["accountId"] == "123456789012"
    with pytest.raises(grpc.RpcError, match="does not know this function"):
        aws.Invoke(provider_pb2.InvokeRequest(tok="aws:ec2/getAmi:getAmi"))


@pytest.mark.parametrize("package", ["aws", "random"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({TOKEN_VARIABLE: None}, "LIFEBOAT_SANDBOX_TOKEN is not set"),
        ({TOKEN_VARIABLE: "guess"}, "not the running sandbox's token"),
        ({"AWS_ENDPOINT_URL": None}, "AWS_ENDPOINT_URL: not set"),
        ({"AWS_ENDPOINT_URL": "https://ec2.us-east-1.amazonaws.com"}, "the sandbox is at http://127.0.0.1:PORT"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "no sandbox answers"),
    ],
)
def test_only_the_running_sandbox_is_served(
    start: Start, package: str, changed: dict[str, str | None], said: str
) -> None:
    stub = start(package, changed)
    with pytest.raises(grpc.RpcError) as fault:
        stub.Configure(provider_pb2.ConfigureRequest(args=encode({"region": "us-east-1"})))
    assert said in fault.value.details()
    assert "\n" not in fault.value.details()
    with pytest.raises(grpc.RpcError, match="not configured"):
        stub.Create(provider_pb2.CreateRequest(urn=_urn(VPC), properties=encode({"cidrBlock": "10.0.0.0/16"})))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "region: missing"),
        ({"region": "us-east-1", "allowedAccountIds": '["210987654321"]'}, "the sandbox's account is 123456789012"),
    ],
)
def test_settings_for_elsewhere_are_refused(start: Start, settings: dict[str, str], said: str) -> None:
    with pytest.raises(grpc.RpcError, match=said):
        start("aws").Configure(provider_pb2.ConfigureRequest(args=encode(settings)))


def test_a_password_lives_in_the_state(start: Start) -> None:
    stub = start("random")
    stub.Configure(provider_pb2.ConfigureRequest())
    made = _create(stub, PASSWORD, {"length": 16, "special": False, "minNumeric": 3})
    result = decode(made.properties)["result"]
    assert isinstance(result, Secret)
    assert len(result.value) == 16
    assert result.value.isalnum()
    assert sum(character.isdigit() for character in result.value) >= 3
    read = stub.Read(
        provider_pb2.ReadRequest(
            id=made.id, urn=_urn(PASSWORD), properties=made.properties, inputs=encode({"length": 16})
        )
    )
    assert decode(read.properties)["result"] == result
    info = stub.GetPluginInfo(empty_pb2.Empty())
    assert info.version.startswith("4.")


def test_executables_are_their_owner_s_and_run_here(tmp_path: Path) -> None:
    written = write_executables(tmp_path)
    assert sorted(path.name for path in written) == ["pulumi-resource-aws", "pulumi-resource-random"]
    for path in written:
        assert path.stat().st_mode & 0o777 == 0o700
        assert shutil.which(path.name, path=os.fspath(tmp_path)) == str(path)
    assert json.dumps([path.read_text() for path in written]).count("lifeboat.sandbox.plugin") == 2
