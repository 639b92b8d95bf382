"""Start-up patches for moto 5.2.5, one module a service: what it lacks, or gets wrong so that recovery would notice.

A patch's docstring begins with what moto does without it; a test of the same name fails without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifeboat.sandbox.patches.base import Patches

MODULES = (
    "backup",
    "core",
    "dynamodb",
    "ec2",
    "ecs",
    "elasticache",
    "elasticache_global",
    "elbv2",
    "kms",
    "rds",
    "rds_backups",
    "rds_events",
    "rds_global",
    "rds_live",
    "route53",
    "route53_health",
    "s3",
    "secretsmanager",
)


def collect() -> list[Patches]:
    """Every service's patches; importing them imports moto's modules of those services."""
    return [importlib.import_module(f"{__name__}.{module}").PATCHES for module in MODULES]


def apply() -> None:
    """Patch moto in this process, once."""
    for service in collect():
        for patch in service.patches:
            service.apply(patch)
