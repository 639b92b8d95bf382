"""What this machine has for Lifeboat, what each missing thing costs, and how to get it. Asks no network."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PYTHON = (3, 11)
_PROGRAM = ("pulumi", "pulumi-aws", "pulumi-random", "lifeboat-contract", "boto3")
_SANDBOX = ("moto", "grpcio", "protobuf", "werkzeug")
_CLI_TIMEOUT = 30
"""Seconds that the CLI may take to tell its version or its plugins."""


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    OPTIONAL = "optional"
    """Missing, and needed for some things only."""
    MISSING = "missing"
    """Missing, and nothing works without it."""
    DANGER = "danger"
    """Here, and should not be."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked for."""

    name: str
    state: State
    found: str
    """What is here; never a secret."""
    costs: str = ""
    """What cannot be done without it."""
    get: str = ""
    """How to get it."""


def diagnose(environ: Mapping[str, str], home: Path) -> tuple[Check, ...]:
    """Every check that needs no sandbox.

    Args:
        environ: the environment to judge.
        home: the user's home directory, where credentials may lie.
    """
    return (_python(), *_packages(), *_cli(environ), *_stray_plugins(environ), _credentials(environ, home))


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        return Check(name="Python", state=State.OK, found=found)
    return Check(
        name="Python", state=State.MISSING, found=found, costs="everything", get="install Python 3.11 or newer"
    )


def _packages() -> Iterator[Check]:
    for title, names, state, costs, get in (
        ("packages of the program", _PROGRAM, State.MISSING, "everything", "`make up` installs requirements.txt"),
        (
            "packages of the sandbox",
            _SANDBOX,
            State.OPTIONAL,
            "`lifeboat sandbox`",
            "`make up` installs requirements.txt",
        ),
    ):
        versions = {name: _version(name) for name in names}
        missing = [name for name, version in versions.items() if version is None]
        if missing:
            yield Check(name=title, state=state, found=f"without {', '.join(missing)}", costs=costs, get=get)
        else:
            found = ", ".join(f"{name} {version}" for name, version in versions.items())
            yield Check(name=title, state=State.OK, found=found)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cli(environ: Mapping[str, str]) -> Iterator[Check]:
    path = shutil.which("pulumi", path=environ.get("PATH", ""))
    get = (
        "https://www.pulumi.com/docs/install/, or from Python: "
        "pulumi.automation.PulumiCommand.install() fetches the one that fits the SDK"
    )
    costs = "deploying to AWS, `lifeboat up`; not the sandbox, which runs the program in-process"
    if path is None:
        yield Check(name="Pulumi CLI", state=State.OPTIONAL, found="not on PATH", costs=costs, get=get)
        return
    version = _ask(path, ["version"], environ)
    if version is None or not re.match(r"v?\d+\.\d+\.\d+", version):
        found = f"{path} does not tell its version"
        yield Check(name="Pulumi CLI", state=State.OPTIONAL, found=found, costs=costs, get=get)
        return
    sdk = _version("pulumi")
    note = f", SDK {sdk}" if sdk else ""
    yield Check(name="Pulumi CLI", state=State.OK, found=f"{version} at {path}{note}")
    yield _plugins(path, environ)


def _plugins(path: str, environ: Mapping[str, str]) -> Check:
    """The vendor's provider plugins, which a deployment to AWS needs. The CLI fetches missing ones by itself."""
    try:
        listed: object = json.loads(_ask(path, ["plugin", "ls", "--json"], environ) or "[]")
    except ValueError:
        listed = []
    plugins = cast("list[dict[str, Any]]", listed) if isinstance(listed, list) else []
    have = {
        str(plugin.get("name")): str(plugin.get("version")) for plugin in plugins if plugin.get("kind") == "resource"
    }
    missing = [name for name in ("aws", "random") if name not in have]
    if not missing:
        return Check(name="provider plugins", state=State.OK, found=f"aws {have['aws']}, random {have['random']}")
    return Check(
        name="provider plugins",
        state=State.OPTIONAL,
        found=f"without {', '.join(missing)}",
        costs="the first `pulumi up` to AWS downloads them; without a network it fails; the sandbox has its own",
        get=f"pulumi plugin install resource {missing[0]}",
    )


def _stray_plugins(environ: Mapping[str, str]) -> Iterator[Check]:
    """A plugin on PATH wins over installed ones: the sandbox's would write its IDs into a real stack's state."""
    for name in ("pulumi-resource-aws", "pulumi-resource-random"):
        path = shutil.which(name, path=environ.get("PATH", ""))
        if path is None:
            continue
        if environ.get("LIFEBOAT_SANDBOX_TOKEN"):
            yield Check(name="shell", state=State.OK, found=f"inside `lifeboat sandbox exec`: {name} is the sandbox's")
        else:
            yield Check(
                name=name,
                state=State.DANGER,
                found=f"{path} is on PATH and wins over the installed plugin",
                costs="a deployment to AWS would go through it",
                get=f"take {Path(path).parent} off PATH",
            )


def _credentials(environ: Mapping[str, str], home: Path) -> Check:
    """Where credentials would come from. Their values are not read, and nobody is asked whether they are valid."""
    files = (
        Path(environ.get("AWS_SHARED_CREDENTIALS_FILE", home / ".aws" / "credentials")),
        Path(environ.get("AWS_CONFIG_FILE", home / ".aws" / "config")),
    )
    sources = (
        ("the sandbox's fake ones", bool(environ.get("LIFEBOAT_SANDBOX_TOKEN"))),
        ("environment variables", bool(environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"))),
        ("a web identity token", bool(environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"))),
        (f"the profile {environ.get('AWS_PROFILE', '')}", bool(environ.get("AWS_PROFILE"))),
        *((str(file), file.is_file()) for file in files),
    )
    found = next((source for source, here in sources if here), None)
    if found is not None:
        return Check(name="AWS credentials", state=State.OK, found=f"{found} (not tried)")
    return Check(
        name="AWS credentials",
        state=State.OPTIONAL,
        found="none in the environment or in files",
        costs="deploying to AWS from here; the sandbox needs none; on an instance the role is used",
        get="aws configure sso, or AWS_PROFILE",
    )


def _ask(path: str, arguments: list[str], environ: Mapping[str, str]) -> str | None:
    """What a local command prints, None when it fails or does not end."""
    quiet = {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(  # noqa: S603  (the CLI that was found, with fixed arguments)
            [path, *arguments], env=quiet, capture_output=True, text=True, timeout=_CLI_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
