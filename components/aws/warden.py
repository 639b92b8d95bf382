"""A warden: the process that watches both sites, and recovers its own, as a container service in one region."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.aws.failover_policy import failover_policy
from components.aws.warden_address import AddressArgs, warden_address
from components.aws.warden_image import task_trust, worker_policy
from components.aws.witness_policy import witness_policy
from lifeboat.model.naming import gate_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.aws.recovery_statements import FailoverScope
    from components.aws.site import Site

CPU = "256"
MEMORY = "512"
"""Fargate's smallest size, in its units and MiB: a warden waits for most of its life."""
WRITABLE = "/dev/shm"  # noqa: S108 - the one place in the container that can be written, and nobody else is in it
"""Where a warden may keep what it needs no longer than it lives."""
CONFIGURATION = "LIFEBOAT_WARDEN"
CONFIGURATION_FILE = f"{WRITABLE}/warden.json"
START = f"""printf '%s' "${CONFIGURATION}" > {CONFIGURATION_FILE}
exec python -m lifeboat.recovery.warden --config {CONFIGURATION_FILE}
"""
"""The file comes from the environment, and stays for the runs that the warden begins; ``exec``, so that the warden
itself is told to end."""
FAILOVER = ("python", "-m", "lifeboat.recovery.unattended", "--config", CONFIGURATION_FILE)
"""What a warden begins once it has decided; it adds to where, why and which run."""
_USER = "10001:10001"
_CONTAINER = "warden"
_GRACE_SECONDS = 300
"""Time to start, and to be found by the balancer, before ECS replaces a task that its checks find deaf."""
_STOP_SECONDS = 30
"""Time to finish a write of the lease or the journal before the task is killed."""


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """Where a warden may connect to."""

    cidr: str
    port: int


@dataclass(frozen=True, kw_only=True)
class WayIn:
    """Who may ask a warden for its gate, and where."""

    cidr: str
    """The site's own range: a gateway goes by its own site's warden."""
    port: int
    """Where the warden's configuration has it listen."""


@dataclass(frozen=True, kw_only=True)
class WardenArgs:
    """What `Warden` needs."""

    site: Site
    """Where it stands: a site with data, or the witness."""
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    public_address: bool
    """The subnets' way out is an internet gateway, which needs an address of its own."""
    ways_out: Sequence[WayOut]
    way_in: WayIn | None
    """None where nobody has anything to ask, as in the witness: nothing connects to it."""
    image: str
    """With its tag or digest, of this region's registry."""
    configuration: str
    """Its file, as text. Nothing secret: whoever may describe a task reads it."""
    scope: FailoverScope
    """What a failover touches; the role of a warden that stands in no site may not."""
    logs_key_arn: pulumi.Input[str]
    """Key of this region."""
    log_days: int
    """Days that logs are kept."""


