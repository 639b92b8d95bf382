"""The sandbox's databases: real PostgreSQL for what moto's RDS says, brought along whenever that changes.

Invariants:
1. Whoever was told that something is under way sees it so: statuses change on the caller's thread, in `notify`.
2. Servers are touched by one thread, and by whoever injects a fault, never by both at once.
3. What a fault holds down stays down; any other server that ends is started again with its data.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from lifeboat.sandbox.live import databases_backups, databases_model, databases_moves, databases_units
from lifeboat.sandbox.live.databases_backups import Backups
from lifeboat.sandbox.live.databases_snapshots import Snapshots
from lifeboat.sandbox.live.databases_units import Change, Tender, Unit
from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Passwords, Place, own_directory
from lifeboat.sandbox.patches.rds_live import NOTING
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import psycopg

    from lifeboat.sandbox.live.account import Account
    from lifeboat.sandbox.live.databases_model import Wanted
    from lifeboat.sandbox.live.databases_moves import Move
    from lifeboat.sandbox.live.links import Links
    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes

_log = logging.getLogger(__name__)

_TICK: Final = 1.0
"""Seconds between looks when nobody calls; what waits for a source or a link is seen then."""
_HURRY: Final = 0.1
"""Seconds between looks while something is not as it should be."""


class Databases:
    """Every database of the sandbox.

    Args:
        directory: The sandbox's; takes ``data/rds`` and ``data/rds-backups``.
        network: Gives addresses.
        processes: Starts servers.
        account: Whom they run as; None for the gateway's own user.
        seconds: How long an operation of AWS's takes here [s], drawn anew each time; 0 when effects are instant.
        links: Ways between regions.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the world's parts, each needed
        self,
        directory: Path,
        network: Network,
        processes: Processes,
        account: Account | None,
        seconds: Callable[[str], float],
        links: Links,
    ) -> None:
        self._data = directory / "data"
        own_directory(self._data / "rds", account)
        self._network = network
        self._processes = processes
        self._account = account
        self._seconds = seconds
        self._passwords = Passwords.kept_in(directory / "database-passwords.json")
        self._backups = Backups(self._data / "rds-backups", account)
        self._units: dict[str, Unit] = {}
        self._gone: list[Unit] = []
        self._moves: list[Move] = []
        self._snapshots = Snapshots(self._backups, seconds)
        self._names: dict[str, str] = {}
        self._tender = Tender(self._units, self._backups, links)
        self._marking = threading.RLock()
        self._touching = threading.RLock()
        self._changed = threading.Event()
        self._looked = threading.Condition()
        self._looks = 0
        self._closing = False
        self._worker = threading.Thread(target=self._work, name="databases", daemon=True)

    @property
    def names(self) -> Mapping[str, str]:
        """Addresses by the host names that AWS gives."""
        return self._names

    @property
    def servers(self) -> Mapping[str, Unit]:
        """Databases by key: ``<region>/db/<identifier>`` or ``<region>/cluster/<identifier>``."""
        return dict(self._units)

    def start(self) -> None:
        """Begin to look after them."""
        self._worker.start()

    def close(self) -> None:
        """Stop looking after them, and end them politely."""
        self._closing = True
        self._changed.set()
        if self._worker.is_alive():
            self._worker.join()
        # Replicas last: they receive what is left.
        for unit in sorted(self._units.values(), key=lambda unit: unit.role == "replica"):
            unit.server.thaw()
            unit.server.stop()

    def notify(self) -> None:
        """Take note of a call that may have changed something, before it is answered."""
        self._mark()
        self._changed.set()

    def ended(self, name: str, code: int) -> None:
        """Take note of a process that ended: `name` is any process's, `code` negative for a signal."""
        _log.info("%s ended with %d", name, code)
        self._changed.set()

    def settle(self, deadline: float) -> None:
        """Wait until everything is as moto says.

        Raises:
            SandboxError: when it is not within `deadline` seconds, naming what is not.
        """
        self.notify()
        end = time.monotonic() + deadline
        with self._looked:
            # The first one that ends may have begun before.
            whole = self._looks + 2
            while not self._looked.wait_for(lambda: self._looks >= whole and not self._unsettled(), _HURRY):
                self._changed.set()
                if time.monotonic() > end:
                    raise SandboxError(f"databases are not ready after {deadline:g} s: {', '.join(self._unsettled())}")

    def keys(self, region: str) -> list[str]:
        """Those of a region, sorted."""
        return sorted(key for key, unit in list(self._units.items()) if unit.wanted.region == region)

    def source_region(self, key: str) -> str | None:
        """The region of what a database replicates; None when it takes writes."""
        source = self._unit(key).wanted.source
        return None if source is None else source.partition("/")[0]

    def directory(self, key: str) -> Path:
        """Where a server's ``server.conf`` is, which includes ``faults.conf`` beside it, and its ``data/``."""
        return self._unit(key).server.place.directory

    def pids(self, key: str) -> list[int]:
        """All of a server's processes, the first one first; empty when it does not run."""
        return self._unit(key).server.pids()

    def connect(self, key: str, dbname: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the superuser's that commits each statement.

        Raises:
            psycopg.OperationalError: when the server does not answer.
        """
        return self._unit(key).server.connect(dbname=dbname)

    def hold(self, key: str) -> None:
        """End a server as a crash does, and start it no more until it is released.

        Raises:
            SandboxError: when there is no such database.
        """
        with self._touching:
            unit = self._unit(key)
            unit.held = True
            unit.server.thaw()
            unit.server.kill()

    def release(self, key: str) -> None:
        """Let a server that is held start again, with its data; nothing happens when it is gone for good."""
        unit = self._units.get(key)
        if unit is not None:
            unit.held = False
            self._changed.set()

    def freeze(self, key: str) -> None:
        """Stop all of a server's processes in their tracks.

        Raises:
            SandboxError: when it does not run, or there is no such database.
        """
        with self._touching:
            self._unit(key).server.freeze()

    def thaw(self, key: str) -> None:
        """Let a frozen server go on; nothing happens when it is gone for good."""
        unit = self._units.get(key)
        if unit is not None:
            unit.server.thaw()
            self._changed.set()

    def reconcile(self) -> None:
        """Take every step that can be taken now; the worker does, each time that something changed."""
        self._mark()
        self._finish_moves()
        self._take_snapshots()
        self._remove_gone()
        # Those that write first: the others are made from them.
        for unit in sorted(self._units.values(), key=lambda unit: unit.wanted.source is not None):
            if time.monotonic() >= unit.retry_at:
                self._tend(unit)
        self._mark()
        self._take_snapshots()

    def _work(self) -> None:
        while not self._closing:
            self._changed.wait(self._pause())
            self._changed.clear()
            try:
                self.reconcile()
            # The worker must outlive whatever moto's objects surprise it with.
            except Exception:  # noqa: BLE001 - see above
                _log.exception("looking after databases failed")
            with self._looked:
                self._looks += 1
                self._looked.notify_all()

    def _pause(self) -> float:
        now, units = time.monotonic(), list(self._units.values())
        dues = [unit.retry_at for unit in units] + [unit.change.due for unit in units if unit.change is not None]
        dues += [move.due for move in self._moves] + self._snapshots.dues()
        usual = _HURRY if self._unsettled() else _TICK
        return min([usual, *(due - now for due in dues if due > now)])

    def _unit(self, key: str) -> Unit:
        if key not in self._units:
            raise SandboxError(f"no database {key}; there are: {', '.join(sorted(self._units)) or 'none'}")
        return self._units[key]

    def _unsettled(self) -> list[str]:
        units = list(self._units.items())
        return [
            *(f"{key} ({unit.problem or unit.state})" for key, unit in units if not unit.settled),
            *(f"{move.keys[1]} (takes over)" for move in self._moves),
            *(f"{unit.wanted.key} (is removed)" for unit in list(self._gone)),
            *(f"{name} (snapshot)" for name in self._snapshots.pending()),
        ]

    def _mark(self) -> None:
        """Read moto, and show what is under way from now on."""
        with self._marking, NOTING:
            self._moves += databases_moves.begun(self._seconds)
            found = {wanted.key: wanted for wanted in databases_model.wanted()}
            for key in [
                key
                for key, unit in self._units.items()
                if key not in found or found[key].resource != unit.wanted.resource
            ]:
                self._gone.append(self._units.pop(key))
            leaving = {unit.wanted.key for unit in self._gone}
            for wanted in found.values():
                unit = self._units.get(wanted.key)
                if unit is not None:
                    self._update(unit, wanted)
                # One of the same name has the place as long as it is there.
                elif wanted.key not in leaving:
                    self._add(wanted)
            units = self._units.values()
            self._names = {host: unit.server.place.address for unit in units for host in unit.wanted.hosts}
            self._snapshots.mark()

    def _add(self, wanted: Wanted) -> None:
        place = Place(
            name=wanted.name,
            directory=self._data / "rds" / wanted.key,
            address=self._network.address(wanted.name),
            port=wanted.port,
            archive=self._backups.archive(wanted.key, wanted.resource),
            passwords=self._passwords,
            account=self._account,
        )
        unit = Unit(wanted, Postgres(place, self._processes), restarts=wanted.restart.count)
        self._units[wanted.key] = unit
        if wanted.origin is not None:
            self._begin(unit, databases_units.RESTORE, "creating")
        else:
            operation = databases_units.CREATE if wanted.source is None else databases_units.REPLICATE
            seconds = self._seconds(operation)
            # What takes no time never shows: a deployment is not slowed down by looking.
            unit.begin(Change(operation, time.monotonic() + seconds, "creating" if seconds else ""))

    def _update(self, unit: Unit, wanted: Wanted) -> None:
        unit.wanted = wanted
        if unit.change is not None:
            return
        if unit.role == "replica" and wanted.source is None:
            self._begin(unit, databases_units.PROMOTE, "modifying")
        elif unit.restarts != wanted.restart.count:
            self._begin(unit, wanted.restart.operation, "rebooting")

    def _begin(self, unit: Unit, operation: str, shown: str) -> None:
        unit.begin(Change(operation, time.monotonic() + self._seconds(operation), shown))

    def _finish_moves(self) -> None:
        for move in list(self._moves):
            with self._touching:
                try:
                    done = databases_moves.carry_out(move, self._units)
                except databases_units.FAULTS as fault:
                    _log.warning("%s does not take over from %s: %s", move.keys[1], move.keys[0], fault)
                    continue
            if done:
                with self._marking:
                    self._moves.remove(move)
                self._mark()

    def _take_snapshots(self) -> None:
        with self._touching:
            self._snapshots.take([*self._units.values(), *self._gone])

    def _remove_gone(self) -> None:
        while self._gone:
            unit = self._gone[0]
            with self._touching:
                unit.server.remove()
            if not databases_backups.retained(unit.wanted.key, unit.wanted.resource):
                self._backups.forget_archive(unit.wanted.key, unit.wanted.resource)
            self._gone.pop(0)

    def _tend(self, unit: Unit) -> None:
        with self._touching:
            try:
                self._tender.tend(unit)
            except databases_units.FAULTS as fault:
                unit.failed(fault)
                _log.warning("%s: %s; tried again", unit.wanted.key, unit.problem)
            else:
                unit.went_well()
