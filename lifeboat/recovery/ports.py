"""The outside as recovery sees it: every call to a cloud, a database, a cache, a site, a name server or a clock.

Whatever is in `lifeboat.recovery` gets `Ports` handed in and reaches nothing without them, so that the journal can
stand around every call (`lifeboat.recovery.journal`), tests can play the outside, and the sandbox can be the outside.
`lifeboat.recovery.system_ports` has the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

Client: TypeAlias = Any
"""A boto3 client: its methods are made at run time."""
SqlConnection: TypeAlias = Any
"""A psycopg connection, or what stands around one."""
CacheClient: TypeAlias = Any
"""A redis client, or what stands around one."""

BEST_EFFORT_SECONDS: Final = 5.0
"""What a call may take in all whose answer is not needed (invariant 3)."""

CHANGE_SECONDS: Final = 14.0
"""What a call of a run may take that changes something: less than lies between the moment when a runner that is out
of touch stops, and the one when another may go on with its run (`lifeboat.recovery.claim`)."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How much faster than declared the protocol runs: 1 in production, more in drills.

    Durations of the protocol (time to live, renewals, confirmation, switch periods) are divided by it; real I/O and
    its timeouts never are.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.scale <= 1000:  # noqa: PLR2004
            raise ValueError(f"time scale {self.scale:g}: accepted is a number from 1 to 1000")

    def real(self, declared: float) -> float:
        """Seconds that a declared duration takes here."""
        return declared / self.scale

    def declared(self, real: float) -> float:
        """Seconds as they are reported, from seconds measured here."""
        return real * self.scale


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """What a web server said."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case."""


class Ports(Protocol):
    """Everything that touches the outside."""

    @property
    def pace(self) -> Pace:
        """How much faster than declared the protocol runs."""
        ...

    def client(  # noqa: PLR0913 - how it is asked
        self,
        service: str,
        region: str,
        *,
        best_effort: bool = False,
        once: bool = False,
        changes: bool = False,
        endpoint: str | None = None,
    ) -> Client:
        """A boto3 client, kept and shared by threads.

        It retries adaptively within limits of its own. Errors are botocore's.

        Args:
            service: As boto3 names it.
            region: Where it asks.
            best_effort: Its answers are not needed: one attempt, `BEST_EFFORT_SECONDS` in all.
            once: They are, but a call must not be repeated by the client, or another region can be asked instead:
                one attempt, and the same seconds.
            changes: It is asked for what changes something: one attempt, over within `CHANGE_SECONDS`, so that a
                runner that lost its claim has nothing under way any more when another one takes over.
            endpoint: URL to ask at, where a service has one of the customer's own.
        """
        ...

    def sql(self, region: str, database: str, *, reader: bool = False, best_effort: bool = False) -> SqlConnection:
        """A new psycopg connection (autocommit) to a database's endpoint in one region, as its master user.

        The password is the secret as that region has it. It is a context manager that closes itself.

        Args:
            region: Whose endpoint, and whose copy of the secret.
            database: The database's logical name.
            reader: Reads are enough: a standby's endpoint for them, where it has one.
            best_effort: At most `BEST_EFFORT_SECONDS` in all until it is there; statements too.

        Raises:
            LookupError: if the region has no such database.
            psycopg.Error: if it does not answer, or refuses.
        """
        ...

    def redis(self, region: str, cache: str, *, best_effort: bool = False) -> CacheClient:
        """A redis client of a cache's primary endpoint in one region; a context manager that closes itself.

        Args:
            region: Whose endpoint, and whose copy of the token.
            cache: The cache's logical name.
            best_effort: At most `BEST_EFFORT_SECONDS` for a command.

        Raises:
            LookupError: if the region has no such cache.
            redis.RedisError: from commands, if it does not answer, or refuses.
        """
        ...

    def http(  # noqa: PLR0913 - what a request is
        self,
        url: str,
        *,
        timeout: float,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        address: str | None = None,
    ) -> HttpAnswer:
        """One request over a connection of its own. Redirects are not followed; any status is an answer.

        Args:
            url: ``http`` or ``https``; its host is looked up by `resolve`.
            timeout: Seconds in all.
            method: The verb.
            body: What is sent.
            headers: Beside the usual ones.
            address: Where to connect to, instead of what the host's name means.

        Raises:
            OSError: when no answer came.
        """
        ...

    def site_url(self, host: str, port: int) -> str:
        """Where a site's gateway answers, without a path: ``https://orders.us-west-2.example.com:443``."""
        ...

    def resolve(self, host: str) -> tuple[str, ...]:
        """Addresses of a host now, without any cache of ours.

        Raises:
            OSError: when there is none, or nobody answers.
        """
        ...

    def clock(self) -> float:
        """Seconds on a clock that nobody sets; its zero means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch, for people; never compared between machines."""
        ...

    def wait(self, event: threading.Event | None, seconds: float) -> bool:
        """Wait for real seconds, less when the event is set; whether it is."""
        ...
