"""Replication of objects between buckets, by the buckets' rules, in the gateway's own moto.

A change is taken up when its request is done, waits as long as the way to the destination's region takes, and is
brought there by one thread, in order for each way.

Invariants:
1. What replication does is not replicated: rules both ways do not loop.
2. What was there before a rule, or failed, is never taken up again: AWS has Batch Replication for it.
3. A way that is cut keeps its changes; they are late when it heals, and fail when that took longer than S3 tries.

Not played: the role's permissions and the state of KMS keys, lifecycle's own delete markers (moto expires nothing), and
Batch Replication.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from lifeboat.sandbox.live import objects_hook
from lifeboat.sandbox.live.cloudwatch import Point
from lifeboat.sandbox.live.objects_copy import RefusedError, backend, replicate
from lifeboat.sandbox.live.objects_rules import Change, Rule, Subject, choose, read_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.sandbox.patches.base import Moto

Way: TypeAlias = tuple[str, str]
"""Source region and destination region."""

PATIENCE: Final = 86_400.0
"""Seconds that S3 goes on trying: a day."""
_NAMESPACE: Final = "AWS/S3"
_LOOK: Final = 0.1
"""Seconds between looks at a way that is cut."""
_KMS: Final = "aws:kms"
_log = logging.getLogger(__name__)


class Ways(Protocol):
    """What lies between regions."""

    def delay(self, source: str, target: str) -> float | None:
        """Seconds from one region to another; None: nothing arrives."""
        ...


@dataclass
class _Task:
    """One change on its way to one destination."""

    change: Change
    source: Moto
    """The bucket itself: one that is made anew under its name is another."""
    version: Moto
    rule: Rule
    way: Way
    entered: float
    """On the monotonic clock."""
    bytes: int


@dataclass
class _Tally:
    """What became of one rule's changes."""

    way: Way
    pending: int = 0
    pending_bytes: int = 0
    replicated: int = 0
    failed: int = 0
    failed_lately: int = 0
    slowest: float = 0.0
    """Seconds that the slowest of those took that ended since the metrics were asked last."""
    fault: str = ""


@dataclass
class _Book:
    """Queues by way and tallies by source bucket, destination bucket and rule."""

    queues: dict[Way, deque[_Task]] = field(default_factory=dict[Way, deque[_Task]])
    tallies: dict[tuple[str, str, str], _Tally] = field(default_factory=dict[tuple[str, str, str], _Tally])

    def tally(self, source: str, rule: Rule, way: Way) -> _Tally:
        return self.tallies.setdefault((source, rule.destination, rule.name), _Tally(way))

    def oldest(self) -> dict[tuple[str, str, str], float]:
        """When the oldest pending change of each tally was taken up."""
        found: dict[tuple[str, str, str], float] = {}
        for queue in self.queues.values():
            for task in queue:
                found.setdefault((task.source.name, task.rule.destination, task.rule.name), task.entered)
        return found


