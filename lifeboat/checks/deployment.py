"""A stack's resources, by deploying it into a local cloud that is thrown away."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import DIRECTORY_NAME, Directory
from lifeboat.sandbox.up import up

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def deployed_state(root: Path, stack: str, progress: Callable[[str], None]) -> str:
    """Deploy a stack, and give the text of the state that this made. Nothing of it is left.

    Args:
        root: The project's directory; its own ``.sandbox/`` is not touched.
        stack: The stack's name.
        progress: Told what happens, a line at a time.

    Raises:
        SandboxError: when the local cloud does not start, or the program or a resource fails.
    """
    with throwaway() as directory:
        return up(stack, directory, root=root, progress=progress).state.read_text(encoding="utf-8")


@contextlib.contextmanager
def throwaway() -> Generator[Directory]:
    """A directory for a local cloud of its own; afterwards that cloud is ended and the directory removed.

    Also after Ctrl-C, and after the request to end that a CI system makes when it cancels a job.
    """
    path = Path(tempfile.mkdtemp(prefix="lifeboat-check-"))
    directory = Directory(path / DIRECTORY_NAME)
    try:
        with _termination_unwinds():
            yield directory
    finally:
        # Where the gateway does not end, this raises and the directory stays: it says which process it is.
        supervisor.stop(directory)
        shutil.rmtree(path)


@contextlib.contextmanager
def _termination_unwinds() -> Generator[None]:
    """Let SIGTERM raise as SIGINT does, instead of ending the process where it stands."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
