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
from typing import TYPE_CHECKING, Any, Final, Protocol

import psycopg

from lifeboat.sandbox.live import databases_backups, databases_model, databases_moves, databases_units
from lifeboat.sandbox.live.databases_backups import Backups, Wish
from lifeboat.sandbox.live.databases_units import Change, Links, Tender, Unit
from lifeboat.sandbox.live.postgres import Postgres
from lifeboat.sandbox.live.postgres_setup import Passwords, Place, own_directory
from lifeboat.sandbox.patches.rds_live import NOTING
from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lifeboat.sandbox.live.account import Account
    from lifeboat.sandbox.live.databases_model import Wanted
    from lifeboat.sandbox.live.databases_moves import Move
    from lifeboat.sandbox.live.network import Network
    from lifeboat.sandbox.live.processes import Processes

_log = logging.getLogger(__name__)

SNAPSHOT: Final = "create-rds-snapshot"
_TICK: Final = 1.0
"""Seconds between looks when nobody calls; what waits for a source or a link is seen then."""
_HURRY: Final = 0.1
"""Seconds between looks while something is not as it should be."""
_FAULTS: Final = (SandboxError, psycopg.Error, OSError)


class Effects(Protocol):
    """How long operations take here."""

    def seconds(self, operation: str) -> float:
        """A duration [s], drawn anew each time; 0 when effects are instant."""
        ...


