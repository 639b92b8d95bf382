"""Runs a Pulumi program in this process against the local cloud, and leaves its state file."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import os
import runpy
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi.runtime import set_all_config, set_mocks
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from lifeboat.sandbox.inprocess.config import PROJECT_FILE, RuntimeConfig, read_config, read_project
from lifeboat.sandbox.inprocess.deployment import STACK_TYPE, Deployment
from lifeboat.sandbox.inprocess.errors import DeployError, StoppedError
from lifeboat.sandbox.inprocess.monitor import SandboxMonitor, Step
from lifeboat.sandbox.inprocess.passphrase import Crypter
from lifeboat.sandbox.inprocess.providers import Registry
from lifeboat.sandbox.inprocess.references import StackReader
from lifeboat.sandbox.interrupts import interrupts_cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from pulumi.runtime.mocks import Mocks

    from lifeboat.sandbox.plugin.operations import Backend
    from lifeboat.sandbox.state import Directory


_SDK: Any = SETTINGS
"""The SDK's state of one run; its properties are made by decorators that carry no types."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What an in-process deployment made.

    Attributes:
        deployment: The stack's resources and outputs.
        path: The state file.
        real: Resources that exist in the local cloud.
        recorded: Resources of types that the local cloud lacks: checked, and given outputs.
        seconds: Time the program took.
    """

    deployment: Deployment
    path: Path
    real: int
    recorded: int
    seconds: float


def state_file(directory: Directory, project: str | None, stack: str) -> Path:
    """Where a stack's state file is: ``<stack>.json``, with the project in front when it is not the sandbox's own.

    Args:
        directory: The ``.sandbox/`` directory.
        project: The project; None means the sandbox's own.
        stack: The stack.
    """
    own = directory.path.parent
    is_own = project is None or not (own / PROJECT_FILE).exists() or read_project(own).name == project
    return directory.deployment(stack if is_own else f"{project}.{stack}")


def deploy(  # noqa: PLR0913 - a deployment's circumstances, all independent
    program: Path,
    stack: str,
    *,
    backend: Backend,
    directory: Directory,
    passphrase: str,
    progress: Callable[[Step], None] = lambda _: None,
    note: Callable[[str], None] = lambda text: print(text, file=sys.stderr),  # noqa: T201 - the default outlet
) -> Deployed:
    """Deploy a program's stack into the running local cloud.

    The state file is written whatever happens; after a failure it holds what was made.

    Args:
        program: Directory of ``Pulumi.yaml``.
        stack: The stack; its settings are ``Pulumi.<stack>.yaml`` beside it.
        backend: The running sandbox.
        directory: Takes the state file; other stacks' are read from it.
        passphrase: The sandbox's own, which encrypts secrets in the state file.
        progress: Called after each resource.
        note: Takes what the user should know once.

    Raises:
        ConfigError: when the project or the stack's file cannot be used.
        DeployError: when the program, or a resource, fails.
    """
    project = read_project(program)
    # The user's own encrypted settings open with the user's own passphrase, if there is one.
    config = read_config(program, stack, passphrase=os.environ.get("PULUMI_CONFIG_PASSPHRASE"))
    if config.placeholders:
        note(
            f"{', '.join(config.placeholders)}: encrypted, and PULUMI_CONFIG_PASSPHRASE does not open it: "
            "the sandbox goes on with a placeholder"
        )
    deployment = Deployment(project.name, stack)
    monitor = SandboxMonitor(
        deployment=deployment,
        registry=Registry(backend=backend, project=project.name, stack=stack, config=config),
        stacks=StackReader(lambda owner, name: state_file(directory, owner, name), passphrase),
        progress=progress,
    )
    path = state_file(directory, project.name, stack)
    crypter = Crypter(passphrase)
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        # The state file needs its key at the end; deriving one takes a processor, and leaves Python to the program.
        pool.submit(lambda: crypter.salt)
        try:
            # A context of its own keeps the SDK's settings, which are context variables, from whoever calls.
            contextvars.Context().run(_run, project.main, monitor, deployment, config)
        finally:
            seconds = time.perf_counter() - started
            deployment.write(path, crypter, version=f"v{version('pulumi')}")
    return Deployed(deployment=deployment, path=path, real=monitor.real, recorded=monitor.recorded, seconds=seconds)


def _run(main: Path, monitor: SandboxMonitor, deployment: Deployment, config: RuntimeConfig) -> None:
    """Run the program between the SDK and the monitor. The order matters: others hang."""
    loop = asyncio.new_event_loop()
    # Whatever waited for a failed resource is never awaited: one line tells of the failure, not one a future.
    loop.set_exception_handler(_ignore)
    asyncio.set_event_loop(loop)
    try:
        # With a root resource set, set_mocks does not register a stack of its own beside the program's.
        set_root_resource(cast("pulumi.Resource", object()))
        set_mocks(
            cast("Mocks", None),  # the monitor asks none
            project=deployment.project,
            stack=deployment.stack,
            preview=False,
            logger=logging.getLogger("lifeboat.program"),
            monitor=monitor,
            organization="organization",
        )
        set_root_resource(cast("pulumi.Resource", None))
        set_all_config(config.values, list(config.secret_keys))
        # Left by a run that failed before this one.
        _SDK.rpc_manager.clear()
        _SDK.outputs.clear()
        with _program_surroundings(main):
            _complete(loop, main, monitor)
    finally:
        _close(loop)
    stack = next(r for r in deployment.resources if r.type == STACK_TYPE)
    # The stack comes first in a state file, whichever thread was first.
    deployment.resources.remove(stack)
    deployment.resources.insert(0, stack)


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Take an exception that nobody awaits."""


