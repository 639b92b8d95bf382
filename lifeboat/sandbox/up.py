"""``sandbox up``: a stack's whole program in a local cloud that starts from nothing, or on data of an earlier life."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifeboat.model.settings.load import from_stack_file
from lifeboat.model.topology import resolve
from lifeboat.sandbox import supervisor
from lifeboat.sandbox.catalogue.loader import load
from lifeboat.sandbox.environment import PASSPHRASE
from lifeboat.sandbox.interrupts import interrupts_held
from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.live.world_config import TIME_SCALE, Live, sites_first
from lifeboat.sandbox.live.writers import past
from lifeboat.sandbox.state import SandboxError, SandboxInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from lifeboat.model.design import Topology
    from lifeboat.model.settings import Settings
    from lifeboat.sandbox.inprocess.monitor import Step
    from lifeboat.sandbox.inprocess.run import Deployed
    from lifeboat.sandbox.state import Directory, Record


READY_DEADLINE = 90.0
"""Seconds that servers may take after a deployment; two are usual, since they start while it runs."""
_CALL = 30.0
"""Seconds that a control call may take which asks or starts servers."""
_LOOK = 0.1


@dataclass(frozen=True, kw_only=True)
class Living:
    """How the servers of a stack live.

    Attributes:
        seed: Same seed, same durations.
        time_scale: How many times faster than real the control plane's effects are; None: they take no time.
        resume: Start servers with the data of an earlier life, see `Live`.
        detection_scale: How many times faster than declared a loss is found, see `Live`.
        wardens: Have the stack's lease and wardens decide who writes; without, whoever moves a database moves it all.
    """

    seed: int = 0
    time_scale: float | None = TIME_SCALE
    resume: bool = False
    detection_scale: float = 1.0
    wardens: bool = True


class NoStackError(SandboxInputError):
    """There is no such ``Pulumi.<stack>.yaml``."""


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """What an ``up`` made.

    Attributes:
        settings: The stack's settings.
        topology: What they resolve to.
        record: The running sandbox.
        outputs: The stack's outputs as plain values; secrets are readable in them, so they are never printed whole.
        state: The state file.
        real: Resources that exist in the local cloud.
        recorded: Resources of types that the local cloud lacks.
        elapsed_s: Seconds from the command to the last resource, and to the last server that is ready.
        live: How the sandbox lives, as `world_status.document` describes it; None: APIs alone.
    """

    settings: Settings
    topology: Topology
    record: Record
    outputs: dict[str, Any]
    state: Path
    real: int
    recorded: int
    elapsed_s: float
    live: dict[str, Any] | None = None

    @property
    def contract(self) -> dict[str, Any]:
        """The contract that app teams read; no secret is in it."""
        return self.outputs["contract"]


def up(
    stack: str,
    directory: Directory,
    *,
    progress: Callable[[str], None],
    living: Living | None = None,
    root: Path | None = None,
) -> UpResult:
    """Deploy a stack into a fresh local cloud; one that runs already in the same directory is replaced.

    Args:
        stack: Names a ``Pulumi.<stack>.yaml``.
        directory: The project's ``.sandbox/``, or any other that takes the local cloud.
        progress: Told what happens, a line at a time.
        living: How its servers live; None: there are none, the APIs alone answer.
        root: The project's directory; what `directory` lies in where none is told.

    Raises:
        NoStackError: when there is no such stack.
        SettingsError: when its settings have faults, before anything is started.
        Refused: when they cannot be met, before anything is started.
        SandboxError: when the local cloud does not start, a resource fails, or a server does not become ready; then the
            state file holds what was made, and the local cloud still runs.
        KeyboardInterrupt: after Ctrl-C; then nothing runs any more, and data are left only where they were resumed.
    """
    started = time.perf_counter()
    root = root or directory.path.parent
    file = _stack_file(root, stack)
    settings = from_stack_file(file.read_text(encoding="utf-8"), file.name)
    topology = resolve(settings)
    live = None if living is None else _live(living, topology, directory)
    with _stopped_by_interrupt(directory, progress, keep_data=live is not None and live.resume):
        progress("starting the local cloud")
        with ThreadPoolExecutor(1) as pool:
            # The gateway takes seconds to start, and reading what a deployment needs some more: side by side. The
            # reading goes to the thread: Ctrl-C reaches the main one alone, which has to end what it started.
            read = pool.submit(_read_ahead)
            record = supervisor.start(directory, stack=stack, account=settings.account, home=settings.home, live=live)
            read.result()
        progress(f"deploying {stack} into {record.endpoint}")
        deployed = deploy_into(root, stack, directory=directory, record=record, progress=progress)
        outputs = deployed.deployment.plain_outputs
        if live is not None:
            progress("starting its sites")
            document = {"contract": outputs["contract"]}
            if living is not None and living.wardens:
                # The serializer would turn an interrupt in its midst into an error of its own.
                with interrupts_held():
                    document["settings"] = json.loads(settings.document())
            supervisor.control(record, "POST", "stack", document, deadline=_CALL)
        return UpResult(
            settings=settings,
            topology=topology,
            record=record,
            outputs=outputs,
            state=deployed.path,
            real=deployed.real,
            recorded=deployed.recorded,
            live=None if live is None else _come_alive(record, progress),
            elapsed_s=time.perf_counter() - started,
        )


@contextlib.contextmanager
def _stopped_by_interrupt(directory: Directory, progress: Callable[[str], None], *, keep_data: bool) -> Generator[None]:
    """Stop the local cloud when Ctrl-C ends what is done with it: half deployed it is of no use."""
    try:
        yield
    except KeyboardInterrupt:
        # Another Ctrl-C, of somebody impatient, must not leave servers behind.
        with interrupts_held():
            # At a terminal, whoever reads these lines may have been interrupted too.
            with contextlib.suppress(OSError):
                progress("interrupted: stopping the local cloud")
            supervisor.stop(directory, keep_data=keep_data)
            with contextlib.suppress(OSError):
                progress(f"the local cloud is stopped{', its data are kept' if keep_data else ''}")
        raise


def _live(living: Living, topology: Topology, directory: Directory) -> Live:
    if sys.platform != "linux":
        raise SandboxInputError(f"servers need Linux, and this is {sys.platform}: --bare has the APIs alone")
    # Asked for here only to be refused before anything is stopped or started.
    lent_account()
    home = topology.home.region
    if living.resume:
        # The gateway reads it; here what cannot be resumed is refused before anything is stopped.
        past(directory.data, home)
    return Live(
        regions=sites_first(home, [site.region for site in topology.sites], topology.witness),
        seed=living.seed,
        time_scale=living.time_scale,
        resume=living.resume,
        detection_scale=living.detection_scale,
    )


def _come_alive(record: Record, progress: Callable[[str], None]) -> dict[str, Any] | None:
    await_ready(record, progress)
    supervisor.control(record, "POST", "ready", deadline=_CALL)
    return supervisor.living(record)


def await_ready(
    record: Record, progress: Callable[[str], None] = lambda _: None, deadline: float = READY_DEADLINE
) -> None:
    """Wait until every server of a living sandbox is ready, replicas follow and names answer.

    Args:
        record: The running sandbox.
        progress: Told of each part when it is ready.
        deadline: Seconds to wait.

    Raises:
        SandboxError: when the deadline is over, naming the part that is not ready and its log.
    """
    end = time.monotonic() + deadline
    told: set[str] = set()
    while True:
        parts = supervisor.parts(record)
        waiting = [part for part in parts if not part["ready"]]
        for part in parts:
            if part["ready"] and part["part"] not in told:
                told.add(part["part"])
                progress(f"{part['part']}: {part['detail']}")
        if not waiting:
            return
        if time.monotonic() > end:
            first = waiting[0]
            raise SandboxError(f"{first['part']} is not ready: {first['detail']}: see {first['log']}")
        # The parts take seconds, and looking at them takes them time; the gateway answers, and never calls.
        time.sleep(_LOOK)


def deploy_into(
    program: Path,
    stack: str,
    *,
    directory: Directory,
    record: Record,
    progress: Callable[[str], None] = lambda _: None,
) -> Deployed:
    """Deploy any program's stack into a sandbox that runs: the platform's own, or an app team's.

    Args:
        program: Directory of the program's ``Pulumi.yaml``.
        stack: The stack's name.
        directory: The sandbox's directory; takes the state file, and gives other stacks' outputs.
        record: The running sandbox.
        progress: Told what happens, a line at a time.

    Raises:
        ConfigError: when the project's or the stack's file cannot be used.
        DeployError: when the program or a resource fails.
    """
    # Imported here: the SDK takes a second, which `status` and `env` need not pay.
    from lifeboat.sandbox.inprocess.run import deploy  # noqa: PLC0415
    from lifeboat.sandbox.plugin.executables import write_executables  # noqa: PLC0415
    from lifeboat.sandbox.plugin.operations import Backend  # noqa: PLC0415

    write_executables(directory.bin)
    return deploy(
        program,
        stack,
        backend=Backend(endpoint=record.endpoint, account=record.account),
        directory=directory,
        passphrase=PASSPHRASE,
        progress=lambda step: progress(_line(step)),
        note=progress,
    )


def _line(step: Step) -> str:
    kind = step.type.rpartition(":")[2]
    return f"{step.done:4d}  {step.seconds:6.2f} s  {kind} {step.name}{' (recorded)' if step.recorded else ''}"


def _stack_file(root: Path, stack: str) -> Path:
    # Compared with what there is, so that a name with a slash never becomes a path.
    found = (path for path in root.glob("Pulumi.*.yaml") if path.is_file())
    files = {path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path for path in found}
    if stack not in files:
        raise NoStackError(f"STACK: {stack}: there are {', '.join(sorted(files)) or 'none'} in {root}")
    return files[stack]


def _read_ahead() -> None:
    """Read the SDK's types and the shapes of calls, which resources would wait for one by one."""
    from lifeboat.sandbox.provider.coverage import carried  # noqa: PLC0415 - imported here, see `deploy_into`

    for entry in load():
        carried(entry)
