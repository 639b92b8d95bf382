"""Who gets the traffic, made so: by the switches' metric, by routing controls, or by records where that was waived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.routing_document import RoutingDocument, routing_parameter
from lifeboat.model.settings.sites import RoutingKind
from lifeboat.recovery.journal import told_of
from lifeboat.recovery.run_state import UNANSWERED, is_unanswered
from lifeboat.recovery.switches import SwitchMetrics, levels

if TYPE_CHECKING:
    from lifeboat.recovery.lease_record import LeaseRecord
    from lifeboat.recovery.run_state import StepRun

_RECORDS = "us-east-1"
"""Where Route 53 takes edits."""


def switch(run: StepRun, kind: RoutingKind, record: LeaseRecord) -> None:
    """Set the switches as a lease has it.

    Raises:
        LookupError: when what is to be switched is not there.
    """
    match kind:
        case RoutingKind.ALARM:
            witness = run.physical.topology.witness
            sites = [site.region for site in run.physical.topology.sites]
            client = run.ports.client("cloudwatch", witness)
            SwitchMetrics(client, run.physical.switch_namespace).publish(levels(record, sites))
        case RoutingKind.ROUTING_CONTROL:
            _controls(run, record)
        case RoutingKind.RECORD:
            _records(run)


def _controls(run: StepRun, record: LeaseRecord) -> None:
    """One call for all: a safety rule refuses what would leave every control off.

    Any of the cluster's endpoints takes it. AWS takes them out of service in turn, so that the next one is asked when
    one does not answer: first the plan's, those of lost regions never.
    """
    document = _published(run)
    entries = [
        {"RoutingControlArn": document.controls[site], "RoutingControlState": "Off" if level else "On"}
        for site, level in levels(record, list(document.controls)).items()
    ]
    planned = run.plan.by_key["switch-routing"].region
    places = sorted(filter(run.answers, document.endpoints), key=lambda region: (region != planned, region))
    for place in places:
        client = run.ports.client("route53-recovery-cluster", place, endpoint=document.endpoints[place])
        try:
            client.update_routing_control_states(UpdateRoutingControlStateEntries=entries)
        except UNANSWERED as fault:
            if place == places[-1] or not is_unanswered(fault):
                raise
            run.progress(f"the endpoint in {place}: {told_of(fault)}: asking the next one")
        else:
            return


def _published(run: StepRun) -> RoutingDocument:
    """What each site has beside its control."""
    name = routing_parameter(run.physical.prefix)
    found = run.ports.client("ssm", run.plan.target).get_parameter(Name=name)
    try:
        document = RoutingDocument.of(found["Parameter"]["Value"])
    except ValueError as fault:
        raise LookupError(f"{name} in {run.plan.target}: {fault}: `lifeboat up` writes it") from None
    if not any(map(run.answers, document.endpoints)):
        raise LookupError(f"{name} in {run.plan.target}: has no endpoint that is left: `lifeboat up` writes it")
    return document


def _records(run: StepRun) -> None:
    dns = run.physical.settings.dns
    if dns is None:
        return
    client = run.ports.client("route53", _RECORDS)
    zone = dns.zone_id
    if zone is None:
        zones = client.list_hosted_zones_by_name(DNSName=dns.zone, MaxItems="1")["HostedZones"]
        if not zones or zones[0]["Name"].rstrip(".") != dns.zone:
            raise LookupError(f"no hosted zone {dns.zone}")
        zone = zones[0]["Id"]
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": f"{endpoint.name}.{dns.zone}",
                "Type": "CNAME",
                "TTL": dns.ttl,
                "ResourceRecords": [{"Value": dns.target(endpoint, run.plan.target)}],
            },
        }
        for endpoint in dns.endpoints
    ]
    change = client.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Comment": run.run, "Changes": changes}
    )["ChangeInfo"]["Id"]
    run.until(
        lambda: client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC" or None, "the records are in place"
    )
