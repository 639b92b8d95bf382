"""What calls meet: each condition as a client of AWS's own SDK sees it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import SandboxError
from tests.live.calls import ledger
from tests.live.waiting import until
from tests.sandbox.conftest import Client, Clients, Request, clean_gateway, clients, gateway, sandbox_directory

if TYPE_CHECKING:
    from lifeboat.sandbox.state import Record

__all__ = ["clean_gateway", "clients", "gateway", "sandbox_directory"]

pytestmark = pytest.mark.usefixtures("clean_gateway")

REGION = "us-east-1"


def place(record: Record, effect: str, **more: object) -> str:
    found: str = supervisor.control(record, "POST", "conditions", {"effect": effect, **more})["id"]
    return found


def lift(record: Record, identifier: str = "") -> list[str]:
    name = f"conditions?id={identifier}" if identifier else "conditions"
    found: list[str] = supervisor.control(record, "DELETE", name)["lifted"]
    return found


def client(
    record: Record, service: str, region: str = REGION, *, key: str = "AKIAIOSFODNN7EXAMPLE", **more: Request
) -> Client:
    session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key="sandbox", region_name=region)
    config = Config(retries={"total_max_attempts": 1}, **more)
    return session.client(service, endpoint_url=record.endpoint, config=config)


def refusal(call: Any, **arguments: object) -> tuple[str, int]:  # noqa: ANN401 - a method of boto3's
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


CALLS = {
    "rds": ("describe_db_instances", {}),
    "s3": ("list_buckets", {}),
    "ec2": ("describe_vpcs", {}),
    "dynamodb": ("list_tables", {}),
    "kms": ("list_keys", {}),
    "route53": ("list_hosted_zones", {}),
    "eks": ("list_clusters", {}),
    "cloudwatch": ("describe_alarms", {}),
    "lambda": ("list_functions", {}),
    "sqs": ("list_queues", {}),
}


def ask(clients: Clients, service: str, region: str = REGION) -> Any:  # noqa: ANN401 - what boto3 answers
    operation, arguments = CALLS[service]
    return getattr(clients(service, region), operation)(**arguments)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (
            "throttle",
            {
                "rds": {("Throttling", 400)},
                "s3": {("SlowDown", 503)},
                "ec2": {("RequestLimitExceeded", 503)},
                "dynamodb": {("ThrottlingException", 400)},
                "kms": {("ThrottlingException", 400)},
                "route53": {("Throttling", 400)},
                "eks": {("ThrottlingException", 429)},
                "cloudwatch": {("ThrottlingException", 400)},
                "lambda": {("TooManyRequestsException", 429)},
                "sqs": {("RequestThrottled", 400)},
            },
        ),
        (
            "errors",
            {
                "rds": {("InternalFailure", 500), ("ServiceUnavailable", 503)},
                "s3": {("InternalError", 500), ("ServiceUnavailable", 503)},
                "ec2": {("InternalError", 500), ("Unavailable", 503)},
                "dynamodb": {("InternalServerError", 500), ("ServiceUnavailable", 503)},
            },
        ),
        (
            "expired",
            {
                "rds": {("ExpiredToken", 403)},
                "s3": {("ExpiredToken", 400)},
                "ec2": {("RequestExpired", 400)},
                "dynamodb": {("ExpiredTokenException", 400)},
                "eks": {("ExpiredTokenException", 403)},
                "route53": {("ExpiredToken", 403)},
            },
        ),
    ],
)
def test_a_refusal_is_the_services_own(
    gateway: Record, clients: Clients, effect: str, expected: dict[str, set[tuple[str, int]]]
) -> None:
    place(gateway, effect, region=REGION)
    for service, answers in expected.items():
        operation, arguments = CALLS[service]
        found = {refusal(getattr(clients(service), operation), **arguments) for _ in range(16)}
        assert found == answers, service
    lift(gateway)
    for service in expected:
        ask(clients, service)


def test_a_condition_meets_its_region_plane_and_services_only(gateway: Record, clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="uploads")
    place(gateway, "errors", region=REGION, plane="control", services=["s3", "rds"])
    clients("s3").put_object(Bucket="uploads", Key="k", Body=b"v")
    ask(clients, "ec2")
    ask(clients, "rds", "us-west-2")
    for service in ("s3", "rds"):
        with pytest.raises(ClientError, match=r"InternalFailure|InternalError|ServiceUnavailable"):
            ask(clients, service)


def test_a_lost_control_plane_of_us_east_1_is_lost_to_clients_of_any_region(gateway: Record, clients: Clients) -> None:
    place(gateway, "blackout", region=REGION, plane="control")
    with pytest.raises(ConnectionClosedError):
        ask(clients, "route53", "us-west-2")
    # Taking a role is data plane, in every region.
    clients("sts").get_caller_identity()


def test_slow_calls_take_at_least_as_long_and_their_sum(gateway: Record, clients: Clients) -> None:
    for seconds in (0.2, 0.1):
        place(gateway, "slow", region=REGION, seconds=seconds)
    ask(clients, "rds")
    (row,) = ledger(gateway)
    assert row["seconds"] >= 0.3
    assert len(row["conditions"]) == 2


def test_a_hanging_call_goes_on_when_the_condition_is_lifted(gateway: Record, clients: Clients) -> None:
    hang = place(gateway, "hang", region=REGION, services=["s3"])
    made: list[str] = []

    def make() -> None:
        clients("s3").create_bucket(Bucket="later")
        made.append("later")

    thread = threading.Thread(target=make)
    thread.start()
    until(lambda: supervisor.control(gateway, "GET", "conditions")[0]["changed"] == 1)
    # Others pass meanwhile.
    ask(clients, "rds")
    assert not made
    lift(gateway, hang)
    thread.join(20)
    assert made == ["later"]


def test_a_hanging_call_whose_client_gave_up_has_no_effect(gateway: Record, clients: Clients) -> None:
    place(gateway, "hang", region=REGION)
    impatient = client(gateway, "s3", read_timeout=0.3)
    with pytest.raises(ReadTimeoutError):
        impatient.create_bucket(Bucket="never")
    (row,) = until(lambda: ledger(gateway))
    assert (row["operation"], row["answer"]) == ("CreateBucket", "lost")
    lift(gateway)
    assert clients("s3").list_buckets()["Buckets"] == []


def test_expired_are_the_credentials_that_are_named(gateway: Record, clients: Clients) -> None:
    session = clients("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/warden", RoleSessionName="warden-1")
    place(gateway, "expired", principals=["warden-1"])
    ask(clients, "rds")
    role = client(gateway, "rds", key=session["Credentials"]["AccessKeyId"])
    assert refusal(role.describe_db_instances) == ("ExpiredToken", 403)


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        (
            "rds",
            "create_db_instance",
            {"DBInstanceIdentifier": "d", "DBInstanceClass": "db.m7g.large", "Engine": "postgres"},
            ("InsufficientDBInstanceCapacity", 400),
        ),
        (
            "rds",
            "modify_db_instance",
            {"DBInstanceIdentifier": "d", "DBInstanceClass": "db.m7g.large"},
            ("InsufficientDBInstanceCapacity", 400),
        ),
        (
            "rds",
            "modify_db_instance",
            {"DBInstanceIdentifier": "d", "BackupRetentionPeriod": 3},
            ("DBInstanceNotFound", 404),
        ),
        (
            "elasticache",
            "create_replication_group",
            {"ReplicationGroupId": "g", "ReplicationGroupDescription": "g"},
            ("InsufficientCacheClusterCapacity", 400),
        ),
        (
            "elasticache",
            "modify_replication_group",
            {"ReplicationGroupId": "g", "CacheNodeType": "cache.m7g.large"},
            ("InsufficientCacheClusterCapacity", 400),
        ),
        (
            "ec2",
            "run_instances",
            {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1},
            ("InsufficientInstanceCapacity", 500),
        ),
    ],
)
def test_without_capacity_nothing_is_made_or_resized(
    gateway: Record, clients: Clients, service: str, operation: str, arguments: dict[str, Any], code: tuple[str, int]
) -> None:
    place(gateway, "capacity", region=REGION)
    assert refusal(getattr(clients(service), operation), **arguments) == code
    ask(clients, "rds")


def test_a_blackout_parts_callers_by_the_region_that_they_say(gateway: Record) -> None:
    place(gateway, "blackout", region=REGION, caller=f"!{REGION}")
    inside = client(gateway, "rds", user_agent_appid=REGION)
    assert inside.describe_db_instances()["DBInstances"] == []
    for outside in (client(gateway, "rds", user_agent_appid="us-west-2"), client(gateway, "rds")):
        with pytest.raises(ConnectionClosedError):
            outside.describe_db_instances()
    assert [(row["caller"], row["answer"]) for row in ledger(gateway)] == [
        (REGION, "200"),
        ("us-west-2", "lost"),
        ("", "lost"),
    ]


def test_the_table_of_lost_regions_is_one_of_conditions(gateway: Record) -> None:
    supervisor.control(gateway, "POST", "regions", {REGION: "lost"})
    other = place(gateway, "blackout", region="us-west-2")
    assert supervisor.control(gateway, "GET", "regions") == {REGION: "lost", "us-west-2": "lost"}
    assert supervisor.control(gateway, "POST", "regions", {}) == {"us-west-2": "lost"}
    assert lift(gateway, other) == [other]
    assert lift(gateway, other) == []
    assert supervisor.control(gateway, "GET", "conditions") == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"effect": "slow"}, "slow.seconds: Field required"),
        ({"effect": "throttle", "fraction": 2}, "throttle.fraction: Input should be less than or equal to 1"),
        ({"effect": "hang", "region": "mars"}, "hang.region: String should match pattern"),
        ({"effect": "melt"}, "Input tag 'melt' found using 'effect' does not match any of the expected tags"),
        ({"effect": "hang", "colour": "red"}, "hang.colour: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_condition_is_refused(gateway: Record, condition: dict[str, Any], said: str) -> None:
    with pytest.raises(SandboxError) as refused:
        supervisor.control(gateway, "POST", "conditions", condition)
    assert said in str(refused.value)
    with pytest.raises(SandboxError, match="ledger: since=x: the number of the last call"):
        supervisor.control(gateway, "GET", "ledger?since=x")
