"""How AWS refuses calls of each service: too many, its own fault, expired credentials, no machine.

Codes are those that the SDKs know: their retry rules go by them.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.utils import get_service_model

from lifeboat.sandbox.gateway.answers import RefusalError

if TYPE_CHECKING:
    from lifeboat.sandbox.gateway.calls import Call

_Answer = tuple[str, int]
"""Error code and HTTP status."""

_THROTTLED: Final[dict[str, _Answer]] = {
    "s3": ("SlowDown", 503),
    "ec2": ("RequestLimitExceeded", 503),
    "lambda": ("TooManyRequestsException", 429),
    "sqs": ("RequestThrottled", 400),
    "query": ("Throttling", 400),
    "rest-xml": ("Throttling", 400),
    "rest-json": ("ThrottlingException", 429),
    "json": ("ThrottlingException", 400),
}
_FAILED: Final[dict[str, _Answer]] = {
    "s3": ("InternalError", 500),
    "ec2": ("InternalError", 500),
    "dynamodb": ("InternalServerError", 500),
    "json": ("InternalFailure", 500),
}
_UNAVAILABLE: Final[dict[str, _Answer]] = {"ec2": ("Unavailable", 503), "json": ("ServiceUnavailable", 503)}
_EXPIRED: Final[dict[str, _Answer]] = {
    "s3": ("ExpiredToken", 400),
    "ec2": ("RequestExpired", 400),
    "query": ("ExpiredToken", 403),
    "rest-xml": ("ExpiredToken", 403),
    "rest-json": ("ExpiredTokenException", 403),
    "json": ("ExpiredTokenException", 400),
}
_INSTANCES: Final = ("InsufficientInstanceCapacity", 500)
_EC2_MACHINES: Final = frozenset({"RunInstances", "StartInstances", "CreateFleet", "CreateCapacityReservation"})
_INSUFFICIENT: Final = re.compile(r"Insufficient.*Capacity")
_TAKES_A_MACHINE: Final = re.compile(r"(Create|Restore|Start|Increase)\w+|ModifyReplicationGroupShardConfiguration")
_RESIZED_BY: Final = frozenset({"DBInstanceClass", "DBClusterInstanceClass", "CacheNodeType", "NumCacheNodes"})
"""Parameters that make a modification one of size; a smaller size needs another machine as well."""

# moto remarks on every error whose code the service's model does not name, and models name few of these.
COMMON_ERROR_CODES.extend(
    sorted({code for table in (_THROTTLED, _FAILED, _UNAVAILABLE, _EXPIRED) for code, _ in table.values()})
)
COMMON_ERROR_CODES.append(_INSTANCES[0])


def throttled(call: Call) -> RefusalError:
    """Too many calls."""
    return _refusal(_THROTTLED, call, "Rate exceeded")


def failed(call: Call, *, unavailable: bool) -> RefusalError:
    """A fault of the service's own: it is unavailable, or failed inside."""
    if unavailable:
        return _refusal(_UNAVAILABLE, call, "The service is unavailable. Please try again shortly.")
    return _refusal(_FAILED, call, "The request processing has failed because of an unknown error.")


def expired(call: Call) -> RefusalError:
    """The credentials have expired."""
    return _refusal(_EXPIRED, call, "The security token included in the request is expired")


def capacity(call: Call, parameters: frozenset[str]) -> RefusalError | None:
    """No machine for what the call makes; None when it makes none.

    Which operations may be refused so, and with which error, the SDK's model of the service says. A modification counts
    when it names a size.

    Args:
        call: Which call it is.
        parameters: Names of its parameters.
    """
    if call.service == "ec2":
        answer = _INSTANCES if call.operation in _EC2_MACHINES else None
    else:
        named = bool(_RESIZED_BY & parameters)
        answer = _modelled(call) if named or _TAKES_A_MACHINE.fullmatch(call.operation) else None
    if answer is None:
        return None
    code, status = answer
    return RefusalError(code, f"There is not enough capacity in {call.region} for what {call.operation} asks.", status)


def _modelled(call: Call) -> _Answer | None:
    try:
        shapes = get_service_model(call.service).operation_model(call.operation).error_shapes
    except (UnknownServiceError, OperationNotFoundError):
        return None
    for shape in shapes:
        if _INSUFFICIENT.match(shape.name):
            error: dict[str, Any] = shape.metadata.get("error", {})
            return str(error.get("code", shape.name)), int(error.get("httpStatusCode", HTTPStatus.BAD_REQUEST))
    return None


def _refusal(table: dict[str, _Answer], call: Call, message: str) -> RefusalError:
    code, status = table.get(call.service) or table.get(_protocol(call.service)) or table["json"]
    return RefusalError(code, message, status)


def _protocol(service: str) -> str:
    try:
        return str(get_service_model(service).protocol)
    except UnknownServiceError:
        return "json"
