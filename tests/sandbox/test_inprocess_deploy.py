"""A program in this process: what it makes, what it leaves, and how it fails."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lifeboat.sandbox.inprocess.errors import DeployError
from lifeboat.sandbox.inprocess.passphrase import Crypter
from lifeboat.sandbox.inprocess.run import Deployed, deploy
from lifeboat.sandbox.plugin.operations import Backend
from lifeboat.sandbox.plugin.wire import SECRET, SIGNATURE, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifeboat.sandbox.inprocess.monitor import Step
    from lifeboat.sandbox.state import Directory, Record
    from tests.sandbox.conftest import Clients

PASSPHRASE = "test"
HEAD = """
import pulumi, pulumi_aws as aws, pulumi_random as random
site = aws.Provider("aws-us-east-1", region="us-east-1")
at = pulumi.ResourceOptions(provider=site)
"""

Deploy = "Callable[..., Deployed]"


@pytest.fixture
def run(clean_gateway: Record, sandbox_directory: Directory, tmp_path: Path) -> Callable[..., Deployed]:
    """Deploys a program's text as the stack ``dev`` of the project ``shop``."""

    def run(body: str, *, project: str = "shop", settings: str = "", **options: Any) -> Deployed:  # noqa: ANN401 - passed on
        root = tmp_path / project
        root.mkdir(exist_ok=True)
        (root / "Pulumi.yaml").write_text(f'name: {project}\nconfig:\n  pulumi:disable-default-providers: ["aws"]\n')
        (root / "Pulumi.dev.yaml").write_text(settings)
        (root / "__main__.py").write_text(HEAD + body)
        backend = Backend(endpoint=clean_gateway.endpoint, account=clean_gateway.account)
        return deploy(root, "dev", backend=backend, directory=sandbox_directory, passphrase=PASSPHRASE, **options)

    return run


def _resources(path: Path) -> dict[str, dict[str, Any]]:
    """Logical name → resource of a state file."""
    resources = json.loads(path.read_text())["deployment"]["resources"]
    return {resource["urn"].split("::", 3)[3]: resource for resource in resources}


def test_a_program_makes_real_things_and_a_state_file(run: Callable[..., Deployed], clients: Clients) -> None:
    steps: list[Step] = []
    deployed = run(
        """
class Network(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("shop:aws:Network", name, {"zones": 1})
        at = pulumi.ResourceOptions(parent=self, provider=site)
        vpc = aws.ec2.Vpc(f"{name}-vpc", cidr_block="10.0.0.0/16", tags={"Name": name},
            opts=pulumi.ResourceOptions.merge(at, pulumi.ResourceOptions(protect=True, ignore_changes=["tags"])))
        aws.ec2.Subnet(f"{name}-subnet", vpc_id=vpc.id, cidr_block="10.0.1.0/24", opts=at)
        self.register_outputs({"vpcId": vpc.id})
        self.vpc = vpc
network = Network("net")
pulumi.export("vpc", network.vpc.id)
pulumi.export("port", 5432)
""",
        progress=steps.append,
    )
    vpc_id = deployed.deployment.plain_outputs["vpc"]
    assert clients("ec2").describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["CidrBlock"] == "10.0.0.0/16"
    assert (deployed.real, deployed.recorded) == (2, 0)
    assert [(step.name, step.done) for step in steps] == [("net-vpc", 1), ("net-subnet", 2)]

    found = _resources(deployed.path)
    stack, net, vpc, subnet = (found[name] for name in ("shop-dev", "net", "net-vpc", "net-subnet"))
    assert stack["outputs"] == {"vpc": vpc_id, "port": 5432}
    assert net["urn"] == "urn:pulumi:dev::shop::shop:aws:Network::net"
    assert net["parent"] == stack["urn"]
    assert net["inputs"] == {"zones": 1}
    assert net["outputs"] == {"vpcId": vpc_id}
    assert vpc["urn"] == "urn:pulumi:dev::shop::shop:aws:Network$aws:ec2/vpc:Vpc::net-vpc"
    assert vpc["id"] == vpc_id
    assert vpc["protect"] is True
    assert vpc["ignoreChanges"] == ["tags"]
    provider = found["aws-us-east-1"]
    assert vpc["provider"] == f"{provider['urn']}::{provider['id']}"
    assert subnet["dependencies"] == [vpc["urn"]]
    assert subnet["propertyDependencies"]["vpcId"] == [vpc["urn"]]
    assert "protect" not in subnet
    # Every resource stands behind what it needs.
    order = list(found)
    assert order.index("net-vpc") < order.index("net-subnet")
    assert order[0] == "shop-dev"
    assert deployed.path.stat().st_mode & 0o777 == 0o600


def test_the_caller_s_process_is_as_before(run: Callable[..., Deployed]) -> None:
    before = (Path.cwd(), list(sys.path), list(sys.argv), dict(os.environ))
    run("import os, sys\npulumi.export('where', os.getcwd())\nsys.path.append('/nowhere')\n")
    assert (Path.cwd(), list(sys.path), list(sys.argv), dict(os.environ)) == before


