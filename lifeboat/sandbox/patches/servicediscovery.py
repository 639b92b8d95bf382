"""Cloud Map: the zone behind a private namespace, and what may be deleted when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.route53.models import route53_backends
from moto.servicediscovery.exceptions import NamespaceNotFound
from moto.servicediscovery.models import ServiceDiscoveryBackend

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError

if TYPE_CHECKING:
    from moto.route53.models import Route53Backend

PATCHES = Patches("servicediscovery")


def _zones(backend: ServiceDiscoveryBackend) -> Route53Backend:
    return route53_backends[backend.account_id]["aws"]


@PATCHES.fixes(ServiceDiscoveryBackend)
def create_private_dns_namespace(original: Moto, self: Moto, name: str, **wanted: Moto) -> str:
    """Makes a zone of another name, which belongs to no network."""
    operation: str = original(self, name=name, **wanted)
    namespace = self.namespaces[self.operations[operation].targets["NAMESPACE"]]
    zones = _zones(self)
    zones.delete_hosted_zone(namespace.dns_properties["HostedZoneId"])
    zone = zones.create_hosted_zone(
        f"{name}.", private_zone=True, vpcid=namespace.vpc, vpcregion=self.region_name, comment=f"Namespace {name}"
    )
    namespace.dns_properties["HostedZoneId"] = zone.resource_id
    return operation


@PATCHES.fixes(ServiceDiscoveryBackend)
def delete_namespace(original: Moto, self: Moto, namespace_id: str) -> str:
    """Leaves the namespace's zone behind, and deletes a namespace that has services, which AWS refuses."""
    if any(service.namespace_id == namespace_id for service in self.services.values()):
        raise RefusedError("ResourceInUse", f"Namespace {namespace_id} has services.")
    zone = self.get_namespace(namespace_id).dns_properties.get("HostedZoneId")
    operation: str = original(self, namespace_id)
    if zone is not None:
        _zones(self).delete_hosted_zone(zone)
    return operation


@PATCHES.fixes(ServiceDiscoveryBackend)
def create_service(original: Moto, self: Moto, **wanted: Moto) -> Moto:
    """Takes a namespace that is not there, and forgets the one that stands in the DNS settings."""
    records: dict[str, Any] = wanted["dns_config"] or {}
    namespace: str | None = wanted["namespace_id"] or records.get("NamespaceId")
    if namespace not in self.namespaces:
        raise NamespaceNotFound(str(namespace))
    return original(self, **{**wanted, "namespace_id": namespace})


@PATCHES.fixes(ServiceDiscoveryBackend)
def delete_service(original: Moto, self: Moto, service_id: str) -> None:
    """Deletes a service that has instances, which AWS refuses, and one that is not there."""
    if self.get_service(service_id).instances:
        raise RefusedError("ResourceInUse", f"Service {service_id} has instances.")
    original(self, service_id)
