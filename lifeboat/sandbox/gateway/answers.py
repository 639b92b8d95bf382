"""Refusals that the caller's SDK reads as an error of the service, so that it raises at once instead of retrying."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import UnknownServiceError
from moto.core.errors import COMMON_ERROR_CODES
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
INTERNAL_FAILURE = "InternalFailure"
# moto remarks on every error whose code the service's model does not name; these two are of no service.
COMMON_ERROR_CODES.extend([NOT_IMPLEMENTED, INTERNAL_FAILURE])


class RefusalError(ServiceException):
    """A refusal of our own, with the HTTP status that it is answered with."""

    def __init__(self, code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(code, message)
        self.status = int(status)


def send(start_response: StartResponse, status: int, content_type: str, body: bytes) -> list[bytes]:
    """Answer with one body."""
    line = f"{status} {HTTPStatus(status).phrase}"
    start_response(line, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def send_json(start_response: StartResponse, status: int, document: object) -> list[bytes]:
    """Answer with a JSON document."""
    return send(start_response, status, JSON, json.dumps(document).encode())


def send_error(
    environ: WSGIEnvironment, start_response: StartResponse, service: str, error: RefusalError
) -> Iterable[bytes]:
    """Answer with an error in the protocol of `service`, whose name the SDK may not know."""
    headers, body = _serialize(environ, service, error)
    start_response(
        f"{error.status} {HTTPStatus(error.status).phrase}",
        [
            *((name, value) for name, value in headers.items() if name.lower() != "content-length"),
            ("Content-Length", str(len(body))),
        ],
    )
    return [body]


def _serialize(environ: WSGIEnvironment, service: str, error: RefusalError) -> tuple[dict[str, str], bytes]:
    try:
        model = get_service_model(service)
    except UnknownServiceError:
        # Signed under another name than the SDK's own. Services that moto does not know at all speak JSON over REST.
        return {"Content-Type": JSON, "x-amzn-ErrorType": error.code}, json.dumps(
            {"message": error.message, "code": error.code}
        ).encode()
    try:
        protocol = determine_request_protocol(model, environ.get("CONTENT_TYPE", ""))
    except NotImplementedError:
        # A body of a type that the service does not speak, such as a form for S3: its first protocol will do.
        protocol = determine_request_protocol(model, "")
    serializer = get_serializer_class(model.service_name, protocol)(operation_model=OperationModel({}, model))
    answer: Any = serializer.serialize(error)
    body: str | bytes = answer["body"]
    headers = {str(name): str(value) for name, value in answer["headers"].items()}
    return headers, body.encode() if isinstance(body, str) else body
