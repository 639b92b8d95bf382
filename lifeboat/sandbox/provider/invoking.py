"""The provider's functions that programs call without a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.sandbox.provider.errors import ProviderError

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.clients import Clients
    from lifeboat.sandbox.provider.values import Values


def invoke(clients: Clients, region: str, account: str, token: str, args: Values) -> Values:
    """Call a function.

    Args:
        clients: Where calls go.
        region: The provider's region; ``region`` in the arguments wins.
        account: Twelve digits.
        token: ``aws:index/getRegion:getRegion``.
        args: Its arguments.

    Raises:
        ProviderError: If the sandbox does not know the function.
    """
    chosen = args.get("region")
    here = chosen if isinstance(chosen, str) and chosen else region
    match token.rsplit(":", 1)[-1]:
        case "getCallerIdentity":
            who = clients.call("sts", here, "get_caller_identity", {})
            return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"], "id": who["Account"]}
        case "getRegion":
            endpoint = f"ec2.{here}.amazonaws.com"
            return {"region": here, "name": here, "id": here, "endpoint": endpoint, "description": here}
        case "getPartition":
            names: Values = {"partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}
            return {"id": "aws", **names}
        case "getAvailabilityZones":
            zones = clients.call("ec2", here, "describe_availability_zones", {})["AvailabilityZones"]
            listed = [zone for zone in zones if isinstance(zone, dict)] if isinstance(zones, list) else []
            found: Values = {
                "names": [zone["ZoneName"] for zone in listed],
                "zoneIds": [zone["ZoneId"] for zone in listed],
            }
            return {"id": here, "groupNames": [here], "region": here, **found}
        case _:
            raise ProviderError(
                "invoke", "NotImplemented", f"{token}: the sandbox does not know this function ({account})"
            )
