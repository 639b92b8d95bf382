"""A `pulumi` executable that answers from a script and records how it was called."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = """#!{python}
import json, sys
from pathlib import Path

home = Path({home!r})
arguments = sys.argv[1:]
with (home / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
script = json.loads((home / "script").read_text())
targets = ",".join(arguments[at + 1] for at, flag in enumerate(arguments) if flag == "--target")
key = " ".join([*(word for word in arguments[:2] if not word.startswith("-")), targets]).strip()
answers = script.get(key)
if not answers:
    sys.exit(f"no answer for {{key!r}}")
answer = answers.pop(0)
(home / "script").write_text(json.dumps(script))
sys.stdout.write(answer["stdout"])
sys.exit(answer["code"])
"""


@dataclass(frozen=True)
class FakePulumi:
    """Put `directory` on PATH; `say` before, `calls` after."""

    directory: Path

    @classmethod
    def install(cls, home: Path) -> FakePulumi:
        """Write the executable into a directory of its own."""
        directory = home / "bin"
        directory.mkdir(parents=True)
        program = directory / "pulumi"
        program.write_text(_PROGRAM.format(python=sys.executable, home=str(directory)))
        program.chmod(0o755)
        (directory / "script").write_text("{}")
        return cls(directory)

    @property
    def path(self) -> str:
        """A PATH on which it is found first."""
        return f"{self.directory}{os.pathsep}{os.environ['PATH']}"

    def say(self, command: str, document: object = "", code: int = 0) -> None:
        """Answer one more call of a command, such as `preview **us-west-2**`; after the answers that are there."""
        file = self.directory / "script"
        script = json.loads(file.read_text())
        text = document if isinstance(document, str) else json.dumps(document)
        script.setdefault(command, []).append({"stdout": text, "code": code})
        file.write_text(json.dumps(script))

    def calls(self) -> list[list[str]]:
        """The arguments of every call, in order."""
        file = self.directory / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def urn(name: str, kind: str = "aws:rds/cluster:Cluster") -> str:
    """A URN as the engine writes it."""
    return f"urn:pulumi:reskflow::lifeboat::lifeboat:aws:Database${kind}::{name}"


def step(operation: str, name: str, *, protect: bool = False, provider: str = "us-west-2") -> dict[str, Any]:
    """One step of a preview."""
    state = {
        "urn": urn(name),
        "type": "aws:rds/cluster:Cluster",
        "protect": protect,
        "provider": f"urn:pulumi:reskflow::lifeboat::pulumi:providers:aws::aws-{provider}::id",
    }
    return {"op": operation, "urn": urn(name), "oldState": None if operation == "create" else state, "newState": state}


def digest(*steps: dict[str, Any], errors: tuple[str, ...] = ()) -> dict[str, Any]:
    """A preview, with the root stack that every one has."""
    root = {"op": "same", "urn": "urn:pulumi:reskflow::lifeboat::pulumi:pulumi:Stack::lifeboat-reskflow"}
    return {
        "steps": [root, *steps],
        "diagnostics": [{"severity": "error", "message": f"error: {message}\n"} for message in errors],
    }


def needs(name: str, needed: str) -> str:
    """The engine's words when a target depends on a new resource that is no target."""
    return f"Resource '{urn(name)}' depends on '{urn(needed)}' which was was not specified in --target list."


def state(*names: str) -> dict[str, Any]:
    """An exported state with these resources."""
    resources: list[dict[str, Any]] = [{"urn": "urn:x", "type": "pulumi:pulumi:Stack", "custom": False}]
    resources += [{"urn": urn(name), "type": "aws:rds/cluster:Cluster", "custom": True} for name in names]
    return {"version": 3, "deployment": {"resources": resources}}