def _complete(loop: asyncio.AbstractEventLoop, main: Path, monitor: SandboxMonitor) -> None:
    async def program() -> None:
        runpy.run_path(str(main / "__main__.py"), run_name="__main__")
        await _settle()

    task = loop.create_task(run_in_stack(program))
    try:
        with interrupts_cancel(task):
            loop.run_until_complete(task)
    except StoppedError:
        pass
    except pulumi.RunError as fault:
        raise monitor.failure or DeployError(str(fault)) from None
    except Exception as fault:
        raise monitor.failure or DeployError(_describe(fault, main)) from fault
    if monitor.failure is not None:
        raise monitor.failure


async def _settle() -> None:
    """Wait until every output is known, or one has failed.

    The SDK waits for whichever of them comes next and begins anew with all that are left: with a thousand outputs that
    took longer than making the resources. It still does, and finds nothing left.
    """
    manager = _SDK.rpc_manager
    while manager.unhandled_exception is None:
        with _SDK.lock:
            outputs = cast("Iterable[asyncio.Future[Any]]", _SDK.outputs)
            pending = [task for task in outputs if not task.done()]
        if not pending:
            return
        # A registration that failed leaves outputs that never come.
        calls = cast("Iterable[asyncio.Future[Any]]", manager.rpcs)
        watched = [*pending, *(call for call in calls if not call.done())]
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_EXCEPTION)
        if any(task.cancelled() or task.exception() for task in done):
            return


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End what a failed program left behind, and the loop."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.run_until_complete(loop.shutdown_default_executor())
    asyncio.set_event_loop(None)
    loop.close()


@contextlib.contextmanager
def _program_surroundings(main: Path) -> Generator[None]:
    """The working directory, the import path and the arguments that the CLI would give a program."""
    before: tuple[Any, ...] = (Path.cwd(), list(sys.path), list(sys.argv))
    os.chdir(main)
    sys.path.insert(0, str(main))
    sys.argv = ["__main__.py"]
    try:
        yield
    finally:
        os.chdir(before[0])
        sys.path[:] = before[1]
        sys.argv[:] = before[2]


def _describe(fault: Exception, main: Path) -> str:
    """A program's own failure in one line: what, and the last line of the program that led there."""
    frames = [f for f in traceback.extract_tb(fault.__traceback__) if Path(f.filename).is_relative_to(main)]
    frames = [f for f in frames if ".venv" not in Path(f.filename).parts]
    place = f" ({Path(frames[-1].filename).relative_to(main)}:{frames[-1].lineno})" if frames else ""
    return f"program: {type(fault).__name__}: {' '.join(str(fault).split())}{place}"
