"""A plugin serves nobody but the running sandbox: it asks the gateway whether its token is the sandbox's."""

from __future__ import annotations

import http.client
import os
import re

from lifeboat.sandbox.environment import TOKEN_VARIABLE
from lifeboat.sandbox.provider.clients import Clients

ENDPOINT = "AWS_ENDPOINT_URL"
_HINT = "run it as `lifeboat sandbox exec -- COMMAND`"
_TIMEOUT = 5.0


class RefusedError(Exception):
    """This is not the running sandbox's environment; one line says what is missing."""


def admit() -> str:
    """The endpoint of the sandbox that this process's environment belongs to.

    Raises:
        RefusedError: without a token, without a sandbox on loopback, or with another sandbox's token.
    """
    token, endpoint = os.environ.get(TOKEN_VARIABLE), os.environ.get(ENDPOINT, "")
    if not token:
        raise RefusedError(f"{TOKEN_VARIABLE} is not set: this plugin serves the sandbox only, {_HINT}")
    match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/?", endpoint)
    if match is None:
        raise RefusedError(f"{ENDPOINT}: {endpoint or 'not set'}: the sandbox is at http://127.0.0.1:PORT, {_HINT}")
    connection = http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=_TIMEOUT)
    try:
        connection.request("POST", "/_lifeboat/token", headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
    except OSError as fault:
        raise RefusedError(f"{endpoint}: no sandbox answers ({fault.strerror or fault}), {_HINT}") from None
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        raise RefusedError(f"{TOKEN_VARIABLE}: not the running sandbox's token, {_HINT}")
    return endpoint.rstrip("/")


def whoami(endpoint: str, region: str) -> str:
    """The account, as the region's own identity service tells it.

    The real provider asks the same before anything else: with its region dead, it cannot be configured.

    Raises:
        ProviderError: when the region does not answer.
    """
    return str(Clients(endpoint).call("sts", region, "get_caller_identity", {})["Account"])
