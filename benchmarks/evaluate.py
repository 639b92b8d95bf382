"""Program evaluation alone, as a process of its own: a preview against a monitor that only answers.

``python -m benchmarks.evaluate SERVICES`` prints the resources and the seconds from settings to the last registration.
Each service brings a database, a cache, a bucket, a secret and a public name.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, cast

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.stack import run_in_stack

from lifeboat.model.settings.load import load
from lifeboat.model.topology import resolve
from stacks.build import build


class Echo(Mocks):
    """Answers with the inputs; whatever else a resource has is unknown, as in a preview."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """The inputs themselves."""
        return None, cast("dict[str, Any]", args.inputs)

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        """Nothing: the program looks nothing up."""
        raise LookupError(args.token)


def settings_of(services: int) -> dict[str, Any]:
    """A stack of that many services."""
    names = [f"s{number:03d}" for number in range(services)]
    return {
        "system": "bench",
        "environment": "load",
        "account": "123456789012",
        "objectives": {
            "stack": {"rto": "15m", "rpo": "5m"},
            "services": [{"name": name, "rto": "15m"} for name in names],
        },
        "home": "us-east-1",
        "sites": [{"region": "us-east-1", "cidr": "10.10.0.0/16"}, {"region": "us-west-2", "cidr": "10.20.0.0/16"}],
        "witness": "us-east-2",
        "approval": "automatic",
        "databases": [{"name": f"{name}-db", "services": [name]} for name in names],
        "caches": [{"name": f"{name}-cache", "services": [name]} for name in names],
        "object_stores": [{"name": f"{name}-files", "services": [name], "rpo": "1h"} for name in names],
        "secrets": [{"name": f"{name}-key"} for name in names],
        "dns": {"zone": "bench.example.com", "endpoints": [{"name": name} for name in names]},
    }


def main() -> None:
    """Evaluate once and print."""
    config = settings_of(int(sys.argv[1]))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor = MockMonitor(Echo())
    set_mocks(Echo(), project="lifeboat", stack="bench", preview=True, monitor=monitor)
    pulumi.runtime.settings.set_root_resource(None)  # pyright: ignore[reportArgumentType] - set_mocks made a stack of its own

    def program() -> None:
        settings = load(config)
        for name, value in build(settings, resolve(settings)).items():
            pulumi.export(name, value)

    started = time.perf_counter()
    loop.run_until_complete(run_in_stack(program))
    seconds = time.perf_counter() - started
    print(len(monitor.resources), f"{seconds:.3f}")  # noqa: T201 - what the parent reads
    loop.close()


if __name__ == "__main__":
    main()
