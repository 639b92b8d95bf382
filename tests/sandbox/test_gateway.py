"""The gateway over HTTP: what it refuses, counts and loses."""

from __future__ import annotations

import http.client
import io
import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.gateway.__main__ import MOTO_VERSION, require_moto
from lifeboat.sandbox.gateway.application import Answer, Application, loopback
from lifeboat.sandbox.gateway.calls import Call, identify
from lifeboat.sandbox.gateway.control import Control
from lifeboat.sandbox.state import Record, SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.conftest import Clients, Request


def ask(
    record: Record, method: str, path: str, body: str | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("elasticache", "create_user_group", {"UserGroupId": "u", "Engine": "redis"}),
        ("ec2", "describe_fpga_images", {}),
        ("ssm", "start_automation_execution", {"DocumentName": "AWS-Restart"}),
        ("cloudwatch", "put_composite_alarm", {"AlarmName": "a", "AlarmRule": "ALARM(b)"}),
        ("backup", "list_backup_jobs", {}),
        ("route53", "list_traffic_policies", {}),
        ("route53-recovery-control-config", "list_clusters", {}),
    ],
)
def test_what_is_missing_is_refused_at_once_with_its_name(
    clients: Clients, service: str, operation: str, request_: dict[str, Any]
) -> None:
    # Query, EC2, JSON, CBOR or JSON, REST with JSON, REST with XML, and a service that moto does not know.
    with pytest.raises(ClientError) as refusal:
        getattr(clients(service), operation)(**request_)
    error = refusal.value.response
    assert error["Error"]["Code"] == "NotImplemented"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert operation.replace("_", "") in error["Error"]["Message"].lower()


@pytest.mark.usefixtures("clean_gateway")
def test_a_missing_resource_is_not_a_missing_operation(clients: Clients) -> None:
    client = clients("s3")
    client.create_bucket(Bucket="uploads")
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket="uploads", Key="absent")
    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket="uploads", Key="absent")


@pytest.mark.usefixtures("clean_gateway")
def test_bodies_pass_whole_in_both_directions(clients: Clients) -> None:
    client = clients("s3")
    client.create_bucket(Bucket="uploads")
    # Large enough for the SDK to ask with Expect first, and to send in chunks.
    content = bytes(range(256)) * 4096
    client.put_object(Bucket="uploads", Key="large", Body=io.BytesIO(content))
    assert client.get_object(Bucket="uploads", Key="large")["Body"].read() == content


@pytest.fixture
def lost_home(clean_gateway: Record) -> Iterator[None]:
    supervisor.control(clean_gateway, "POST", "regions", {"us-east-1": "lost"})
    yield
    supervisor.control(clean_gateway, "POST", "regions", {})


@pytest.mark.usefixtures("lost_home")
@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
@pytest.mark.parametrize(
    ("service", "operation"),
    [("route53", "list_hosted_zones"), ("iam", "list_roles"), ("cloudfront", "list_distributions")],
)
def test_a_lost_us_east_1_takes_the_global_control_planes_along(
    clients: Clients, service: str, operation: str, region: str
) -> None:
    with pytest.raises(ConnectionClosedError):
        getattr(clients(service, region), operation)()


@pytest.mark.usefixtures("lost_home")
def test_a_lost_region_answers_nothing_and_others_do(clients: Clients) -> None:
    with pytest.raises(ConnectionClosedError):
        clients("rds", "us-east-1").describe_db_instances()
    assert clients("rds", "us-west-2").describe_db_instances()["DBInstances"] == []


@pytest.mark.parametrize(("host", "path"), [("127.0.0.1", "/uploads"), ("uploads.localhost", "/")])
def test_a_bucket_is_where_it_was_made_whoever_asks_for_it(
    clean_gateway: Record, clients: Clients, host: str, path: str
) -> None:
    clients("s3", "eu-west-1").create_bucket(
        Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    elsewhere = environ("us-west-2/s3")["HTTP_AUTHORIZATION"]
    status, _, _ = ask(
        clean_gateway, "GET", f"{path}?list-type=2", Host=f"{host}:{clean_gateway.port}", Authorization=elsewhere
    )
    rows = supervisor.control(clean_gateway, "GET", "calls")
    assert (status, {row["region"] for row in rows if row["operation"] == "ListObjectsV2"}) == (200, {"eu-west-1"})


def test_a_region_that_comes_back_has_what_it_had(clean_gateway: Record, clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="uploads")
    supervisor.control(clean_gateway, "POST", "regions", {"us-east-1": "lost"})
    assert supervisor.control(clean_gateway, "GET", "regions") == {"us-east-1": "lost"}
    supervisor.control(clean_gateway, "POST", "regions", {})
    assert [bucket["Name"] for bucket in clients("s3").list_buckets()["Buckets"]] == ["uploads"]


@pytest.mark.parametrize(
    ("table", "refusal"),
    [
        ({"mars": "lost"}, "regions: mars is no region"),
        ({"us-east-1": "slow"}, "regions: us-east-1: slow: only 'lost' is known"),
        (["us-east-1"], "regions: an object"),
    ],
)
def test_a_wrong_table_of_regions_is_refused(gateway: Record, table: Request, refusal: str) -> None:
    with pytest.raises(SandboxError, match=refusal):
        supervisor.control(gateway, "POST", "regions", table)


def test_calls_are_counted_by_service_operation_region_and_answer(clean_gateway: Record, clients: Clients) -> None:
    for _ in range(2):
        clients("ec2", "us-west-2").describe_vpcs()
    clients("s3").list_buckets()
    with pytest.raises(ClientError):
        clients("rds").describe_db_instances(DBInstanceIdentifier="absent")
    rows = supervisor.control(clean_gateway, "GET", "calls")
    found = {(row["service"], row["operation"], row["region"], row["answer"]): row["count"] for row in rows}
    assert found == {
        ("ec2", "DescribeVpcs", "us-west-2", "200"): 2,
        ("s3", "ListBuckets", "us-east-1", "200"): 1,
        ("rds", "DescribeDBInstances", "us-east-1", "404"): 1,
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_lifeboat/token"),
        ("GET", "/_lifeboat/calls"),
        ("POST", "/_lifeboat/regions"),
        ("POST", "/_lifeboat/reset"),
        ("POST", "/moto-api/reset"),
    ],
)
@pytest.mark.parametrize("token", ["", "Bearer wrong"])
def test_control_wants_the_token(gateway: Record, method: str, path: str, token: str) -> None:
    status, _, body = ask(gateway, method, path, "{}", Authorization=token)
    assert status == 403
    assert gateway.token.encode() not in body


