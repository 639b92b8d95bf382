"""A stack's runtime configuration, as the CLI would hand it to the program.

``Pulumi.yaml`` gives defaults, ``Pulumi.<stack>.yaml`` the stack's values; keys get the project's name in front of
them, and everything becomes text: lists and mappings as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from lifeboat.model.settings.yaml12 import load_yaml
from lifeboat.sandbox.inprocess.passphrase import Crypter, WrongPassphraseError
from lifeboat.sandbox.state import SandboxInputError

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_FILE = "Pulumi.yaml"
PLACEHOLDER = "sandbox-placeholder"
"""What stands in for an encrypted value that cannot be decrypted here."""

_TYPED_KEYS = frozenset(("type", "default", "description", "items", "value", "secret"))


class ConfigError(SandboxInputError):
    """A project's or stack's file cannot be used; one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """What ``Pulumi.yaml`` says.

    Attributes:
        name: The project.
        main: Directory of the program.
        defaults: Configuration by full key, as YAML values.
    """

    name: str
    main: Path
    defaults: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RuntimeConfig:
    """What the program's ``pulumi.Config`` reads.

    Attributes:
        values: Text by full key, ``lifeboat:home``.
        secret_keys: Full keys whose values are secret.
        placeholders: Full keys whose encrypted values could not be decrypted and hold :data:`PLACEHOLDER`.
    """

    values: dict[str, str]
    secret_keys: tuple[str, ...]
    placeholders: tuple[str, ...]

    def disables_default_provider(self, package: str) -> bool:
        """Whether ``pulumi:disable-default-providers`` names a package, or all of them."""
        text = self.values.get("pulumi:disable-default-providers") or "[]"
        return bool({"*", package} & set(cast("list[str]", json.loads(text))))


def read_project(directory: Path) -> Project:
    """Read the project that a program's directory holds.

    Raises:
        ConfigError: when there is no ``Pulumi.yaml``, or one without a name.
    """
    document = _read_yaml(directory / PROJECT_FILE)
    name = document.get("name")
    if not isinstance(name, str):
        raise ConfigError(f"{PROJECT_FILE}: name: {name}: the project's name is expected")
    defaults: dict[str, Any] = {}
    for key, declared in cast("dict[str, Any]", document.get("config") or {}).items():
        value = _default(declared)
        if value is not None:
            defaults[_full_key(name, key)] = value
    return Project(name=name, main=directory / cast("str", document.get("main") or "."), defaults=defaults)


def read_config(directory: Path, stack: str, *, passphrase: str | None) -> RuntimeConfig:
    """Read the configuration of one stack of a project.

    Args:
        directory: Where ``Pulumi.yaml`` and ``Pulumi.<stack>.yaml`` are.
        stack: The stack's name; a stack without a file has the project's defaults only.
        passphrase: Opens encrypted values; None, or a wrong one, leaves placeholders.

    Raises:
        ConfigError: when a file is no YAML mapping.
    """
    project = read_project(directory)
    path = directory / f"Pulumi.{stack}.yaml"
    document = _read_yaml(path) if path.exists() else {}
    reader = _Reader(cast("str", document.get("encryptionsalt") or ""), passphrase)
    merged = {
        **project.defaults,
        **{_full_key(project.name, k): v for k, v in cast("dict[str, Any]", document.get("config") or {}).items()},
    }
    values = {key: _text(reader.open(key, value)) for key, value in merged.items()}
    return RuntimeConfig(values=values, secret_keys=tuple(reader.secrets), placeholders=tuple(reader.placeholders))


class _Reader:
    """Opens encrypted values and remembers which keys had them."""

    def __init__(self, salt: str, passphrase: str | None) -> None:
        self.secrets: dict[str, None] = {}
        self.placeholders: dict[str, None] = {}
        self._salt = salt
        self._passphrase = passphrase
        self._crypter: Crypter | None = None

    def open(self, key: str, value: Any) -> Any:  # noqa: ANN401 - YAML
        """The value with every ``{secure: ...}`` in it replaced by its plain text, or by the placeholder."""
        if isinstance(value, dict):
            mapping = cast("dict[str, Any]", value)
            if list(mapping) == ["secure"] and isinstance(mapping["secure"], str):
                self.secrets[key] = None
                return self._decrypt(key, mapping["secure"])
            return {name: self.open(key, item) for name, item in mapping.items()}
        if isinstance(value, list):
            return [self.open(key, item) for item in cast("list[Any]", value)]
        return value

    def _decrypt(self, key: str, ciphertext: str) -> str:
        try:
            if self._passphrase is None or not self._salt:
                raise WrongPassphraseError
            self._crypter = self._crypter or Crypter.from_salt(self._passphrase, self._salt)
            return self._crypter.decrypt(ciphertext)
        except WrongPassphraseError:
            # One derivation of the key is slow, and a passphrase that is wrong once stays wrong.
            self._passphrase = self._passphrase if self._crypter else None
            self.placeholders[key] = None
            return PLACEHOLDER


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        document = load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path.name}: no such file in {path.parent}") from None
    except OSError as fault:
        raise ConfigError(f"{path.name}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name}: not UTF-8 text") from None
    except yaml.YAMLError as fault:
        raise ConfigError(f"{path.name}: not YAML: {' '.join(str(fault).split())}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path.name}: a mapping is expected")
    return cast("dict[str, Any]", document)


def _default(declared: Any) -> Any:  # noqa: ANN401 - YAML
    """The value of a project-level key: given at once, or inside its declaration."""
    if not isinstance(declared, dict):
        return declared
    declaration = cast("dict[str, Any]", declared)
    if set(declaration) <= _TYPED_KEYS:
        return declaration.get("default", declaration.get("value"))
    return declaration


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:  # noqa: ANN401 - YAML
    if isinstance(value, str):
        return value
    # JSON writes booleans and numbers as the CLI does; its objects have sorted keys and no blanks.
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
