"""Load balancers: names, and what may not be deleted."""

from __future__ import annotations

from moto.elbv2.exceptions import DuplicateLoadBalancerName
from moto.elbv2.models import ELBv2Backend

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, endpoint_suffix

PATCHES = Patches("elbv2")


@PATCHES.fixes(ELBv2Backend)
def create_load_balancer(original: Moto, self: Moto, name: str, **wanted: Moto) -> Moto:
    """Takes a name twice, and calls a network balancer as an application's, by ARN and host name."""
    if any(each.name == name for each in self.load_balancers.values()):
        raise DuplicateLoadBalancerName
    balancer = original(self, name=name, **wanted)
    if balancer.type != "network":
        return balancer
    tags = self.tagging_service.get_tag_dict_for_resource(balancer.arn)
    self.tagging_service.delete_all_tags_for_resource(balancer.arn)
    del self.load_balancers[balancer.arn]
    balancer.arn = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
    unique = endpoint_suffix(self.account_id, self.region_name, name, 16)
    balancer.dns_name = f"{name}-{unique}.elb.{self.region_name}.amazonaws.com"
    self.load_balancers[balancer.arn] = balancer
    self.tagging_service.tag_resource(balancer.arn, self.tagging_service.convert_dict_to_tags_input(tags))
    return balancer


@PATCHES.fixes(ELBv2Backend)
def delete_load_balancer(original: Moto, self: Moto, arn: str) -> None:
    """Ignores deletion protection, and leaves it in what its targets say of their balancers."""
    balancer = self.load_balancers.get(arn)
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise RefusedError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    original(self, arn)
    for group in self.target_groups.values():
        group.load_balancer_arns = [each for each in group.load_balancer_arns if each != arn]
