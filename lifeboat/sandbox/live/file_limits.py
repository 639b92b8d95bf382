"""How large a database's files may grow: for its processes now, and for those that it is started with later."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.state import SandboxError, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_FILE: Final = "file-limit"
"""Beside a database's ``server.conf``, for as long as a fault limits its files [bytes]."""


def keep(directory: Path, size: int | None) -> None:
    """Have the server of a directory start with a limit in bytes from now on, None: without."""
    if size is None:
        (directory / LIMIT_FILE).unlink(missing_ok=True)
    else:
        write_private(directory / LIMIT_FILE, f"{size}\n")


def standing(directory: Path) -> Mapping[str, int]:
    """The limits that the server of a directory starts with, as `processes.Server` takes them."""
    try:
        return {"RLIMIT_FSIZE": int((directory / LIMIT_FILE).read_text())}
    except FileNotFoundError:
        return {}


def limit_files(pid: int, size: int | None) -> None:
    """Limit the size in bytes of the files that a process may write, None: no limit; a process that is gone is fine.

    Raises:
        SandboxError: when the system does not let us.
    """
    soft = resource.RLIM_INFINITY if size is None else size
    try:
        owner = Path(f"/proc/{pid}").stat()
        # The hard limit stays: what is lowered there, only root may raise again.
        if owner.st_uid == os.geteuid():
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        else:
            _limit_as(owner, pid, "unlimited" if size is None else str(size))
    except (FileNotFoundError, ProcessLookupError):
        return
    except PermissionError as fault:
        raise SandboxError(f"process {pid}: its files cannot be limited: {fault.strerror}") from fault


def _limit_as(owner: os.stat_result, pid: int, size: str) -> None:
    """Root of a container may lack the right to limit others' processes; their own user has it."""
    program = shutil.which("prlimit")
    if program is None:
        raise SandboxError("prlimit is not on PATH: install util-linux; root limits a database's files with it")
    done = subprocess.run(  # noqa: S603 - two numbers
        [program, f"--pid={pid}", f"--fsize={size}:"],
        user=owner.st_uid,
        group=owner.st_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and Path(f"/proc/{pid}").exists():
        raise SandboxError(f"process {pid}: its files cannot be limited: {done.stderr.strip()}")
