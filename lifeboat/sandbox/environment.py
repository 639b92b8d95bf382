"""The variables that point AWS clients and Pulumi at a sandbox, and away from everything else.

Why `pulumi up -s prod` inside reaches no real stack: Pulumi takes its backend from `PULUMI_BACKEND_URL` first, then
from the project's `backend:`, then from a stored login, so no stack but the sandbox's own exists. The credentials are
fake and the endpoint is loopback. What would win over these variables (a profile, a role, an endpoint of one service,
an access token) is taken away.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from lifeboat.sandbox.live.network import DNS_PORT, HTTP_PORT
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifeboat.sandbox.state import Directory, Record

TOKEN_VARIABLE = "LIFEBOAT_SANDBOX_TOKEN"  # noqa: S105  # a name
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
"""AWS's documentation key: no account honours it."""
SECRET_KEY = "sandbox"  # noqa: S105  # fake, and meant to be seen
NAME_SERVER_VARIABLE = "LIFEBOAT_NAME_SERVER"
TIME_SCALE_VARIABLE = "LIFEBOAT_TIME_SCALE"
SITE_URL_VARIABLE = "LIFEBOAT_SITE_URL"
PLAIN_VARIABLE = "LIFEBOAT_PLAIN_TRANSPORT"
"""What recovery honours inside a sandbox, see `lifeboat.recovery.system_ports`."""
PASSPHRASE = "sandbox"  # noqa: S105  # fake, and meant to be seen

_LOOPBACK = "127.0.0.1,localhost"
_REMOVED = (
    # Who else one could be.
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    # Where else the calls could go: this one turns AWS_ENDPOINT_URL off, the others refuse or rewrite it.
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    # Whom else Pulumi could ask.
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_API",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
)
_REMOVED_PREFIX = "AWS_ENDPOINT_URL_"


def variables(directory: Directory, record: Record, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables to set.

    Args:
        directory: the sandbox's `.sandbox/`.
        record: the running sandbox.
        inherited: what they are added to, this process's environment by default; only `NO_PROXY` is extended.
    """
    before = os.environ if inherited is None else inherited
    direct = ",".join(filter(None, (_LOOPBACK, before.get("NO_PROXY") or before.get("no_proxy"))))
    return {
        "AWS_ENDPOINT_URL": record.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        # The CLI and other SDKs read the first, boto3 the second.
        "AWS_REGION": record.home,
        "AWS_DEFAULT_REGION": record.home,
        "AWS_CONFIG_FILE": str(directory.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory.aws_credentials),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "PULUMI_BACKEND_URL": directory.backend.as_uri(),
        # A login made inside stays inside.
        "PULUMI_CREDENTIALS_PATH": str(directory.path),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # An output formatted into a string is a fault, not a name.
        "PULUMI_ERROR_OUTPUT_STRING": "true",
        "NO_PROXY": direct,
        "no_proxy": direct,
        TOKEN_VARIABLE: record.token,
        **(place_variables(record.name_server, record.detection_scale) if record.name_server else {}),
    }


def place_variables(name_server: str, detection_scale: float) -> dict[str, str]:
    """What recovery has to know of a living sandbox.

    Args:
        name_server: The address of one of its name servers, which tells where whoever asks is.
        detection_scale: How many times faster than declared a loss is found.
    """
    return {
        NAME_SERVER_VARIABLE: f"{name_server}:{DNS_PORT}",
        TIME_SCALE_VARIABLE: repr(detection_scale),
        SITE_URL_VARIABLE: f"http://{{host}}:{HTTP_PORT}",
        PLAIN_VARIABLE: "1",
    }


def removed(inherited: Mapping[str, str] | None = None) -> list[str]:
    """The names to unset: what would win over `variables`, with the per-service endpoints that `inherited` has."""
    before = os.environ if inherited is None else inherited
    return [*_REMOVED, *sorted(name for name in before if name.startswith(_REMOVED_PREFIX))]


def shell(directory: Directory, record: Record, inherited: Mapping[str, str] | None = None) -> str:
    """Lines for ``eval "$(lifeboat sandbox env)"`` in any POSIX shell.

    PATH is not among them: plugins of the sandbox must never be found by a shell that outlives it. `exec` adds them.
    """
    lines = [f"unset {' '.join(removed(inherited))}"]
    wanted = variables(directory, record, inherited)
    lines += [f"export {name}={shlex.quote(value)}" for name, value in wanted.items()]
    return "\n".join(lines) + "\n"


def exec_environment(
    directory: Directory, record: Record, inherited: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of ``lifeboat sandbox exec -- CMD``: the inherited one, ours over it, our plugins on PATH."""
    before = dict(os.environ if inherited is None else inherited)
    for name in removed(before):
        before.pop(name, None)
    path = os.pathsep.join(filter(None, (str(directory.bin), before.get("PATH", os.defpath))))
    return {**before, **variables(directory, record, before), "PATH": path}


def write_files(directory: Directory, record: Record) -> None:
    """Write the AWS config and credentials files that stand in for the user's own."""
    write_private(
        directory.aws_config, f"[default]\nregion = {record.home}\ncli_pager =\ns3 =\n  addressing_style = path\n"
    )
    write_private(
        directory.aws_credentials,
        f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n",
    )
