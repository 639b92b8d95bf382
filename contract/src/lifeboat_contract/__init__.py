"""Reads what a Lifeboat platform promises: endpoints, keys and objectives, per site.

    reference = pulumi.StackReference("organization/lifeboat/reskflow")
    orders = lifeboat_contract.view(lifeboat_contract.read(reference)).site("us-east-1").databases["orders"]
    host, port = orders.writer_endpoint, orders.port

See the package's README for the copy that stays readable when the state backend is not.
"""

from lifeboat_contract.errors import ContractError
from lifeboat_contract.models import (
    VERSION,
    Bucket,
    Cache,
    Contract,
    Database,
    Dns,
    Network,
    Objectives,
    Promise,
    Site,
)
from lifeboat_contract.reading import parse, read, read_document
from lifeboat_contract.views import ContractView, view

__all__ = [
    "VERSION",
    "Bucket",
    "Cache",
    "Contract",
    "ContractError",
    "ContractView",
    "Database",
    "Dns",
    "Network",
    "Objectives",
    "Promise",
    "Site",
    "parse",
    "read",
    "read_document",
    "view",
]
