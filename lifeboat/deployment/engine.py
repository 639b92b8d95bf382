"""The Pulumi CLI as a process: previews read, updates streamed, nothing decided."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lifeboat.deployment.changes import Preview, read_preview
from lifeboat.deployment.project import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class EngineError(Exception):
    """The CLI failed. One line; what it printed went to stderr."""


def find_cli(environ: Mapping[str, str]) -> str:
    """Path of the `pulumi` executable.

    Raises:
        InputError: without one on PATH.
    """
    found = shutil.which("pulumi", path=environ.get("PATH", ""))
    if found is None:
        raise InputError(
            "no Pulumi CLI on PATH: `lifeboat doctor` says how to get one; `lifeboat sandbox up` needs none"
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One stack of one project, through the CLI."""

    executable: str
    directory: Path
    stack: str
    environ: Mapping[str, str]

    @classmethod
    def here(cls, directory: Path, stack: str) -> Engine:
        """The CLI on PATH, with this process's environment.

        Raises:
            InputError: without a CLI.
        """
        return cls(executable=find_cli(os.environ), directory=directory, stack=stack, environ=dict(os.environ))

    def export(self) -> dict[str, Any]:
        """The stack's state, secrets encrypted.

        Raises:
            EngineError: if the backend does not answer, or has no such stack.
        """
        done = self._run(["stack", "export"], capture=True)
        if done.returncode:
            raise EngineError(
                f"`pulumi stack export` failed for {self.stack}: is the backend reachable, the stack made?"
            )
        return cast("dict[str, Any]", json.loads(done.stdout))

    def preview(self, targets: Sequence[str] = ()) -> Preview:
        """What an update of the targets, or of everything, would do.

        Raises:
            EngineError: if the preview fails for another reason than a target that needs something outside.
        """
        done = self._run(["preview", "--json", *_flags(targets)], capture=True)
        try:
            preview = read_preview(json.loads(done.stdout))
        except ValueError:
            raise EngineError(f"`pulumi preview` failed for {self.stack}") from None
        if done.returncode and not preview.needs:
            raise EngineError(
                f"`pulumi preview` failed for {self.stack}: {next(iter(preview.errors), 'no reason given')}"
            )
        return preview

    def update(self, targets: Sequence[str] = ()) -> None:
        """Carry out what was previewed.

        Raises:
            EngineError: if the update fails.
        """
        if self._run(["up", "--yes", "--skip-preview", *_flags(targets)], capture=False).returncode:
            raise EngineError(f"`pulumi up` failed for {self.stack}; the state holds what was done")

    def _run(self, arguments: list[str], *, capture: bool) -> subprocess.CompletedProcess[str]:
        # What the CLI prints for people goes to stderr: stdout is this command's own, and may be JSON.
        return subprocess.run(  # noqa: S603  (a fixed program; the arguments are ours, the stack is one that exists)
            [self.executable, *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.directory,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else sys.stderr.fileno(),
            text=True,
            check=False,
        )


def _flags(targets: Sequence[str]) -> list[str]:
    """Targets by glob. Never `--exclude`, which can leave a state that fails its own integrity check.

    A targeted run never refreshes, whatever the project's options say: a refresh would ask the sites left out.
    """
    return [flag for target in targets for flag in ("--target", f"**{target}**")] + (
        ["--refresh=false"] if targets else []
    )
