"""What servers need to be tried for real: a directory that any account may enter, addresses, a keeper."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lifeboat.sandbox import patches
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.network import Network
from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Passwords, Place
from lifeboat.sandbox.live.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.live.account import Account


class Farm:
    """One keeper with its network, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.network = Network.claim()
        self.account: Account | None = lent_account()
        self.ended: list[str] = []
        self.processes = Processes(directory, on_end=lambda name, _code: self.ended.append(name))

    def postgres(self, name: str) -> Postgres:
        """A server of this name, which is not made so far; all of a farm have the same passwords."""
        place = Place(
            name=name,
            directory=self.directory / "data" / name,
            address=self.network.address(name),
            archive=self.directory / "wal" / name,
            passwords=Passwords.kept_in(self.directory / "passwords.json"),
            account=self.account,
        )
        return Postgres(place, self.processes)

    def close(self) -> None:
        self.processes.close()
        self.network.close()


@contextlib.contextmanager
def farm() -> Iterator[Farm]:
    """A farm, closed and forgotten in the end."""
    # Not pytest's directory, which only its user may enter: root's servers run as somebody else.
    directory = Path(tempfile.mkdtemp(prefix="lifeboat-farm-"))
    directory.chmod(0o711)
    made = Farm(directory)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(directory)


@functools.cache
def patch_moto() -> None:
    """Patch moto in this process; a second time would be refused."""
    patches.apply()
