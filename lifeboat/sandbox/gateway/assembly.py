"""Puts the gateway together: patched moto behind our middleware, on a free port, warmed while its caller gets ready."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.core.utils import get_service_model
from moto.moto_api._internal.models import moto_api_backend

from lifeboat.sandbox import patches
from lifeboat.sandbox.gateway.application import Application
from lifeboat.sandbox.gateway.control import Control
from lifeboat.sandbox.gateway.server import listen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A gateway that does not serve yet.

    Attributes:
        server: Listens already.
        control: Its own state.
        application: Takes listeners to what is answered.
    """

    server: BaseWSGIServer
    control: Control
    application: Application

    def warm(self) -> None:
        """Load in the background what the first calls will need."""
        threading.Thread(target=_warm, args=(self.application,), daemon=True).start()


def assemble(
    *, token: str, stack: str, calls: Path | None = None, forgot: Callable[[], None] = lambda: None
) -> Assembled:
    """Patch moto and listen.

    Args:
        token: What control calls must present.
        stack: Whom the sandbox is for.
        calls: Takes a line of every call; None: they are kept in memory only.
        forgot: Called when the gateway was told to forget every resource, and did.
    """
    patches.apply()

    def reset() -> None:
        _reset()
        forgot()

    control = Control(token=token, stack=stack, reset=reset, calls=calls)
    application = Application(control)
    return Assembled(server=listen(application), control=control, application=application)


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