def test_secrets_are_ciphertext_in_the_state_file(run: Callable[..., Deployed], clients: Clients) -> None:
    deployed = run("""
password = random.RandomPassword("password", length=24, special=False)
secret = aws.secretsmanager.Secret("secret", name="orders", opts=at)
aws.secretsmanager.SecretVersion("version", secret_id=secret.id, secret_string=password.result, opts=at)
pulumi.export("password", password.result)
pulumi.export("greeting", pulumi.Output.secret("good morning"))
""")
    password = deployed.deployment.plain_outputs["password"]
    assert clients("secretsmanager").get_secret_value(SecretId="orders")["SecretString"] == password
    text = deployed.path.read_text()
    assert password not in text
    assert "good morning" not in text
    document = json.loads(text)["deployment"]
    crypter = Crypter.from_salt(PASSPHRASE, document["secrets_providers"]["state"]["salt"])
    kept = _resources(deployed.path)["version"]["outputs"]["secretString"]
    assert kept[SIGNATURE] == SECRET
    assert json.loads(crypter.decrypt(kept["ciphertext"])) == password
    assert repr(deployed.deployment.outputs["password"]) == "Secret(...)"


def test_a_default_provider_is_made_once_or_refused(run: Callable[..., Deployed]) -> None:
    deployed = run("random.RandomPassword('one', length=8)\nrandom.RandomPassword('two', length=8)\n")
    defaults = [r for r in _resources(deployed.path).values() if r["type"] == "pulumi:providers:random"]
    assert len(defaults) == 1
    assert defaults[0]["urn"].startswith("urn:pulumi:dev::shop::pulumi:providers:random::default_")
    with pytest.raises(DeployError, match=r"Default provider for 'aws' disabled\. 'urn:.*::vpc' must use"):
        run("aws.ec2.Vpc('vpc', cidr_block='10.0.0.0/16')\n")


def test_configuration_reaches_the_program(run: Callable[..., Deployed]) -> None:
    notes: list[str] = []
    deployed = run(
        """
config = pulumi.Config()
pulumi.export("sizes", config.require_object("sizes"))
pulumi.export("token", config.require_secret("token"))
pulumi.export("names", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])
""",
        settings="config:\n  shop:sizes: [1, 2]\n  shop:token: {secure: 'v1:x:y'}\n",
        note=notes.append,
    )
    assert deployed.deployment.plain_outputs["sizes"] == [1, 2]
    assert deployed.deployment.plain_outputs["names"] == ["shop", "dev", "organization"]
    assert isinstance(deployed.deployment.outputs["token"], Secret)
    assert len(notes) == 1
    assert notes[0].startswith("shop:token: encrypted")


def test_another_stack_s_outputs_can_be_read(run: Callable[..., Deployed], sandbox_directory: Directory) -> None:
    run("pulumi.export('port', 5432)\npulumi.export('password', pulumi.Output.secret('swordfish!'))\n")
    deployed = run(
        """
shop = pulumi.StackReference("organization/shop/dev")
pulumi.export("port", shop.require_output("port"))
pulumi.export("password", shop.require_output("password"))
pulumi.export("missing", shop.get_output("missing").apply(lambda value: value is None))
""",
        project="team",
    )
    assert deployed.path == sandbox_directory.deployment("team.dev")
    assert deployed.deployment.plain_outputs == {"port": 5432, "password": "swordfish!", "missing": True}
    assert isinstance(deployed.deployment.outputs["password"], Secret)
    assert "swordfish!" not in deployed.path.read_text()
    reference = _resources(deployed.path)["organization/shop/dev"]
    assert reference["external"] is True
    with pytest.raises(DeployError, match="StackReference organization/shop/prod: the sandbox has no such stack"):
        run("pulumi.StackReference('organization/shop/prod')\n", project="team")


