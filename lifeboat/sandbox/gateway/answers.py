"""Refusals in the shape that the caller's SDK reads as an error of the service, so that it raises at once instead of retrying."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import UnknownServiceError
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

JSON = "application/json"
NOT_IMPLEMENTED = "NotImplemented"


class RefusalError(ServiceException):
    """A refusal of our own: moto looks for the error's shape in the service that the exception's module belongs to, then in none."""


def send(start_response: StartResponse, status: int, content_type: str, body: bytes) -> list[bytes]:
    """Answer with one body."""
    line = f"{status} {HTTPStatus(status).phrase}"
    start_response(line, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def send_json(start_response: StartResponse, status: int, document: object) -> list[bytes]:
    """Answer with a JSON document."""
    return send(start_response, status, JSON, json.dumps(document).encode())


def send_error(  # noqa: PLR0913  # the parts of one error
    environ: WSGIEnvironment, start_response: StartResponse, service: str, status: int, code: str, message: str
) -> Iterable[bytes]:
    """Answer with an error in `service`'s own protocol; `service` is a signing name, known to the SDK or not."""
    headers, body = _serialize(environ, service, code, message)
    start_response(
        f"{status} {HTTPStatus(status).phrase}",
        [*((name, value) for name, value in headers.items() if name.lower() != "content-length"), ("Content-Length", str(len(body)))],
    )
    return [body]


def _serialize(environ: WSGIEnvironment, service: str, code: str, message: str) -> tuple[dict[str, str], bytes]:
    try:
        model = get_service_model(service)
    except UnknownServiceError:
        # Signed under another name than the SDK's own: the services that moto does not know at all speak JSON over REST.
        return {"Content-Type": JSON, "x-amzn-ErrorType": code}, json.dumps({"message": message, "code": code}).encode()
    try:
        protocol = determine_request_protocol(model, environ.get("CONTENT_TYPE", ""))
    except NotImplementedError:
        # A body of a type that the service does not speak, such as a form for S3: its first protocol will do.
        protocol = determine_request_protocol(model, "")
    serializer = get_serializer_class(model.service_name, protocol)(operation_model=OperationModel({}, model))
    answer: Any = serializer.serialize(RefusalError(code, message))
    body: str | bytes = answer["body"]
    headers = {str(name): str(value) for name, value in answer["headers"].items()}
    return headers, body.encode() if isinstance(body, str) else body
