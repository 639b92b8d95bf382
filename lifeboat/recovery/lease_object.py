"""The lease as an object in the witness region, replaced on condition of its ETag.

For region sets without a strongly consistent table. One object alone would be lost with the witness, and the holder
would have to fence itself although both sites are well. So the holder has a *stand-in*, an object in the other site,
which it renews for as long as the witness does not answer; and who takes the lease for that site closes the stand-in
first. A take needs its target's region anyway. So:

| lost | then |
|---|---|
| the witness | the holder renews by the stand-in; nobody can take |
| the holder's region | nobody renews; the stand-in, in the target, is closed, and the lease is taken |
| the way from the holder to the witness | the stand-in's pulse is seen: nobody takes |
| the other site | the holder renews at the witness |

Why two cannot hold: a take closes the stand-in on condition that it is as it was when the holder's time was over, and
then replaces the lease on the same condition. A closed stand-in takes no renewal. Its holder opens it again only by a
renewal at the witness between reading it closed and opening it: that replaces what the take is conditional on.

What the stand-in says of anything but its own pulse is as old as itself. Only its holder reads the lease by it, to
renew; to everybody else a witness that does not answer is a lease that cannot be read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from botocore.exceptions import BotoCoreError, ClientError

from lifeboat.recovery.lease_record import LeaseError, dump, load
from lifeboat.recovery.lease_store import PATIENCE, Absent, Conflict, StoreError, Unreachable, Versioned
from lifeboat.recovery.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lifeboat.recovery.lease_record import LeaseRecord

LEASE_KEY: Final = "lease.json"
STAND_IN_KEY: Final = "lease-stand-in.json"
VIEW_PREFIX: Final = "views/"
"""What the keys of the wardens' views begin with; a region follows."""
_CHANGED: Final = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
"""A conditional write's condition does not hold: nothing was written."""
_ASIDE: Final = "stand-in "
"""What the token of a record begins with that was read from a stand-in."""
_Client: TypeAlias = Any
"""An S3 client: its methods are made at run time."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Where objects are kept: a region's bucket."""

    region: str
    name: str


@dataclass(frozen=True, kw_only=True)
class _StandIn:
    """What the holder renews where the witness does not answer."""

    record: LeaseRecord
    """The lease in the epoch that it stands in for, as it was when the stand-in was opened or closed."""
    beat: int
    closed: bool
    etag: str

    @property
    def pulse(self) -> str:
        return f"{self.record.epoch}/{self.beat}"


