"""Puts the gateway together: patched moto behind our middleware, on a free port, warmed while its caller gets ready."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from moto.core.utils import get_service_model
from moto.moto_api._internal.models import moto_api_backend

from lifeboat.sandbox import patches
from lifeboat.sandbox.gateway.application import Application
from lifeboat.sandbox.gateway.control import Control
from lifeboat.sandbox.gateway.server import listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.serving import BaseWSGIServer

_log = logging.getLogger(__name__)

# What a stack's first seconds ask for, in that order. Any other service is loaded by its first call.
_WARMED = (
    *("sts", "iam", "kms", "ec2", "s3", "logs", "rds", "elasticache"),
    *("secretsmanager", "route53", "cloudwatch", "sns", "ssm"),
)
_SIGNING = {"cloudwatch": "monitoring"}
_WALKS = 20
"""More than there are services to load at any one time."""


def assemble(*, token: str, stack: str) -> tuple[BaseWSGIServer, Callable[[], None]]:
    """Patch moto and listen.

    Returns:
        The server, not yet serving, and a function that loads in the background what the first calls will need.
    """
    patches.apply()
    application = Application(Control(token=token, stack=stack, reset=_reset))
    return listen(application), lambda: threading.Thread(target=_warm, args=(application,), daemon=True).start()


def _reset() -> None:
    """Forget every resource.

    moto walks a table that grows when a service is first called, or warmed, meanwhile: then it walks again.
    """
    for _ in range(_WALKS):
        try:
            moto_api_backend.reset()
        except RuntimeError:
            continue
        return
    moto_api_backend.reset()


def _warm(application: Application) -> None:
    for service in _WARMED:
        scope = f"AWS4-HMAC-SHA256 Credential=warm/20250101/us-east-1/{_SIGNING.get(service, service)}/aws4_request"
        application.dispatcher.get_application(
            {"HTTP_AUTHORIZATION": scope, "PATH_INFO": "/", "HTTP_HOST": "127.0.0.1"}
        )
        get_service_model(service)
