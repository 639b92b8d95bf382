"""Aurora global clusters whose writer moves to another region: by switchover, which loses nothing, or by failover.

moto moves a writer at once. Here it stays where it was until the other cluster takes writes, as on AWS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lifeboat.sandbox.live.databases_backups import save_automated
from lifeboat.sandbox.live.databases_model import AVAILABLE, global_clusters, key_of
from lifeboat.sandbox.patches.base import Moto, attributes
from lifeboat.sandbox.patches.rds_global import set_writer
from lifeboat.sandbox.patches.rds_live import may_lose_data
from lifeboat.sandbox.waiting import comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifeboat.sandbox.live.databases_units import Unit

SWITCHOVER, FAILOVER = "switchover-global-cluster", "failover-global-cluster"
_KNOWN: Final = "lifeboat_writer"
_HANDOVER: Final = 10.0
"""Seconds that a secondary has to receive the rest; it streams, or it would not be asked."""


@dataclass
class Move:
    """A writer on its way.

    Attributes:
        group: moto's global cluster.
        old: The member that writes so far.
        new: The one that will.
        lossy: Whether what the new one lacks may be lost.
        due: When it takes effect, on the monotonic clock.
    """

    group: Moto
    old: Moto
    new: Moto
    lossy: bool
    due: float

    @property
    def keys(self) -> tuple[str, str]:
        """The old writer's and the new one's."""
        return key_of(self.old.db_cluster_arn), key_of(self.new.db_cluster_arn)

    def show(self) -> None:
        """Show that it is under way, and the old writer as the writer."""
        set_writer(self.group, self.old)
        self.group.status = "failing-over" if self.lossy else "switching-over"
        self.group.failover_state = {
            "Status": "failing-over" if self.lossy else "switching-over",
            "FromDbClusterArn": self.old.db_cluster_arn,
            "ToDbClusterArn": self.new.db_cluster_arn,
            "IsDataLossAllowed": self.lossy,
        }

    def end(self, writer: Moto) -> None:
        """Show who writes from now on."""
        set_writer(self.group, writer)
        attributes(self.group)[_KNOWN] = writer
        self.group.status = AVAILABLE
        self.group.failover_state = None


def begun(seconds: Callable[[str], float]) -> list[Move]:
    """Moves that were asked for since the last look, begun; to be called with `NOTING` held.

    Args:
        seconds: How long an operation takes.
    """
    moves: list[Move] = []
    for group in global_clusters():
        notes: dict[str, Any] = attributes(group)
        writer = next((member for member in group.members if member.is_writer), None)
        known = notes.get(_KNOWN)
        if writer is known or known is None or known not in group.members or writer is None:
            notes[_KNOWN] = writer
            continue
        lossy = may_lose_data(group)
        due = time.monotonic() + seconds(FAILOVER if lossy else SWITCHOVER)
        moves.append(Move(group, known, writer, lossy, due))
        moves[-1].show()
    return moves


def carry_out(move: Move, units: Mapping[str, Unit]) -> bool:
    """Make the new writer write, when its time has come; False: it has not, or the new one cannot be reached.

    A switchover that would lose data is given up, and the old writer goes on, as on AWS.

    Raises:
        SandboxError: when a server fails.
        psycopg.Error: when one does not answer.
    """
    old, new = (units.get(key) for key in move.keys)
    if new is None or old is None:
        move.end(move.old)
        return True
    if time.monotonic() < move.due or new.out_of_reach or new.server.pid is None:
        return False
    late = time.monotonic() > move.due + _HANDOVER
    if not move.lossy and not late and not old.out_of_reach and old.server.pid is not None:
        # One that has yet to catch up would not in the time that nobody may write.
        behind = not new.server.received_all(old.server.written())
        if behind:
            return False
    if not move.lossy and not _hand_over(old, new):
        move.end(move.old)
        return True
    if new.server.standby:
        new.take_over(old.wanted.key)
    new.role, new.source = "primary", None
    move.end(move.new)
    save_automated(move.new)
    return True


def _hand_over(old: Unit, new: Unit) -> bool:
    """End the old writer once the new one has everything; False: it could not get it, and the old one goes on."""
    if old.out_of_reach or old.server.pid is None:
        return False
    # A polite end sends replicas that stream all that they lack.
    old.server.stop(deadline=_HANDOVER)
    written = old.server.ended_at()
    if written is None or not comes_true(lambda: new.server.received_all(written), _HANDOVER):
        old.server.start()
        return False
    return True
