"""The names of a living sandbox: starts and ends its name server, and tells it what every name means."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import dnslib  # pyright: ignore[reportMissingTypeStubs]  # it has none

from lifeboat.sandbox.environment import TOKEN_VARIABLE
from lifeboat.sandbox.live import routing_state
from lifeboat.sandbox.live.health import EVALUATION
from lifeboat.sandbox.live.nameserver import POLL, PUBLISH
from lifeboat.sandbox.live.network import DNS_PORT, HTTP_PORT
from lifeboat.sandbox.live.processes import Server, environment
from lifeboat.sandbox.live.routing_table import Rcode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self
    from wsgiref.types import WSGIEnvironment

    from lifeboat.sandbox.gateway.control import Control
    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes
    from lifeboat.sandbox.live.routing_state import Outside

_DNS: Final = cast("Any", dnslib)
SERVER: Final = "nameserver"
"""The process's name."""
_QUESTION: Final = "lifeboat.invalid"
_PATIENCE: Final = 1.0
_OFTEN: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often the name server looks, in seconds.

    Attributes:
        evaluation: Between two looks at an alarm's metric; CloudWatch's own pace is the default.
        probe_interval: Between two probes of an endpoint; None for each health check's own, of which Route 53's
            shortest is 10.
        poll: Until a change is seen without `Names.refresh`.
        publish: Between two reports when nothing changes.
        scale: How many times faster detection is than declared: divides TTLs, and intervals of checks and alarms.
    """

    evaluation: float = EVALUATION
    probe_interval: float | None = None
    poll: float = POLL
    publish: float = PUBLISH
    scale: float = 1.0

    @classmethod
    def scaled(cls, scale: float) -> Self:
        """Everything so many times faster; looks at the gateway as often as it bears."""
        return cls(evaluation=EVALUATION / scale, poll=max(_OFTEN, POLL / scale), publish=PUBLISH / scale, scale=scale)


class Names:
    """The name server, seen from the gateway.

    Args:
        processes: Starts and ends it.
        network: Has its address.
        control: Where it fetches what it answers from, and posts what it found.
        directory: Its working directory.
        account: The AWS account, 12 digits.
        gateway: The gateway's URL.
        token: The sandbox's token.
        outside: Tells what moto does not know: host names and sites.
        pace: How often it looks at what.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        *,
        processes: Processes,
        network: Network,
        control: Control,
        directory: Path,
        account: str,
        gateway: str,
        token: str,
        outside: Callable[[], Outside],
        pace: Pace | None = None,
    ) -> None:
        self._processes = processes
        self._network = network
        self._control = control
        self._account = account
        self._outside = outside
        pace = self._pace = pace or Pace()
        arguments = {
            "address": network.name_server,
            "gateway": gateway,
            "evaluation": pace.evaluation,
            "probe-interval": pace.probe_interval,
            "poll": pace.poll,
            "publish": pace.publish,
            "site-port": HTTP_PORT,
        }
        self._server = Server(
            name=SERVER,
            argv=[
                *(sys.executable, "-m", "lifeboat.sandbox.live.nameserver"),
                *(f"--{name}={value}" for name, value in arguments.items() if value is not None),
            ],
            cwd=directory,
            env={**environment(), TOKEN_VARIABLE: token},
        )
        control.route("GET", "routing", self._snapshot)
        control.route("POST", "health-status", self._findings)

    @property
    def address(self) -> tuple[str, int]:
        """Where it answers, over UDP and TCP."""
        return self._network.name_server, DNS_PORT

    def start(self) -> None:
        """Start it; it answers once the gateway does.

        Raises:
            SandboxError: when it runs already, or cannot be started.
        """
        self._processes.start(self._server)

    def stop(self) -> None:
        """End it."""
        self._processes.stop(SERVER)

    def refresh(self) -> None:
        """Have it fetch zones and host names now."""
        self._processes.send(SERVER, signal.SIGUSR1)

    def answers(self) -> bool:
        """Whether it knows its zones and answers."""
        question = _DNS.DNSRecord.question(_QUESTION)
        try:
            reply = _DNS.DNSRecord.parse(question.send(*self.address, timeout=_PATIENCE))
        except (OSError, _DNS.DNSError):
            return False
        return int(reply.header.rcode) == Rcode.REFUSED

    def _snapshot(self, _environ: WSGIEnvironment) -> object:
        return routing_state.snapshot(
            self._account, self._outside(), now=time.time(), lost=self._control.lost, scale=self._pace.scale
        ).model_dump(mode="json")

    def _findings(self, environ: WSGIEnvironment) -> object:
        routing_state.apply_findings(self._account, routing_state.report(environ), self._control.lost)
        return {"status": "ok"}