class Warden(pulumi.ComponentResource):
    """One warden of three.

    There is never more than one in a region: a new version starts when the old one has stopped. The two others see to
    the lease meanwhile. It is stopped for good by a hold on the lease, not by stopping its task, which ECS replaces.
    """

    role_arn: pulumi.Output[str]
    """What it acts as."""
    service_arn: pulumi.Output[str]
    gate_url: pulumi.Output[str] | None
    """What gateways of its site ask; None without a way in."""

    def __init__(self, name: str, args: WardenArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:Warden", name, {}, opts)
        self._name, self._args, self._site = name, args, args.site
        self._label = args.site.physical("warden")
        group = self._logs()
        role, policy = self._role("role", *self._rights())
        worker, permitted = self._role(
            "worker-role",
            "Pulls the warden's image and writes its logs",
            worker_policy(args.site, args.image, group.name),
        )
        cluster = aws.ecs.Cluster(
            f"{name}-cluster",
            name=self._label,
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value="enabled")],
            tags=self._tags(),
            opts=self._in(),
        )
        task = aws.ecs.TaskDefinition(
            f"{name}-task",
            family=self._label,
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                cpu_architecture="ARM64", operating_system_family="LINUX"
            ),
            cpu=CPU,
            memory=MEMORY,
            task_role_arn=role.arn,
            execution_role_arn=worker.arn,
            container_definitions=self._container(group.name),
            tags=self._tags(),
            opts=self._in(),
        )
        access = self._access()
        self.gate_url, balancers, listeners = self._address(access)
        service = aws.ecs.Service(
            f"{name}-service",
            name=self._label,
            cluster=cluster.arn,
            task_definition=task.arn,
            launch_type="FARGATE",
            platform_version="1.4.0",
            desired_count=1,
            deployment_maximum_percent=100,
            deployment_minimum_healthy_percent=0,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            enable_execute_command=False,
            # An update must not wait for a process that waits for regions.
            wait_for_steady_state=False,
            propagate_tags="SERVICE",
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=list(args.subnet_ids),
                security_groups=[access.id],
                assign_public_ip=args.public_address,
            ),
            load_balancers=balancers or None,
            health_check_grace_period_seconds=_GRACE_SECONDS if balancers else None,
            tags=self._tags(),
            # A task without its permissions stops, and the circuit breaker counts it.
            opts=self._in(policy, permitted, *listeners),
        )
        self.role_arn = role.arn
        self.service_arn = service.arn
        self.register_outputs({"role_arn": self.role_arn, "service_arn": self.service_arn, "gate_url": self.gate_url})

    def _rights(self) -> tuple[str, str]:
        """What its role is for, and the policy: only a site's warden fails over."""
        scope = self._args.scope
        if self._site.region in scope.sites:
            return "Watches, decides and fails over", json.dumps(failover_policy(scope))
        return "Watches, votes and tells people", json.dumps(witness_policy(scope))

    def _in(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self._site.provider, depends_on=list(depends_on))

    def _tags(self, label: str | None = None) -> dict[str, str]:
        return self._site.named(label or self._label)

    def _logs(self) -> aws.cloudwatch.LogGroup:
        path = f"/lifeboat/{self._label}"
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=path,
            retention_in_days=self._args.log_days,
            kms_key_id=self._args.logs_key_arn,
            tags=self._tags(path),
            opts=self._in(),
        )

    def _role(self, part: str, description: str, policy: pulumi.Input[str]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        """A role that only tasks of this account and region take, and its policy."""
        label = self._label if part == "role" else f"{self._label}-worker"
        role = aws.iam.Role(
            f"{self._name}-{part}",
            name=label,
            description=f"{description} in {self._site.region}",
            assume_role_policy=json.dumps(task_trust(self._site)),
            tags=self._tags(label),
            opts=self._in(),
        )
        attached = aws.iam.RolePolicy(
            f"{self._name}-{part}-policy", name=label, role=role.name, policy=policy, opts=self._in()
        )
        return role, attached

    def _access(self) -> aws.ec2.SecurityGroup:
        """The ways out that were given; the only way in is the balancer's, see `_address`."""
        group = aws.ec2.SecurityGroup(
            f"{self._name}-access",
            name=self._label,
            description=f"{self._label}: " + ("nothing in" if self._args.way_in is None else "its balancer in"),
            vpc_id=self._args.vpc_id,
            tags=self._tags(),
            opts=self._in(),
        )
        for way in self._args.ways_out:
            network = way.cidr.replace("/", "-")
            aws.vpc.SecurityGroupEgressRule(
                f"{self._name}-to-{network}-{way.port}",
                security_group_id=group.id,
                description=f"{way.cidr}, port {way.port}",
                cidr_ipv4=way.cidr,
                ip_protocol="tcp",
                from_port=way.port,
                to_port=way.port,
                tags=self._tags(f"{self._label}-to-{network}-{way.port}"),
                opts=self._in(),
            )
        return group

    def _address(
        self, access: aws.ec2.SecurityGroup
    ) -> tuple[pulumi.Output[str] | None, list[aws.ecs.ServiceLoadBalancerArgs], list[pulumi.Resource]]:
        """The gate's URL, what ECS registers the task in, and what that waits for; nothing without a way in."""
        args, way_in = self._args, self._args.way_in
        if way_in is None:
            return None, [], []
        address = warden_address(
            self,
            self._name,
            AddressArgs(
                site=self._site,
                vpc_id=args.vpc_id,
                subnet_ids=args.subnet_ids,
                cidr=way_in.cidr,
                port=way_in.port,
                access=access,
            ),
        )
        registered = aws.ecs.ServiceLoadBalancerArgs(
            target_group_arn=address.targets_arn, container_name=_CONTAINER, container_port=way_in.port
        )
        return address.host.apply(gate_url), [registered], [address.listener]

    def _container(self, group: pulumi.Output[str]) -> pulumi.Output[str]:
        """The one container, as ECS takes it: JSON text."""
        args, region = self._args, self._site.region
        # A task of its own network has its container's ports; naming both is what ECS answers.
        ports = {}
        if args.way_in is not None:
            port = args.way_in.port
            ports = {"portMappings": [{"containerPort": port, "hostPort": port, "protocol": "tcp"}]}

        def definitions(logs: str) -> str:
            return json.dumps(
                [
                    {
                        "name": _CONTAINER,
                        "image": args.image,
                        "essential": True,
                        "readonlyRootFilesystem": True,
                        "user": _USER,
                        "stopTimeout": _STOP_SECONDS,
                        "command": ["sh", "-c", START],
                        "environment": [{"name": CONFIGURATION, "value": args.configuration}],
                        "linuxParameters": {"initProcessEnabled": True},
                        **ports,
                        "logConfiguration": {
                            "logDriver": "awslogs",
                            "options": {
                                "awslogs-group": logs,
                                "awslogs-region": region,
                                "awslogs-stream-prefix": "warden",
                            },
                        },
                    }
                ]
            )

        return group.apply(definitions)
