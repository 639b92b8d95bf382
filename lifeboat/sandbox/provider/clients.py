"""Clients of the local cloud's APIs, and their operations' shapes."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.sandbox.provider.errors import ProviderError
from lifeboat.sandbox.provider.values import Values, plain

if TYPE_CHECKING:
    from botocore.model import OperationModel

_CONFIG = Config(
    # The gateway is on loopback: what fails twice is down, and a dead region must be noticed at once.
    retries={"max_attempts": 1, "mode": "standard"},
    connect_timeout=2,
    read_timeout=60,
    max_pool_connections=32,
    # Host prefixes and bucket names in host names do not resolve on loopback.
    inject_host_prefix=False,
    s3={"addressing_style": "path"},
    # Our own catalogue is what this checks.
    parameter_validation=True,
)


class Clients:
    """Clients by service and region, made once; safe to share between threads.

    Args:
        endpoint: The gateway's address, ``http://127.0.0.1:4566``.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def call(self, service: str, region: str, operation: str, arguments: Values) -> Values:
        """Call an operation.

        Args:
            service: Client name, ``ec2``.
            region: Region that the request is signed for.
            operation: The client's method, ``create_vpc``.
            arguments: As the API names them.

        Returns:
            The response as plain values, without its metadata.

        Raises:
            ProviderError: If the API refuses, does not answer, or does not know these arguments.
        """
        client = self._client(service, region)
        name: str = client.meta.method_to_api_mapping[operation]
        try:
            answer = plain(getattr(client, operation)(**arguments))
        except ClientError as error:
            details = error.response.get("Error", {})
            raise ProviderError(name, details.get("Code", "Unknown"), details.get("Message", "")) from None
        except BotoCoreError as error:
            code = "InvalidArguments" if "arameter" in type(error).__name__ else "Unreachable"
            raise ProviderError(name, code, str(error)) from None
        return answer if isinstance(answer, dict) else {}

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - clients are generated at run time
        client = self._clients.get((service, region))
        if client is None:
            # Making a client reads and caches models in the session, which is not safe between threads.
            with self._lock:
                client = self._clients.get((service, region)) or _session().create_client(
                    service,  # pyright: ignore[reportCallIssue, reportArgumentType] - a name from data, not a literal
                    region_name=region,
                    endpoint_url=self._endpoint,
                    aws_access_key_id="sandbox",
                    aws_secret_access_key="sandbox",  # noqa: S106 - the local cloud takes any
                    config=_CONFIG,
                )
                self._clients[service, region] = client
        return client


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The shapes of an operation.

    Args:
        service: Client name.
        operation: The client's method, ``create_vpc``.

    Raises:
        KeyError: If the service has no such operation.
    """
    model = _session().get_service_model(service)
    for name in model.operation_names:
        if xform_name(name) == operation:
            return model.operation_model(name)
    raise KeyError(f"{service}: no operation {operation}")


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    # Only what is given counts: no profile, no credentials and no retries from the user's own files.
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    return session
