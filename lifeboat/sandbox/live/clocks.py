"""Agents' clocks: each reads the system's, and adds the offset that a fault may have given it.

Nobody but root could set a process's clock, and a machine has one for all of its processes. So an agent that is to have
a clock of its own takes an `AgentClock` where it would take `time.time`; the offset comes from a file.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.state import SandboxInputError, write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_AGENT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def agent_of(region: str) -> str:
    """The agent that a region's site is."""
    return f"site-{region}"


def warden_of(region: str) -> str:
    """The agent that a region's warden is."""
    return f"warden-{region}"


class AgentClock:
    """The clock of one agent.

    Args:
        path: Holds the offset in seconds, ahead of the true time when positive; no file: no offset.
        true: The true time, seconds since the epoch.
    """

    def __init__(self, path: Path, true: Callable[[], float] = time.time) -> None:
        self._path = path
        self._true = true

    def __call__(self) -> float:
        """What time the agent thinks it is, seconds since the epoch; each call reads the offset anew."""
        return self._true() + self.offset

    @property
    def offset(self) -> float:
        """Seconds that it is ahead."""
        try:
            return float(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return 0.0


class Clocks:
    """The clocks of a sandbox's agents.

    Args:
        directory: The sandbox's; ``clocks/`` in it holds a file an agent, made when it is needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "clocks"

    def path(self, agent: str) -> Path:
        """The file of an agent's offset, which its process reads.

        Raises:
            SandboxInputError: when that is no agent's name.
        """
        if not _AGENT.fullmatch(agent):
            raise SandboxInputError(f"agent {agent!r}: lower-case letters, digits and hyphens, such as site-us-east-1")
        return self._directory / agent

    def of(self, agent: str) -> AgentClock:
        """An agent's clock."""
        return AgentClock(self.path(agent))

    def set(self, agent: str, offset: float) -> None:
        """Have an agent's clock run `offset` seconds ahead; 0 sets it right."""
        path = self.path(agent)
        if offset:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, f"{offset!r}\n")
        else:
            path.unlink(missing_ok=True)
