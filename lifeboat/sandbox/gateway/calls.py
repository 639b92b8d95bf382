"""Which AWS call a request is: service, region, operation; and how often each was made."""

from __future__ import annotations

import functools
import io
import re
from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import service_name_from_moto_package_name
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]  # typed, but not marked so
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")

# A client of a global service with an endpoint of its own signs for whatever region it was made for,
# but the control plane it asks for lives here.
CONTROL_PLANES = {
    "iam": "us-east-1",
    "route53": "us-east-1",
    "route53domains": "us-east-1",
    "cloudfront": "us-east-1",
    "organizations": "us-east-1",
    "budgets": "us-east-1",
    "route53-recovery-control-config": "us-west-2",
    "route53-recovery-readiness": "us-west-2",
    "globalaccelerator": "us-west-2",
}

UNSIGNED = "unsigned"
UNKNOWN_OPERATION = "Unknown"


@dataclass(frozen=True)
class Call:
    """One AWS call, as far as its request tells."""

    service: str
    """The SDK's name of the service; ``unsigned`` without a signature."""
    region: str
    """The region whose control plane must answer."""
    operation: str
    known: bool
    """Whether moto has this service at all."""


@functools.cache
def sdk_name(signing_name: str) -> str | None:
    """The SDK's name of what signs as `signing_name`, ``cloudwatch`` for ``monitoring``; None when moto lacks it."""
    dispatcher = DomainDispatcherApplication(create_backend_app)
    probe = {
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=name/20250101/us-east-1/{signing_name}/aws4_request",
        "HTTP_X_AMZ_TARGET": "DynamoDB_20120810.Name",
        "HTTP_HOST": "127.0.0.1",
        "PATH_INFO": "/",
    }
    package = dispatcher.get_backend_for_host(dispatcher.infer_service_region_host(probe, "/"))
    return None if package is None else service_name_from_moto_package_name(package)


def read_body(environ: WSGIEnvironment) -> bytes:
    """The request's body, which stays readable for whoever comes next."""
    stream = environ["wsgi.input"]
    body: bytes = stream.getvalue() if isinstance(stream, io.BytesIO) else stream.read()
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def scope(environ: WSGIEnvironment) -> tuple[str, str]:
    """Service and region that a request is signed for; presigned URLs carry them in the query."""
    match = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None and "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        credential = parse_qs(environ["QUERY_STRING"]).get("X-Amz-Credential", [""])[0]
        match = _SCOPE.search(f"Credential={credential}")
    if match is None:
        return UNSIGNED, "us-east-1"
    region, service = match.groups()
    return service.lower(), CONTROL_PLANES.get(service.lower(), region)


def identify(environ: WSGIEnvironment) -> Call:
    """Tell which call a request is."""
    signing_name, region = scope(environ)
    name = sdk_name(signing_name) if signing_name != UNSIGNED else UNSIGNED
    if name == "s3" and environ["PATH_INFO"].startswith("/v20180820/"):
        name = "s3control"
    service = name or signing_name
    return Call(service, region, _operation(environ, service), known=name is not None)


def _operation(environ: WSGIEnvironment, service: str) -> str:
    target: str | None = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        for part in read_body(environ).split(b"&"):
            name, _, value = part.partition(b"=")
            if name == b"Action":
                return value.decode()
    path: str = environ.get("PATH_INFO", "")
    if "/operation/" in path:
        return path.rpartition("/operation/")[2]
    try:
        operation, _ = get_service_router(service).match(Request(dict(environ)))
    except (NotFound, NotImplementedError, UnknownServiceError):
        return UNKNOWN_OPERATION
    return str(operation.name)


class Ledger:
    """Counts calls by service, operation, region and answer; several threads write it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._lock = Lock()

    def add(self, call: Call, answer: str) -> None:
        """Count one call; `answer` is an HTTP status or ``lost``."""
        with self._lock:
            self._counts[call.service, call.operation, call.region, answer] += 1

    def rows(self) -> list[dict[str, Any]]:
        """Every count, as `service`, `operation`, `region`, `answer`, `count`; sorted."""
        with self._lock:
            counted = sorted(self._counts.items())
        return [
            {"service": service, "operation": operation, "region": region, "answer": answer, "count": count}
            for (service, operation, region, answer), count in counted
        ]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