class Objects:
    """Replication of all buckets of an account; safe to use from several threads.

    Args:
        account_id: AWS account, 12 digits.
        ways: What lies between regions.
        patience: Seconds after which what could not arrive fails.
    """

    def __init__(self, account_id: str, ways: Ways, patience: float = PATIENCE) -> None:
        self._account_id = account_id
        self._ways = ways
        self._patience = patience
        self._book = _Book()
        self._changed = threading.Condition()
        self._ended = False
        self._observing = ExitStack()
        self._worker = threading.Thread(target=self._work, name="objects", daemon=True)

    def start(self) -> None:
        """Replicate what changes from now on."""
        self._observing.enter_context(objects_hook.observed(self))
        self._worker.start()

    def close(self) -> None:
        """Replicate no more; what is under way stays pending."""
        self._observing.close()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._worker.is_alive():
            self._worker.join()

    def changed(self, change: Change, bucket_name: str, version: Moto) -> None:
        """Take up a change, when a rule of its bucket replicates it; its status is ``PENDING`` from now on."""
        s3 = backend(self._account_id)
        bucket: Moto = s3.buckets.get(bucket_name)
        rules = read_rules(getattr(bucket, "replication", None))
        if not rules or not bucket.is_versioned:
            return
        marker = change is Change.MARKED
        subject = Subject(
            key=version.name,
            tags={} if marker else s3.tagger.get_tag_dict_for_resource(version.arn),
            kms=not marker and version.encryption == _KMS,
            replica=objects_hook.is_replica(version),
        )
        for rule in choose(rules, change, subject):
            self._take_up(change, bucket, version, rule)

    def status(self) -> list[dict[str, Any]]:
        """One row a rule that replicated something, or is about to.

        Returns:
            Rows with ``key`` (bucket and rule), ``region``, ``bucket``, ``target_region``, ``target_bucket``,
            ``pending`` and ``pending_bytes``, ``replicated`` and ``failed`` (operations since the start),
            ``lag_seconds`` (that the oldest pending one has waited, 0 when none does) and ``problem`` (why the last
            that failed did, or empty).
        """
        with self._changed:
            now, oldest = time.monotonic(), self._book.oldest()
            return [
                {
                    "key": f"{source}/{name}",
                    "region": tally.way[0],
                    "bucket": source,
                    "target_region": tally.way[1],
                    "target_bucket": destination,
                    "pending": tally.pending,
                    "pending_bytes": tally.pending_bytes,
                    "replicated": tally.replicated,
                    "failed": tally.failed,
                    "lag_seconds": now - oldest.get((source, destination, name), now),
                    "problem": tally.fault,
                }
                for (source, destination, name), tally in sorted(self._book.tallies.items())
            ]

    def points(self) -> list[Point]:
        """What the metrics of rules have to say since they were asked last, also of rules that replicate nothing."""
        s3 = backend(self._account_id)
        return [
            point
            for bucket in list(s3.buckets.values())
            for rule in read_rules(getattr(bucket, "replication", None))
            if rule.metrics and rule.enabled
            for point in self._points(bucket, rule, s3.buckets.get(rule.destination))
        ]

    def _points(self, bucket: Moto, rule: Rule, destination: Moto) -> Iterator[Point]:
        with self._changed:
            now = time.monotonic()
            tally = self._book.tally(bucket.name, rule, _way(bucket, destination))
            oldest = self._book.oldest().get((bucket.name, rule.destination, rule.name), now)
            values = {
                ("OperationsPendingReplication", "Count"): tally.pending,
                ("BytesPendingReplication", "Bytes"): tally.pending_bytes,
                ("ReplicationLatency", "Seconds"): max(tally.slowest, now - oldest),
            }
            failed = {("OperationsFailedReplication", "Count"): tally.failed_lately} if tally.failed_lately else {}
            tally.slowest, tally.failed_lately = 0.0, 0
        # As AWS documents it: failures in the source's region and only when there are some, the rest in the
        # destination's while that bucket is there.
        published = {bucket.region_name: failed, **({} if destination is None else {destination.region_name: values})}
        if destination is not None and destination.region_name == bucket.region_name:
            published = {bucket.region_name: {**values, **failed}}
        dimensions = {"SourceBucket": bucket.name, "DestinationBucket": rule.destination, "RuleId": rule.name}
        for region, metrics in published.items():
            for (name, unit), value in metrics.items():
                yield Point(
                    region=region, namespace=_NAMESPACE, metric=name, dimensions=dimensions, value=value, unit=unit
                )

    def _take_up(self, change: Change, bucket: Moto, version: Moto, rule: Rule) -> None:
        destination: Moto = backend(self._account_id).buckets.get(rule.destination)
        way = _way(bucket, destination)
        size = version.size if change is Change.CREATED else 0
        task = _Task(change, bucket, version, rule, way, time.monotonic(), size)
        # A modification starts over what is done; it takes up nothing that was there before the rule, or failed.
        if change is not Change.MODIFIED or objects_hook.statuses(version).get(rule.destination) == "COMPLETED":
            _mark(task, "PENDING")
        with self._changed:
            tally = self._book.tally(bucket.name, rule, way)
            tally.pending += 1
            tally.pending_bytes += size
            self._book.queues.setdefault(way, deque()).append(task)
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                task, pause = self._next()
                if self._ended:
                    return
                if task is None:
                    self._changed.wait(pause)
                    continue
            self._carry(task)

    def _next(self) -> tuple[_Task | None, float | None]:
        """The next change that is due, or how many seconds until one may be; the caller has the lock."""
        pauses: list[float] = []
        for way, queue in self._book.queues.items():
            if queue:
                left = self._left(way, queue[0])
                if left <= 0:
                    return queue.popleft(), 0.0
                pauses.append(left)
        return None, min(pauses, default=None)

    def _left(self, way: Way, task: _Task) -> float:
        waited = time.monotonic() - task.entered
        delay = 0.0 if way[0] == way[1] else self._ways.delay(*way)
        if delay is not None:
            return delay - waited
        return 0.0 if waited > self._patience else _LOOK

    def _carry(self, task: _Task) -> None:
        fault = ""
        waited = time.monotonic() - task.entered
        try:
            if waited > self._patience:
                raise RefusedError(f"{task.way[1]} was not reached within {self._patience:g} s")
            done = self._present(task) and replicate(self._account_id, task.change, task.version, task.rule)
        except RefusedError as refusal:
            done, fault = True, str(refusal)
        # The thread must live on, and this change is lost like any other that fails.
        except Exception as failure:  # noqa: BLE001 - see above
            _log.exception("%s of %s is not replicated", task.change, task.source.name)
            done, fault = True, f"{type(failure).__name__}: {failure}"
        self._close(task, done=done, fault=fault)

    def _close(self, task: _Task, *, done: bool, fault: str) -> None:
        if done:
            _mark(task, "FAILED" if fault else "COMPLETED")
        elif objects_hook.statuses(task.version).get(task.rule.destination) == "PENDING":
            # A change of a replica that somebody deleted: there is nothing left to bring.
            _mark(task, "COMPLETED")
        with self._changed:
            tally = self._book.tally(task.source.name, task.rule, task.way)
            tally.pending -= 1
            tally.pending_bytes -= task.bytes
            if done and fault:
                tally.failed += 1
                tally.failed_lately += 1
                tally.fault = fault
            elif done:
                tally.replicated += 1
                tally.slowest = max(tally.slowest, time.monotonic() - task.entered)

    def _present(self, task: _Task) -> bool:
        """Whether a version still is where it was: one deleted for good meanwhile is not replicated."""
        if backend(self._account_id).buckets.get(task.source.name) is not task.source:
            return False
        return any(known is task.version for known in task.source.keys.getlist(task.version.name, []))


def _way(bucket: Moto, destination: Moto) -> Way:
    # A bucket that is gone is nowhere; that it is, the source finds out by itself.
    return bucket.region_name, bucket.region_name if destination is None else destination.region_name


def _mark(task: _Task, status: str) -> None:
    """Note a version's status at a destination; a replica stays one, whatever is changed on it."""
    if not objects_hook.is_replica(task.version):
        objects_hook.statuses(task.version)[task.rule.destination] = status
