"""Strongly consistent tables among faults: a replica answers only while it reaches another region of its table.

Of the three regions of such a table two must agree on each write, and on each strongly consistent read. A replica that
is cut off from both others is no help to anybody, whoever reaches it; otherwise a site that is alone would renew its
lease for as long as it is alone. AWS answers with errors and time-outs: here the connection ends.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from lifeboat.sandbox.gateway.calls import read_body
from lifeboat.sandbox.gateway.conditions import Request
from lifeboat.sandbox.patches.dynamodb import voters

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from lifeboat.sandbox.gateway.calls import Call
    from lifeboat.sandbox.gateway.conditions import Conditions

_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"})
_READS: Final = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})


def lacks_quorum(conditions: Conditions, call: Call, environ: WSGIEnvironment) -> bool:
    """Whether a call needs regions to agree that do not reach each other.

    Args:
        conditions: What stands between regions.
        call: Which call it is.
        environ: Its request.
    """
    if call.service != "dynamodb" or call.operation not in _WRITES | _READS:
        return False
    # Most of the time nothing stands anywhere.
    if not conditions.all():
        return False
    tables = _tables(environ, consistent=call.operation in _READS)
    return any(
        others and not any(_reach(conditions, call, other) for other in others)
        for others in (voters(call.region, table) for table in tables)
    )


def _reach(conditions: Conditions, call: Call, other: str) -> bool:
    """Whether the region of a call and another one reach each other, both ways."""
    there = Request(call=replace(call, region=other), caller=call.region)
    back = Request(call=call, caller=other)
    return not conditions.blacked_out(there) and not conditions.blacked_out(back)


def _tables(environ: WSGIEnvironment, *, consistent: bool) -> list[str]:
    """The tables that a request names; of reads only those that are read consistently."""
    try:
        loaded: Any = json.loads(read_body(environ))
    except ValueError:
        return []
    body = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    items: dict[str, Any] = body.get("RequestItems") or {body.get("TableName", ""): body}
    return [
        name
        for name, how in items.items()
        if not consistent or (isinstance(how, dict) and "ConsistentRead" in how and how["ConsistentRead"])
    ]
