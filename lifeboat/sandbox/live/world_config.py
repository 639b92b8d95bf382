"""What a living sandbox is told: at its start how it runs, and once the stack is deployed what its sites serve."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from lifeboat.sandbox.live.effects import INSTANT
from lifeboat.sandbox.state import SandboxInputError, write_private

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from lifeboat_contract import Contract

TIME_SCALE: Final = 60.0
"""A minute of AWS's control plane takes a second, unless told otherwise."""
FASTEST: Final = 30.0
"""Times that detection can be faster: beyond, a lease lasts no longer than what it waits for takes for real."""
_NETWORK: Final = "network.json"


def parse_time_scale(text: str) -> float | None:
    """Read ``60`` or ``instant``; None means that effects take no time.

    Raises:
        SandboxInputError: when it is neither.
    """
    if text == INSTANT:
        return None
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 0 < scale < math.inf:
        raise SandboxInputError(f"--time-scale: {text}: a positive number such as 60, or {INSTANT!r}")
    return scale


def require_detection_scale(scale: float) -> float:
    """See that detection can be so many times faster.

    Raises:
        SandboxInputError: when it cannot.
    """
    if not 1 <= scale <= FASTEST:
        raise SandboxInputError(f"--detection-scale: {scale:g}: a number from 1 to {FASTEST:g}")
    return scale


@dataclass(frozen=True, kw_only=True)
class Live:
    """How a sandbox lives.

    Attributes:
        regions: The stack's, sites first, home before all; then the witness.
        seed: Same seed, same durations.
        time_scale: How many times faster than real the control plane's effects are; None: they take no time. Real I/O
            is never scaled.
        resume: Start servers with the data of an earlier life. The control plane is always deployed anew: what the API
            knew beyond the stack (snapshots, switches) is gone, but for who writes. Faults that stood come back once
            everything is ready.
        detection_scale: How many times faster than declared a loss is found and traffic is switched, from 1 to
            `FASTEST`: leases, wardens, health checks, alarms, TTLs.
    """

    regions: tuple[str, ...]
    seed: int = 0
    time_scale: float | None = TIME_SCALE
    resume: bool = False
    detection_scale: float = 1.0

    def arguments(self) -> list[str]:
        """As arguments of the gateway's process."""
        scale = INSTANT if self.time_scale is None else repr(self.time_scale)
        told = ["--live", ",".join(self.regions), "--seed", str(self.seed), "--time-scale", scale]
        told += ["--detection-scale", repr(self.detection_scale)]
        return [*told, "--resume"] if self.resume else told

    @staticmethod
    def describe(parser: argparse.ArgumentParser) -> None:
        """Have a parser know these arguments."""
        parser.add_argument("--live", metavar="REGIONS", help="have real servers behind the APIs, in these regions")
        parser.add_argument("--seed", type=int, default=0, help="of the durations (default: %(default)s)")
        parser.add_argument("--time-scale", default=repr(TIME_SCALE), help="divides durations, or 'instant'")
        parser.add_argument("--detection-scale", type=float, default=1.0, help="divides what detection waits for")
        parser.add_argument("--resume", action="store_true", help="keep the data of an earlier life")

    @classmethod
    def read(cls, arguments: argparse.Namespace) -> Self | None:
        """What a parser found; None: the sandbox does not live.

        Raises:
            SandboxInputError: when the time scale is none.
        """
        if arguments.live is None:
            return None
        return cls(
            regions=tuple(arguments.live.split(",")),
            seed=arguments.seed,
            time_scale=parse_time_scale(arguments.time_scale),
            resume=arguments.resume,
            detection_scale=arguments.detection_scale,
        )


@dataclass(frozen=True, kw_only=True)
class SitePlan:
    """What one region's site serves from.

    Attributes:
        region: Where it is.
        database: ARN of its own database.
        host: The database's name that takes writes whenever the site is active.
        port: TCP.
        name: The database's own.
        secret: ARN of the master password, in the same region.
        hosts: Names of the site's endpoints, which never fail over.
    """

    region: str
    database: str
    host: str
    port: int
    name: str
    secret: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StackPlan:
    """What a deployed stack serves.

    Attributes:
        home: The site that is active when nothing is wrong.
        names: Host names that fail over.
        sites: Those that have a database to serve from.
    """

    home: str
    names: tuple[str, ...]
    sites: tuple[SitePlan, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """Of its sites."""
        return tuple(site.region for site in self.sites)


def plan_of(contract: Contract) -> StackPlan:
    """What a stack's contract says that its sites serve: each from the first database that has a secret.

    A stack without names has no service that a client could reach, and so no site here.
    """
    dns = contract.dns
    if dns is None:
        return StackPlan(home=contract.home, names=(), sites=())
    sites: list[SitePlan] = []
    for region, site in contract.sites.items():
        for database in site.databases.values():
            if database.secret_arn is None:
                continue
            sites.append(
                SitePlan(
                    region=region,
                    database=database.arn,
                    host=database.writer_endpoint,
                    port=database.port,
                    name=database.database,
                    secret=database.secret_arn,
                    hosts=tuple(sorted(names[region] for names in dns.targets.values() if region in names)),
                )
            )
            break
    return StackPlan(home=contract.home, names=tuple(sorted(dns.names.values())), sites=tuple(sites))


def save_network(directory: Path, block: str, given: Mapping[str, str]) -> None:
    """Keep which addresses a sandbox has, for a life that resumes it."""
    write_private(directory / _NETWORK, json.dumps({"block": block, "given": dict(given)}, indent=1) + "\n")


def load_network(directory: Path) -> tuple[str | None, Mapping[str, str]]:
    """Block and addresses by name of an earlier life; None without one."""
    try:
        found = cast("dict[str, Any]", json.loads((directory / _NETWORK).read_text()))
        return str(found["block"]), dict(found["given"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None, {}


def sites_first(home: str, sites: Sequence[str], witness: str | None) -> tuple[str, ...]:
    """A stack's regions in the order that `Live` wants, each once."""
    return tuple(dict.fromkeys(filter(None, (home, *sites, witness))))
