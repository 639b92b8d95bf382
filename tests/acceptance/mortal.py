"""`python mortal.py DIRECTORY cli|unattended ARGUMENTS...`: a program of ours that dies at one of its external calls.

Every call counts that leaves the process: to AWS's APIs (the lease's and the journal's among them), to databases and
caches, to sites and name servers. ``DIRECTORY/death.json`` says at which one it dies, by SIGKILL, before it is made or
after it was answered, and whether the process that began it (a warden) dies along; that file is removed first, so that
whoever goes on lives. Without one, the calls of a program that ends are counted in ``DIRECTORY/calls``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import redis
from botocore.client import BaseClient

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Death:
    """When it comes."""

    directory: Path
    at: int = 0
    """The call's number, from 1; 0 for none."""
    after: bool = False
    parent: bool = False
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def told_in(cls, directory: Path) -> Death:
        try:
            told = json.loads((directory / "death.json").read_text())
        except FileNotFoundError:
            return cls(directory)
        return cls(directory, **told)

    def around(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """A method that counts as an external call."""

        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the method takes and gives
            with self.lock:
                self.calls += 1
                number = self.calls
            if number == self.at and not self.after:
                self.die(action)
            answer = action(*arguments, **named)
            if number == self.at:
                self.die(action)
            return answer

        return call

    def die(self, action: Callable[..., Any]) -> None:
        with self.lock:
            # Nobody else comes past this.
            (self.directory / "death.json").unlink()
            (self.directory / "died").write_text(f"{action.__qualname__}\n")
            if self.parent:
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()


def main() -> None:
    """Run the program, mortal."""
    directory, program = Path(sys.argv[1]), sys.argv[2]
    death = Death.told_in(directory)
    from lifeboat.recovery.system_ports import SystemPorts  # noqa: PLC0415 - a program's start is not what is tested

    for owner, name in (
        (BaseClient, "_make_api_call"),
        (psycopg.Connection, "execute"),
        (redis.Redis, "execute_command"),
        (SystemPorts, "http"),
        (SystemPorts, "resolve"),
    ):
        setattr(owner, name, death.around(getattr(owner, name)))
    try:
        if program == "cli":
            from lifeboat.cli import main as cli  # noqa: PLC0415 - the same

            sys.argv = ["lifeboat", *sys.argv[3:]]
            cli.main()
        else:
            from lifeboat.recovery import unattended  # noqa: PLC0415 - the same

            sys.exit(unattended.main(sys.argv[3:]))
    finally:
        (directory / "calls").write_text(str(death.calls))


if __name__ == "__main__":
    main()