class Databases:
    """Every database of the sandbox.

    Args:
        directory: The sandbox's; takes ``data/rds`` and ``data/rds-backups``.
        network: Gives addresses.
        processes: Starts servers.
        account: Whom they run as; None for the gateway's own user.
        effects: How long what AWS does takes.
        links: Ways between regions.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the world's parts, each needed
        self,
        directory: Path,
        network: Network,
        processes: Processes,
        account: Account | None,
        effects: Effects,
        links: Links,
    ) -> None:
        self._data = directory / "data"
        own_directory(self._data / "rds", account)
        self._network = network
        self._processes = processes
        self._account = account
        self._effects = effects
        self._passwords = Passwords.kept_in(directory / "database-passwords.json")
        self._backups = Backups(self._data / "rds-backups", account)
        self._units: dict[str, Unit] = {}
        self._gone: list[Unit] = []
        self._moves: list[Move] = []
        self._pending: dict[str, tuple[Wish, float]] = {}
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
        """End a server as a crash does, and start it no more until it is released."""
        with self._touching:
            self._unit(key).held = True
            self.kill(key)

    def release(self, key: str) -> None:
        """Let a server that is held start again, with its data."""
        self._unit(key).held = False
        self._changed.set()

    def kill(self, key: str) -> None:
        """End a server as a crash does; it is started again."""
        with self._touching:
            self._unit(key).server.thaw()
            self._unit(key).server.kill()

    def freeze(self, key: str) -> None:
        """Stop all of a server's processes in their tracks.

        Raises:
            SandboxError: when it does not run.
        """
        with self._touching:
            self._unit(key).server.freeze()

    def thaw(self, key: str) -> None:
        """Let a frozen server go on."""
        self._unit(key).server.thaw()
        self._changed.set()

    def status(self) -> list[dict[str, Any]]:
        """One row a database: key, region, role, address, port, pid, state, source, lag_seconds, timeline, problem."""
        return [self._row(key, unit) for key, unit in sorted(self.servers.items())]

    def reconcile(self) -> None:
        """Take every step that can be taken now; the worker does, each time that something changed."""
        self._mark()
        self._finish_moves()
        self._take_backups()
        self._remove_gone()
        # Those that write first: the others are made from them.
        for unit in sorted(self._units.values(), key=lambda unit: unit.wanted.source is not None):
            if time.monotonic() >= unit.retry_at:
                self._tend(unit)
        self._mark()
        self._take_backups()

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
        dues += [move.due for move in self._moves] + [due for _, due in list(self._pending.values())]
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
            *(f"{name} (snapshot)" for name in list(self._pending)),
        ]

    def _row(self, key: str, unit: Unit) -> dict[str, Any]:
        lag = timeline = None
        if unit.server.pid is not None and not unit.out_of_reach:
            try:
                lag, timeline = unit.server.lag(), unit.server.timeline()
            except psycopg.Error as fault:
                _log.info("%s does not say how it is: %s", key, fault)
        return {
            "key": key,
            "region": unit.wanted.region,
            "role": unit.role,
            "address": unit.server.place.address,
            "port": unit.server.place.port,
            "pid": unit.server.pid,
            "state": unit.state,
            "source": unit.wanted.source,
            "lag_seconds": lag if unit.role == "replica" else None,
            "timeline": timeline,
            "problem": unit.problem,
        }

    def _mark(self) -> None:
        """Read moto, and show what is under way from now on."""
        with self._marking, NOTING:
            self._moves += databases_moves.begun(self._effects.seconds)
            found = {wanted.key: wanted for wanted in databases_model.wanted()}
            for key in [
                key
                for key, unit in self._units.items()
                if key not in found or found[key].resource != unit.wanted.resource
            ]:
                self._gone.append(self._units.pop(key))
            for wanted in found.values():
                unit = self._units.get(wanted.key)
                if unit is None:
                    self._add(wanted)
                else:
                    self._update(unit, wanted)
            units = self._units.values()
            self._names = {host: unit.server.place.address for unit in units for host in unit.wanted.hosts}
            self._mark_snapshots()

    def _mark_snapshots(self) -> None:
        wishes = {wish.name: wish for wish in databases_backups.wishes()}
        for name, wish in wishes.items():
            if name in self._pending or self._backups.has(name):
                continue
            seconds = self._effects.seconds(SNAPSHOT) if wish.manual else 0.0
            self._pending[name] = (wish, time.monotonic() + seconds)
            if wish.manual:
                databases_backups.show_progress(wish, done=False)
        for name in self._pending.keys() - wishes.keys():
            del self._pending[name]

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
            seconds = self._effects.seconds(operation)
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
        unit.begin(Change(operation, time.monotonic() + self._effects.seconds(operation), shown))

    def _finish_moves(self) -> None:
        for move in list(self._moves):
            with self._touching:
                try:
                    done = databases_moves.carry_out(move, self._units)
                except _FAULTS as fault:
                    _log.warning("%s does not take over from %s: %s", move.keys[1], move.keys[0], fault)
                    continue
            if done:
                with self._marking:
                    self._moves.remove(move)
                self._mark()

    def _take_backups(self) -> None:
        self._backups.forget({wish.name for wish in databases_backups.wishes()})
        for name, (wish, due) in list(self._pending.items()):
            if not self._backups.has(name) and not self._backup(wish):
                continue
            if time.monotonic() >= due:
                self._pending.pop(name, None)
                databases_backups.show_progress(wish, done=True)

    def _backup(self, wish: Wish) -> bool:
        if wish.copy_of is not None:
            if self._backups.has(wish.copy_of):
                self._backups.copy(wish, wish.copy_of)
            return self._backups.has(wish.name)
        # A final snapshot is of what is gone already.
        unit = next((unit for unit in (*self._units.values(), *self._gone) if _is_of(unit, wish)), None)
        if unit is None or unit.out_of_reach or unit.server.pid is None or not unit.server.ready():
            return False
        with self._touching:
            try:
                self._backups.take(wish, unit.server)
            except _FAULTS as fault:
                _log.warning("no snapshot of %s: %s", wish.key, fault)
        return self._backups.has(wish.name)

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
            except _FAULTS as fault:
                unit.failed(fault)
                _log.warning("%s: %s; tried again", unit.wanted.key, unit.problem)
            else:
                unit.went_well()


def _is_of(unit: Unit, wish: Wish) -> bool:
    return (unit.wanted.key, unit.wanted.resource) == (wish.key, wish.resource)
