"""A sandbox that is its API alone: faults change what calls meet, and find nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from lifeboat.sandbox.live import fault_endpoints
from lifeboat.sandbox.live.clocks import Clocks
from lifeboat.sandbox.live.faults import Faults
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any, NoReturn

    from lifeboat.sandbox.gateway.calls import Call
    from lifeboat.sandbox.gateway.conditions import Conditions
    from lifeboat.sandbox.gateway.control import Control


class NoServers:
    """A family of servers that has none."""

    def keys(self, region: str) -> Sequence[str]:  # noqa: ARG002 - the same for every region
        """None."""
        return []

    def hold(self, key: str) -> None:
        """Refuse: there is no such server."""
        _refuse(key)

    def release(self, key: str) -> None:
        """Nothing is held."""

    def freeze(self, key: str) -> None:
        """Refuse: there is no such server."""
        _refuse(key)

    def thaw(self, key: str) -> None:
        """Nothing is frozen."""

    def source_region(self, key: str) -> str | None:
        """Refuse: there is no such server."""
        _refuse(key)

    def directory(self, key: str) -> Path:
        """Refuse: there is no such server."""
        _refuse(key)

    def pids(self, key: str) -> Sequence[int]:  # noqa: ARG002 - the same for every key
        """None."""
        return []

    def connect(self, key: str, dbname: str) -> Any:  # noqa: ANN401, ARG002 - never returns
        """Refuse: there is no such server."""
        _refuse(key)

    def limit(self, region: str, per_second: float | None) -> None:
        """No site has a limit; refuse to set one."""
        if per_second is not None:
            _refuse(region)


class BareWorld:
    """The sandbox's API, in every region that AWS has.

    Args:
        directory: The sandbox's own.
        conditions: What API calls meet.
    """

    def __init__(self, directory: Path, conditions: Conditions) -> None:
        self.directory = directory
        self.conditions = conditions
        self.regions: Sequence[str] = boto3.Session().get_available_regions("ec2")
        self.databases = NoServers()
        self.caches = NoServers()
        self.sites = NoServers()
        self.wardens = NoServers()
        self.links = None
        self.clocks = Clocks(directory)


class Apis:
    """What is behind the APIs of a sandbox without servers: their faults.

    Args:
        directory: The sandbox's own.
        control: The gateway's control channel.
    """

    def __init__(self, directory: Path, control: Control) -> None:
        self._faults = Faults(BareWorld(directory, control.conditions))
        fault_endpoints.serve(control, self._faults)
        self.name_server = ""
        """There is none."""

    def start(self) -> None:
        """Keep to the schedule of faults from now on."""
        self._faults.start()

    def stop(self) -> None:
        """Keep to it no longer."""
        self._faults.stop()

    def forget(self) -> None:
        """Follow a gateway that forgot every resource."""
        self._faults.clear()

    def answered(self, call: Call, status: str) -> None:
        """Nothing plays what the APIs say."""


def _refuse(key: str) -> NoReturn:
    raise SandboxError(f"{key}: this sandbox has no servers")
