"""Which AWS call a request is: service, region, operation, plane; and who makes it."""

from __future__ import annotations

import functools
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from botocore.session import Session
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]  # typed, but not marked so
    DomainDispatcherApplication,
    create_backend_app,
)
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends
from werkzeug.exceptions import NotFound

from lifeboat.sandbox.gateway.planes import Plane, plane_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_APPLICATION = re.compile(r"\bapp/([a-z]{2}(?:-[a-z]+)+-\d)(?:\s|$)")

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

_BUCKET_HOST = ".localhost"
_FORM = "application/x-www-form-urlencoded"
UNSIGNED = "unsigned"
UNKNOWN_OPERATION = "Unknown"


@dataclass(frozen=True)
class Call:
    """One AWS call, as far as its request tells."""

    service: str
    """The SDK's name of the service; ``unsigned`` without a signature."""
    region: str
    """The region that must answer: of a global service its control plane's, of a bucket its own."""
    operation: str
    known: bool
    """Whether moto has this service at all."""

    @property
    def plane(self) -> Plane:
        """The plane that must answer."""
        return plane_of(self.service, self.operation)


@dataclass(frozen=True)
class Caller:
    """Who makes a call.

    Every SDK tells an application ID in its User-Agent (variable ``AWS_SDK_UA_APP_ID``, setting ``sdk_ua_app_id``):
    one that is a region's name says that the caller is in that region, and a partition then parts it from the others.
    """

    access_key: str
    """The access key's ID; empty without a signature."""
    principal: str
    """The name of the role session that the key is of, else the access key's ID."""
    region: str
    """The region that it says it is in; empty when it says none."""


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
    if package is None:
        return None
    # moto's own name of the package, which a word of Python's may not have.
    return _sdk_names().get(package, str(package)).removeprefix("aws")


@functools.cache
def _sdk_names() -> dict[str, str]:
    """The SDK's names by moto's packages, which have no hyphen. moto's own lookup lists 400 directories each time."""
    return {name.replace("-", ""): name for name in Session().get_available_services()}


def read_body(environ: WSGIEnvironment) -> bytes:
    """The request's body, which stays readable for whoever comes next."""
    stream = environ["wsgi.input"]
    body: bytes = stream.getvalue() if isinstance(stream, io.BytesIO) else stream.read()
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def scope(environ: WSGIEnvironment) -> tuple[str, str]:
    """Service and region that a request is signed for."""
    match = _credential(environ)
    if match is None:
        return UNSIGNED, "us-east-1"
    _, region, service = match.groups()
    return service.lower(), CONTROL_PLANES.get(service.lower(), region)


def identify_caller(environ: WSGIEnvironment) -> Caller:
    """Tell who makes a request."""
    match = _credential(environ)
    access_key = "" if match is None else match.group(1)
    application = _APPLICATION.search(environ.get("HTTP_USER_AGENT", ""))
    return Caller(access_key, _principal(access_key), "" if application is None else application.group(1))


def parameter_names(environ: WSGIEnvironment) -> frozenset[str]:
    """Names of the parameters of a request in the query protocol; none in any other."""
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM):
        return frozenset()
    return frozenset(part.partition(b"=")[0].decode(errors="replace") for part in read_body(environ).split(b"&"))


def _principal(access_key: str) -> str:
    # Keys of a role session begin so; any other is a user's own.
    if access_key.startswith("ASIA"):
        for account in list(sts_backends.values()):
            for backend in list(account.values()):
                role = backend.get_assumed_role_from_access_key(access_key)
                if role is not None:
                    return str(role.session_name)
    return access_key


def _credential(environ: WSGIEnvironment) -> re.Match[str] | None:
    """The credential's scope; presigned URLs carry it in the query."""
    match = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None and "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        credential = parse_qs(environ["QUERY_STRING"]).get("X-Amz-Credential", [""])[0]
        match = _SCOPE.search(f"Credential={credential}")
    return match


def identify(environ: WSGIEnvironment) -> Call:
    """Tell which call a request is."""
    signing_name, region = scope(environ)
    name = sdk_name(signing_name) if signing_name != UNSIGNED else UNSIGNED
    if name == "s3" and environ["PATH_INFO"].startswith("/v20180820/"):
        name = "s3control"
    service = name or signing_name
    if service == "s3":
        region = _bucket_region(environ) or region
    return Call(service, region, _operation(environ, service), known=name is not None)


def _bucket_region(environ: WSGIEnvironment) -> str | None:
    """Where the bucket is that a request names; None when there is none: AWS sends whoever asks elsewhere on to it."""
    host: str = environ.get("HTTP_HOST", "").partition(":")[0]
    path: str = environ["PATH_INFO"]
    name = host.removesuffix(_BUCKET_HOST) if host.endswith(_BUCKET_HOST) else path.split("/")[1]
    for account in list(s3_backends.values()):
        for backend in list(account.values()):
            bucket = backend.buckets.get(name)
            if bucket is not None:
                return str(bucket.region_name)
    return None


def _operation(environ: WSGIEnvironment, service: str) -> str:
    target: str | None = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith(_FORM):
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