def test_control_with_the_token(gateway: Record) -> None:
    assert supervisor.control(gateway, "POST", "token") == {"pid": gateway.pid, "stack": "reskflow"}
    with pytest.raises(SandboxError, match="no GET /_lifeboat/everything: there are POST token"):
        supervisor.control(gateway, "GET", "everything")
    status, _, body = ask(gateway, "GET", "/_lifeboat/health")
    assert (status, json.loads(body)) == (200, {"status": "ok", "pid": gateway.pid, "stack": "reskflow"})


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_only_loopback_clients_are_served(gateway: Record, headers: dict[str, str]) -> None:
    assert ask(gateway, "GET", "/", **headers)[0] == 403


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:4000", True),
        ("localhost", True),
        ("[::1]:4000", True),
        ("bucket.localhost:4000", True),
        ("localhost.evil.example", False),
        ("10.0.0.1:4000", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert loopback(host) is expected


def test_connections_stay_open(gateway: Record) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("GET", "/_lifeboat/health")
    connection.getresponse().read()
    first = connection.sock
    connection.request("GET", "/_lifeboat/health")
    connection.getresponse().read()
    assert first is not None
    assert connection.sock is first
    connection.close()


def environ(scope: str, **more: Request) -> dict[str, Any]:
    authorization = f"AWS4-HMAC-SHA256 Credential=AKIA/20250101/{scope}/aws4_request, SignedHeaders=host, Signature=s"
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": "127.0.0.1:1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "HTTP_AUTHORIZATION": authorization,
        **more,
    }


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            environ(
                "eu-west-1/rds",
                CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8",
                **{"wsgi.input": io.BytesIO(b"Version=2014-10-31&Action=PromoteReadReplica")},
            ),
            Call("rds", "eu-west-1", "PromoteReadReplica", known=True),
        ),
        (
            environ("eu-west-1/monitoring", HTTP_X_AMZ_TARGET="GraniteServiceVersion20100801.PutMetricData"),
            Call("cloudwatch", "eu-west-1", "PutMetricData", known=True),
        ),
        (
            environ("eu-west-1/s3", PATH_INFO="/bucket", QUERY_STRING="replication", REQUEST_METHOD="PUT"),
            Call("s3", "eu-west-1", "PutBucketReplication", known=True),
        ),
        (environ("eu-west-1/route53", PATH_INFO="/2013-04-01/x"), Call("route53", "us-east-1", "Unknown", known=True)),
        (
            environ("eu-west-1/globalaccelerator", HTTP_X_AMZ_TARGET="V.ListAccelerators"),
            Call("globalaccelerator", "us-west-2", "ListAccelerators", known=False),
        ),
        (
            environ(
                "",
                HTTP_AUTHORIZATION="",
                QUERY_STRING="X-Amz-Credential=AKIA%2F20250101%2Feu-west-1%2Fs3%2Faws4_request",
            ),
            Call("s3", "eu-west-1", "ListBuckets", known=True),
        ),
    ],
)
def test_identify(request_: dict[str, Any], expected: Call) -> None:
    assert identify(request_) == expected


def test_a_fault_of_motos_is_one_line_in_the_services_shape(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    application = Application(Control(token="t", stack="s", reset=lambda: None))

    def fault(_environ: dict[str, Any], _answer: Answer) -> list[bytes]:
        raise KeyError("first\nsecond")

    monkeypatch.setattr(application, "dispatcher", fault)
    answer = Answer()
    body = b"".join(application(environ("eu-west-1/ssm", HTTP_X_AMZ_TARGET="AmazonSSM.GetParameter"), answer))
    assert answer.status.startswith("500")
    assert json.loads(body)["__type"] == "InternalFailure"
    assert b"GetParameter: KeyError" in body
    assert "Traceback" in caplog.text
    assert application.control.ledger.rows()[0]["answer"] == "500"


def test_a_fault_of_a_control_call_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    control = Control(token="t", stack="s", reset=lambda: None)

    def fail(_environ: object) -> object:
        raise ConnectionResetError("it ended\nand more")

    control.route("POST", "stack", fail)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/_lifeboat/stack", "HTTP_AUTHORIZATION": "Bearer t"}
    answer = Answer()
    body = b"".join(control(cast("Any", environ), answer))
    assert answer.status.startswith("500")
    assert json.loads(body) == {"error": "POST stack: ConnectionResetError: it ended"}
    assert "POST stack failed" in caplog.text


def test_another_version_of_moto_is_refused() -> None:
    require_moto(MOTO_VERSION)
    with pytest.raises(SandboxError, match=r"moto 5\.3\.0 is installed, the sandbox's patches are for 5\.2\.5"):
        require_moto("5.3.0")