class ObjectStore:
    """`LeaseStore` and `ViewStore` in buckets.

    Args:
        client: Makes an S3 client of a region: one attempt a call, `lifeboat.recovery.lease_store.DEADLINE` seconds.
        witness: The bucket that has the lease.
        sites: Each site's bucket, for the stand-in of the other one's lease.
        viewers: Regions whose views are read.
        patience: With a region that throttles or fails by itself.
    """

    def __init__(
        self,
        client: Callable[[str], _Client],
        *,
        witness: Bucket,
        sites: Sequence[Bucket],
        viewers: Sequence[str],
        patience: Patience | None = None,
    ) -> None:
        self._client = client
        self._witness = witness
        self._sites = tuple(sites)
        self._viewers = tuple(viewers)
        self._patience = patience or Patience(seconds=PATIENCE)

    def read(self) -> Versioned:
        """What holds now, with the stand-in's pulse; without it where the other site does not answer."""
        seen = self._read()
        try:
            stand_in = self._stand_in(seen.record)
        except Unreachable:
            return seen
        return replace(seen, aside=stand_in.pulse if stand_in else "")

    def read_to_renew(self, site: str) -> Versioned:
        """What holds now; by the site's open stand-in where the witness does not answer."""
        try:
            return self._read()
        except Unreachable:
            return self._read_aside(site)

    def create(self, record: LeaseRecord) -> Versioned:
        """Write the first record."""
        etag = self._put(self._witness, LEASE_KEY, _body(1, record), {"IfNoneMatch": "*"})
        return Versioned(version=1, record=record, token=etag)

    def replace(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        """Write a record in place of the one that was read, if that still holds.

        A renewal opens the stand-in where it is not open, a fence or another holder closes it. A fence is a word to the
        holder, and needs no more than the witness. That the holder stopped, somebody acts on at once: it is not written
        before the stand-in is closed, since a warden that starts anew might still renew by it.

        Raises:
            Conflict: when another record, or pulse of the stand-in, holds by now.
            Unreachable: when the witness does not answer; on a take or a stop, when the other site does not.
        """
        if seen.token.startswith(_ASIDE):
            return self._renew_aside(seen, record)
        before = seen.record
        renews = before.holder is not None and record.may_write(before.holder) and record.epoch == before.epoch
        opening: _StandIn | None = None
        openable = False
        if renews and record.beat != before.beat:
            opening, openable = self._to_open(before)
        elif not renews and before.holder is not None:
            taken = record.holder != before.holder
            self._close(seen, needed=taken or before.holder in record.stopped - before.stopped, as_seen=taken)
        version = seen.version + 1
        etag = self._put(self._witness, LEASE_KEY, _body(version, record), {"IfMatch": seen.token})
        if openable:
            self._open(record, opening)
        return Versioned(version=version, record=record, token=etag, aside=seen.aside)

    def publish(self, region: str, text: str) -> None:
        """Replace a region's view."""
        self._put(self._witness, f"{VIEW_PREFIX}{region}.json", text, {})

    def views(self) -> Mapping[str, str]:
        """Every region's view."""
        found = {region: self._get(self._witness, f"{VIEW_PREFIX}{region}.json") for region in self._viewers}
        return {region: each[0] for region, each in found.items() if each is not None}

    def _read(self) -> Versioned:
        """The lease at the witness alone."""
        found = self._get(self._witness, LEASE_KEY)
        if found is None:
            raise Absent(f"{_uri(self._witness)} holds no lease: the warden of the home region makes the first one")
        text, etag = found
        loaded = cast("dict[str, Any]", json.loads(text))
        return Versioned(version=int(loaded["version"]), record=load(loaded["record"]), token=etag, aside=None)

    def _read_aside(self, site: str) -> Versioned:
        """The lease by the stand-in of a site that holds it."""
        other = next(bucket for bucket in self._sites if bucket.region != site)
        stand_in = self._load(other)
        if stand_in is None or stand_in.closed or stand_in.record.holder != site:
            raise Unreachable(f"{_uri(self._witness)} does not answer, and {site} has no open stand-in of the lease")
        token = f"{_ASIDE}{stand_in.etag}"
        return Versioned(version=0, record=stand_in.record, token=token, aside=stand_in.pulse)

    def _renew_aside(self, seen: Versioned, record: LeaseRecord) -> Versioned:
        bucket, holder = self._home_of(seen.record), seen.record.holder
        same = record.epoch == seen.record.epoch and record.holder == holder and record.fenced == seen.record.fenced
        if bucket is None or not same or record.beat == seen.record.beat:
            raise Unreachable(f"{_uri(self._witness)} does not answer: the lease can be renewed, not changed")
        beat = int((seen.aside or "").partition("/")[2]) + 1
        stand_in = _StandIn(record=seen.record, beat=beat, closed=False, etag="")
        condition = {"IfMatch": seen.token.removeprefix(_ASIDE)}
        etag = self._put(bucket, STAND_IN_KEY, _dump(stand_in), condition)
        return Versioned(version=0, record=record, token=_ASIDE + etag, aside=stand_in.pulse)

    def _to_open(self, record: LeaseRecord) -> tuple[_StandIn | None, bool]:
        """The stand-in, and whether it has to be opened; what cannot be asked is left alone until the next renewal."""
        if self._home_of(record) is None:
            return None, False
        try:
            stand_in = self._stand_in(record)
        except (StoreError, LeaseError):
            return None, False
        return stand_in, stand_in is None or stand_in.closed or stand_in.record.epoch < record.epoch

    def _open(self, record: LeaseRecord, known: _StandIn | None) -> None:
        bucket = self._home_of(record)
        if bucket is None:
            return
        opened = _StandIn(record=record, beat=known.beat + 1 if known else 0, closed=False, etag="")
        try:
            self._put(bucket, STAND_IN_KEY, _dump(opened), _as(known))
        except StoreError:
            # The renewal stands without it; the next one tries again.
            return

    def _close(self, seen: Versioned, *, needed: bool, as_seen: bool) -> None:
        """Close the stand-in of the holder that was seen.

        Args:
            seen: The lease.
            needed: Whether it must be closed; otherwise it is closed where it can be.
            as_seen: Whether it must be as it was seen: for who takes the lease because the holder was silent.
        """
        bucket = self._home_of(seen.record)
        if bucket is None:
            return
        try:
            known = self._load(bucket)
            if known and known.record.epoch > seen.record.epoch:
                raise Conflict(f"{_uri(bucket)}: the stand-in of the lease is of a later epoch")
            if known and known.closed and known.record.epoch == seen.record.epoch:
                return
            if as_seen and (known.pulse if known else "") != seen.aside:
                raise Conflict(f"{_uri(bucket)}: the holder renewed the stand-in of the lease")
            closed = _StandIn(record=seen.record, beat=known.beat if known else 0, closed=True, etag="")
            self._put(bucket, STAND_IN_KEY, _dump(closed), _as(known))
        except Unreachable:
            if needed:
                raise

    def _home_of(self, record: LeaseRecord) -> Bucket | None:
        """Where the stand-in of a holder is kept: in the other site."""
        others = [bucket for bucket in self._sites if bucket.region != record.holder]
        return others[0] if len(others) < len(self._sites) else None

    def _stand_in(self, record: LeaseRecord) -> _StandIn | None:
        bucket = self._home_of(record)
        return None if bucket is None else self._load(bucket)

    def _load(self, bucket: Bucket) -> _StandIn | None:
        found = self._get(bucket, STAND_IN_KEY)
        if found is None:
            return None
        text, etag = found
        loaded = cast("dict[str, Any]", json.loads(text))
        return _StandIn(record=load(loaded["record"]), beat=loaded["beat"], closed=loaded["closed"], etag=etag)

    def _get(self, bucket: Bucket, key: str) -> tuple[str, str] | None:
        def get(_: bool) -> tuple[str, str]:
            answer = self._client(bucket.region).get_object(Bucket=bucket.name, Key=key)
            return answer["Body"].read().decode(), answer["ETag"]

        try:
            return self._patience.ask(get)
        except ClientError as fault:
            if _code(fault) == "NoSuchKey":
                return None
            raise Unreachable(f"{_uri(bucket)}/{key}: {_code(fault)}") from None
        except (BotoCoreError, OSError) as fault:
            raise Unreachable(f"{_uri(bucket)}/{key}: {' '.join(str(fault).split())}") from None

    def _put(self, bucket: Bucket, key: str, text: str, condition: Mapping[str, str]) -> str:
        """Write an object; its ETag."""

        def put(doubtful: bool) -> str:
            try:
                answer = self._client(bucket.region).put_object(
                    Bucket=bucket.name, Key=key, Body=text.encode(), ContentType="application/json", **condition
                )
            except ClientError as fault:
                if not condition or _code(fault) not in _CHANGED:
                    raise
                # An attempt before that failed may have made this very write.
                found = self._get(bucket, key) if doubtful else None
                if found is None or found[0] != text:
                    raise Conflict(f"{_uri(bucket)}/{key} was changed by somebody else") from None
                return found[1]
            return str(answer["ETag"])

        try:
            return self._patience.ask(put)
        except ClientError as fault:
            raise Unreachable(f"{_uri(bucket)}/{key}: {_code(fault)}") from None
        except (BotoCoreError, OSError) as fault:
            raise Unreachable(f"{_uri(bucket)}/{key}: {' '.join(str(fault).split())}") from None


def _as(known: _StandIn | None) -> dict[str, str]:
    """The condition that a stand-in is as it was read."""
    return {"IfNoneMatch": "*"} if known is None else {"IfMatch": known.etag}


def _body(version: int, record: LeaseRecord) -> str:
    return json.dumps({"version": version, "record": dump(record)})


def _dump(stand_in: _StandIn) -> str:
    return json.dumps({"record": dump(stand_in.record), "beat": stand_in.beat, "closed": stand_in.closed})


def _code(fault: ClientError) -> str:
    return str(fault.response.get("Error", {}).get("Code", ""))


def _uri(bucket: Bucket) -> str:
    return f"s3://{bucket.name}"
