"""A contract as a platform writes it."""

from __future__ import annotations

from typing import Any

import pytest

ACCOUNT = "123456789012"


def _site(region: str, octet: int) -> dict[str, Any]:
    return {
        "region": region,
        "network": {
            "vpc_id": f"vpc-{octet}",
            "cidr": f"10.{octet}.0.0/16",
            "availability_zones": [f"{region}a", f"{region}b", f"{region}c"],
            "public_subnet_ids": ["subnet-1"],
            "private_subnet_ids": ["subnet-2"],
            "isolated_subnet_ids": ["subnet-3"],
        },
        "databases": {
            "orders": {
                "mechanism": "aurora-global",
                "engine": "aurora-postgresql 16.8",
                "arn": f"arn:aws:rds:{region}:{ACCOUNT}:cluster:reskflow-production-orders-{region}",
                "writer_endpoint": f"orders.cluster-abc.{region}.rds.amazonaws.com",
                "reader_endpoint": f"orders.cluster-ro-abc.{region}.rds.amazonaws.com",
                "port": 5432,
                "database": "orders",
                "secret_arn": f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:orders-abc",
            }
        },
        "caches": {
            "sessions": {
                "mechanism": "global-datastore",
                "primary_endpoint": f"sessions.{region}.cache.amazonaws.com",
                "reader_endpoint": None,
                "port": 6379,
                "tls": True,
                "secret_arn": f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:sessions-abc",
            }
        },
        "buckets": {
            "uploads": {
                "bucket": f"reskflow-uploads-{region}",
                "arn": f"arn:aws:s3:::reskflow-uploads-{region}",
                "key_arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/1",
            }
        },
        "keys": {"objects": f"arn:aws:kms:{region}:{ACCOUNT}:key/1"},
        "secrets": {"jwt": f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:jwt-abc"},
        "gate_url": f"http://reskflow-production-gate-1a2b.elb.{region}.amazonaws.com:8470/gate",
    }


@pytest.fixture
def document() -> dict[str, Any]:
    """A whole contract, as plain JSON values."""
    promise = {"objective_seconds": 300, "bound_seconds": 60, "bound_class": "enforced"}
    return {
        "version": "1.1",
        "system": "reskflow",
        "environment": "production",
        "stack": "reskflow",
        "account": ACCOUNT,
        "objectives": {"stack": {"rto": {**promise, "objective_seconds": 900}, "rpo": promise, "availability": 99.99}},
        "home": "us-east-1",
        "witness": "us-east-2",
        "sites": {"us-east-1": _site("us-east-1", 10), "us-west-2": _site("us-west-2", 20)},
        "dns": {
            "zone": "reskflow.example.com",
            "zone_id": "Z0123456789",
            "names": {"api": "api.reskflow.example.com"},
            "targets": {"api": {"us-east-1": "api.us-east-1.reskflow.example.com"}},
        },
    }
