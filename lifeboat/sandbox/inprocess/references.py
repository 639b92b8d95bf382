"""StackReferences of an in-process program: other stacks' outputs, from their state files in ``.sandbox/``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from lifeboat.sandbox.inprocess.deployment import STACK_TYPE
from lifeboat.sandbox.inprocess.errors import DeployError
from lifeboat.sandbox.inprocess.passphrase import Crypter
from lifeboat.sandbox.plugin.wire import SECRET, SIGNATURE, Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFERENCE_TYPE = "pulumi:pulumi:StackReference"


class StackReader:
    """Reads state files of one directory.

    Args:
        find: Project and stack → state file, which need not exist; the project is None when the reference names none.
        passphrase: Opens their secrets.
    """

    def __init__(self, find: Callable[[str | None, str], Path], passphrase: str) -> None:
        self._find = find
        self._passphrase = passphrase

    def read(self, inputs: dict[str, Any], identifier: str) -> dict[str, Any]:
        """The outputs of a ``StackReference``: name, outputs and which of them are secret.

        Args:
            inputs: The reference's inputs; ``name`` is ``STACK`` or ``ORGANIZATION/PROJECT/STACK``.
            identifier: Used when there is no name.

        Raises:
            DeployError: when no such stack was deployed into this sandbox.
        """
        name = cast("str", inputs.get("name") or identifier)
        *qualifiers, stack = name.split("/")
        project = qualifiers[-1] if len(qualifiers) > 1 else None
        outputs = self._outputs(self._find(project, stack), name)
        secret_names = sorted(key for key, value in outputs.items() if isinstance(value, Secret))
        return {"name": name, "outputs": outputs, "secretOutputNames": secret_names}

    def _outputs(self, path: Path, name: str) -> dict[str, Any]:
        try:
            document = json.loads(path.read_text())["deployment"]
        except FileNotFoundError:
            raise DeployError(
                f"StackReference {name}: the sandbox has no such stack: deploy it first, it leaves {path.name}"
            ) from None
        crypter = Crypter.from_salt(self._passphrase, document["secrets_providers"]["state"]["salt"])
        outputs: dict[str, Any] = {}
        for resource in cast("list[dict[str, Any]]", document["resources"]):
            if resource["type"] == STACK_TYPE:
                outputs = resource.get("outputs", {})
        return {key: _open(value, crypter) for key, value in outputs.items()}


def _open(value: Any, crypter: Crypter) -> Any:  # noqa: ANN401 - JSON-like
    """A value of a state file, its secrets decrypted and marked; secretness is per top-level output, as in the SDK."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.get(SIGNATURE) == SECRET:
            return Secret(json.loads(crypter.decrypt(mapping["ciphertext"])))
        return {key: _open(item, crypter) for key, item in mapping.items()}
    if isinstance(value, list):
        return [_open(item, crypter) for item in cast("list[Any]", value)]
    return value
