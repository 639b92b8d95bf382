"""ECS: how a service is deployed."""

from __future__ import annotations

from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import elbv2_backends

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError

PATCHES = Patches("ecs")

# Request name -> moto's attribute, which its answers and its updates take.
_KEPT = {
    "deploymentConfiguration": "deployment_configuration",
    "enableExecuteCommand": "enable_execute_command",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "loadBalancers": "load_balancers",
}


@PATCHES.fixes(EC2ContainerServiceResponse)
def create_service(original: Moto, self: Moto) -> Moto:
    """Forgets how a service is deployed, makes one over another of its name, and takes targets nothing listens for."""
    cluster, name = self._get_param("cluster", "default"), self._get_param("serviceName")
    found, _ = self.ecs_backend.describe_services(cluster, [name])
    if any(service.status == "ACTIVE" for service in found):
        raise RefusedError("InvalidParameterException", "Creation of service was not idempotent.")
    _assert_balanced(self._get_param("loadBalancers") or [], self.current_account, self.region)
    answer = original(self)
    (service,), _ = self.ecs_backend.describe_services(cluster, [name])
    for sent, kept in _KEPT.items():
        value = self._get_param(sent)
        if value is not None:
            setattr(service, kept, value)
    return answer


def _assert_balanced(wanted: list[dict[str, Moto]], account: str, region: str) -> None:
    groups = elbv2_backends[account][region].target_groups
    for arn in (each["targetGroupArn"] for each in wanted if "targetGroupArn" in each):
        if arn not in groups or not groups[arn].load_balancer_arns:
            message = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            raise RefusedError("InvalidParameterException", message)


@PATCHES.fixes(EC2ContainerServiceBackend)
def delete_cluster(original: Moto, self: Moto, cluster_str: str) -> Moto:
    """Deletes a cluster with services in it, which AWS refuses."""
    cluster = self._get_cluster(cluster_str)
    if any(each.cluster_name == cluster.name and each.status == "ACTIVE" for each in self.services.values()):
        raise RefusedError(
            "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
        )
    return original(self, cluster_str)
