"""The one state file that an in-process ``up`` writes: a Pulumi deployment, as ``pulumi stack export`` has it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lifeboat.sandbox.plugin.wire import holds_secret, reveal, to_state
from lifeboat.sandbox.state import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from lifeboat.sandbox.inprocess.passphrase import Crypter

STACK_TYPE = "pulumi:pulumi:Stack"
_VERSION = 3


def make_urn(*, stack: str, project: str, parent: str, type_token: str, name: str) -> str:
    """The URN that the engine would give.

    Args:
        stack: The stack's name.
        project: The project's name.
        parent: The parent's URN, empty for none. Its types qualify the new one; the stack's own does not.
        type_token: The resource's type.
        name: The resource's logical name.
    """
    if parent:
        qualifier = parent.split("::", 3)[2]
        if qualifier != STACK_TYPE:
            type_token = f"{qualifier}${type_token}"
    return f"urn:pulumi:{stack}::{project}::{type_token}::{name}"


@dataclass(kw_only=True)
class ResourceState:
    """One resource of a deployment.

    Attributes:
        urn: Its URN.
        type: Its type token.
        custom: Whether a provider manages it.
        id: The provider's identifier; None for components.
        inputs: Checked inputs, secrets marked.
        outputs: Outputs, secrets marked.
        parent: The parent's URN, or empty.
        provider: ``urn::id`` of the provider, or empty.
        dependencies: URNs it depends on.
        property_dependencies: The same by input property.
        protect: Whether it may not be deleted.
        external: Whether it was only read.
        import_id: The identifier it was adopted by, or empty.
        additional_secret_outputs: Outputs that the program declared secret.
        ignore_changes: Inputs whose changes the program ignores.
        retain_on_delete: Whether deleting it leaves the real thing.
        deleted_with: URN of what takes it along when deleted, or empty.
        seconds: Time its operation took.
    """

    urn: str
    type: str
    custom: bool
    id: str | None = None
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list[str])
    property_dependencies: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    protect: bool = False
    external: bool = False
    import_id: str = ""
    additional_secret_outputs: list[str] = field(default_factory=list[str])
    ignore_changes: list[str] = field(default_factory=list[str])
    retain_on_delete: bool = False
    deleted_with: str = ""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[3]

    def to_json(self, crypter: Crypter) -> dict[str, Any]:
        """The resource as the state file has it; what is empty is left out, as the CLI does."""
        time = self.created.isoformat().replace("+00:00", "Z")
        whole = {
            "urn": self.urn,
            "custom": self.custom,
            "id": self.id,
            "type": self.type,
            "inputs": to_state(self.inputs, crypter.encrypt),
            "outputs": to_state(self.outputs, crypter.encrypt),
            "parent": self.parent,
            "protect": self.protect,
            "external": self.external,
            "dependencies": self.dependencies,
            "provider": self.provider,
            "propertyDependencies": self.property_dependencies,
            "additionalSecretOutputs": self.additional_secret_outputs,
            "importID": self.import_id,
            "retainOnDelete": self.retain_on_delete,
            "deletedWith": self.deleted_with,
            "created": time,
            "modified": time,
            "ignoreChanges": self.ignore_changes,
        }
        return {key: value for key, value in whole.items() if value or key in {"urn", "custom", "type"}}


@dataclass
class Deployment:
    """A stack's resources, each after everything it depends on."""

    project: str
    stack: str
    resources: list[ResourceState] = field(default_factory=list[ResourceState])

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets marked; empty before the program exported any."""
        for resource in self.resources:
            if resource.type == STACK_TYPE:
                return resource.outputs
        return {}

    @property
    def plain_outputs(self) -> dict[str, Any]:
        """The stack's outputs with secrets readable: for the program's own caller, never for printing."""
        return reveal(self.outputs)

    @property
    def shown_outputs(self) -> dict[str, Any]:
        """The stack's outputs for printing: one that holds a secret is ``[secret]`` whole, as the CLI shows it."""
        return {name: "[secret]" if holds_secret(value) else value for name, value in self.outputs.items()}

    def write(self, path: Path, crypter: Crypter, *, version: str) -> None:
        """Write the state file, readable by its owner only.

        Args:
            path: The file.
            crypter: Encrypts secrets; its salt goes into the file, so that the CLI can open them with the passphrase.
            version: Version of the SDK that made the deployment.
        """
        document = {
            "version": _VERSION,
            "deployment": {
                "manifest": {
                    "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                    # The CLI checks a file's integrity by this digest of the version.
                    "magic": hashlib.sha256(version.encode()).hexdigest(),
                    "version": version,
                },
                "secrets_providers": {"type": "passphrase", "state": {"salt": crypter.salt}},
                "resources": [resource.to_json(crypter) for resource in self.resources],
                "metadata": {},
            },
        }
        write_private(path, json.dumps(document, indent=4) + "\n")