def test_the_first_failure_stops_the_program(
    run: Callable[..., Deployed], sandbox_directory: Directory, clients: Clients
) -> None:
    with pytest.raises(DeployError) as fault:
        run("""
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=at)
subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id.apply(lambda _: "vpc-00000000"), cidr_block="10.0.1.0/24", opts=at)
aws.ec2.Vpc("never", cidr_block="10.1.0.0/16", tags={"of": subnet.id}, opts=at)
pulumi.export("subnet", subnet.id)
""")
    text = str(fault.value)
    assert "\n" not in text
    assert text.startswith(
        "urn:pulumi:dev::shop::aws:ec2/subnet:Subnet::subnet: create: CreateSubnet: InvalidVpcID.NotFound"
    )
    left = _resources(sandbox_directory.deployment("shop.dev"))
    assert "vpc" in left
    assert not {"subnet", "never"} & left.keys()
    assert all(vpc["CidrBlock"] != "10.1.0.0/16" for vpc in clients("ec2").describe_vpcs()["Vpcs"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise pulumi.RunError('two sites are needed')\n", r"^two sites are needed$"),
        ("def f():\n    return {}['x']\nf()\n", r"^program: KeyError: 'x' \(__main__\.py:6\)$"),
        ("aws.ec2.Vpc('a', cidr_blok='x', opts=at)\n", r"^program: TypeError: .*cidr_blok.*\(__main__\.py:5\)$"),
        ("random.RandomPassword('a', length=0)\n", r"::a: create: InvalidArguments: length: 0: at least 1"),
        ("aws.ec2.Vpc('a', opts=at); aws.ec2.Vpc('a', opts=at)\n", r"Duplicate resource URN '.*::a'; try giving"),
        ("aws.Provider('p', region='us-east-1', allowed_account_ids=['210987654321'])\n", r"::p: configure: allowed"),
        ("aws.Provider('p')\n", r"::p: configure: region: missing"),
        ("aws.ec2.Vpc('a', opts=pulumi.ResourceOptions(provider=site, transforms=[lambda a: None]))\n", "transforms"),
        ("aws.apigateway.Account('a', opts=at)\n", r"::a: create: check: .*catalogue lacks this type$"),
    ],
)
def test_a_fault_is_one_line(run: Callable[..., Deployed], body: str, said: str) -> None:
    with pytest.raises(DeployError, match=said) as fault:
        run(body)
    assert "\n" not in str(fault.value)


def test_look_ups_are_answered(run: Callable[..., Deployed]) -> None:
    deployed = run("""
of = pulumi.InvokeOptions(provider=site)
pulumi.export("account", aws.get_caller_identity_output(opts=of).account_id)
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=at)
again = aws.ec2.Vpc.get("again", vpc.id, opts=at)
pulumi.export("cidr", again.cidr_block)
""")
    assert deployed.deployment.plain_outputs == {"account": "123456789012", "cidr": "10.0.0.0/16"}
    assert _resources(deployed.path)["again"]["external"] is True


def test_what_exists_is_adopted_and_what_does_not_is_made(run: Callable[..., Deployed], clients: Clients) -> None:
    vpc_id = clients("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    adopt = "import_={!r}, provider=site"
    body = "aws.ec2.Vpc('vpc', cidr_block='{}', opts=pulumi.ResourceOptions({}))\n"
    deployed = run(body.format("10.9.0.0/16", adopt.format(vpc_id)))
    adopted = _resources(deployed.path)["vpc"]
    assert (adopted["id"], adopted["importID"]) == (vpc_id, vpc_id)
    with pytest.raises(DeployError, match=f"::vpc: import: {vpc_id}: cidrBlock: differs from what exists, and the"):
        run(body.format("10.8.0.0/16", adopt.format(vpc_id)))
    kept = _resources(run(body.format("10.8.0.0/16", adopt.format(vpc_id) + ", ignore_changes=['cidrBlock']")).path)
    assert kept["vpc"]["inputs"]["cidrBlock"] == kept["vpc"]["outputs"]["cidrBlock"] == "10.9.0.0/16"
    made = _resources(run(body.format("10.9.0.0/16", adopt.format("vpc-00000000"))).path)["vpc"]
    assert made["importID"] == "vpc-00000000"
    assert clients("ec2").describe_vpcs(VpcIds=[made["id"]])["Vpcs"]


def test_what_is_adopted_is_updated_in_place_to_what_is_declared(
    run: Callable[..., Deployed], clients: Clients
) -> None:
    ec2 = clients("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Owner", "Value": "who knows"}])
    deployed = run(
        "aws.ec2.Vpc('vpc', cidr_block='10.9.0.0/16', enable_dns_hostnames=True, tags={'System': 'shop'},"
        f" opts=pulumi.ResourceOptions(import_={vpc_id!r}, provider=site))\n"
    )
    adopted = _resources(deployed.path)["vpc"]
    assert adopted["id"] == vpc_id
    assert adopted["inputs"]["tags"] == adopted["outputs"]["tags"] == {"System": "shop"}
    assert ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["Tags"] == [{"Key": "System", "Value": "shop"}]
    assert ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]


def test_an_update_of_what_is_adopted_that_is_refused_says_why(run: Callable[..., Deployed], clients: Clients) -> None:
    rds = clients("rds")
    settings = {"DBInstanceClass": "db.r6g.large", "Engine": "postgres", "AllocatedStorage": 20}
    for name in ("old", "source"):
        rds.create_db_instance(
            DBInstanceIdentifier=name, MasterUsername="master", MasterUserPassword="swordfish!", **settings
        )
    with pytest.raises(DeployError, match="import: old: replicateSourceDb: cannot elect new source database"):
        run(
            "aws.rds.Instance('db', identifier='old', instance_class='db.r6g.large', replicate_source_db='source',"
            " skip_final_snapshot=True, opts=pulumi.ResourceOptions(import_='old', provider=site))\n"
        )
