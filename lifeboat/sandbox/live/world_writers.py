"""A life that resumes after a failover: its stack is deployed with the writers at home, and they move on from there.

What the API says is changed, at once and without effects, before any server looks at it: servers then start as they
were, and those whose place was taken follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import rds_backends

from lifeboat.sandbox.live.databases_model import global_clusters, key_of
from lifeboat.sandbox.patches.elasticache_global import stores
from lifeboat.sandbox.patches.rds_global import leave, set_writer
from lifeboat.sandbox.patches.rds_live import NOTING

if TYPE_CHECKING:
    from lifeboat.sandbox.live.writers import Past
    from lifeboat.sandbox.patches.base import Moto


def move_writers(account: str, past: Past) -> None:
    """Have the API say who wrote last; what the stack does not have any more is left out.

    Args:
        account: AWS account, 12 digits.
        past: Who that was.
    """
    with NOTING:
        for former, writer in past.writers.items():
            _take_over(account, former, writer)
        for key in past.parted:
            _part(account, key)


def _take_over(account: str, former: str, writer: str) -> None:
    for group in global_clusters():
        members = {key_of(member.db_cluster_arn): member for member in group.members}
        if {former, writer} <= members.keys():
            set_writer(group, members[writer])
    for store in stores(account).values():
        groups = {f"{region}/cache/{name}": group for (region, name), group in store.groups.items()}
        if {former, writer} <= groups.keys():
            store.lead(groups[writer])


def _part(account: str, key: str) -> None:
    region, kind, identifier = key.split("/", 2)
    if kind == "cluster":
        for group in global_clusters():
            for member in [member for member in group.members if key_of(member.db_cluster_arn) == key]:
                leave(group, member)
        return
    backend: Moto = rds_backends[account][region]
    instance: Any = backend.databases.get(identifier)
    if instance is not None and instance.is_replica:
        backend.promote_read_replica({"DBInstanceIdentifier": identifier})
