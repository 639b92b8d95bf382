"""Configuration as the CLI would hand it to a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lifeboat.sandbox.inprocess.config import PLACEHOLDER, ConfigError, read_config, read_project
from lifeboat.sandbox.inprocess.passphrase import Crypter, WrongPassphraseError

if TYPE_CHECKING:
    from pathlib import Path

# Made by a Pulumi CLI: `pulumi config set --secret key hunter2-hunter2`, with the passphrase "correct horse".
CLI_SALT = "v1:onhmjn82YPk=:v1:76YXk3/HNOkIjj1d:1CvZrqJ8h4xzITkGNgACaRRDlx85XQ=="
CLI_SECRET = "v1:PmG4fJi6vHLblEq5:NvqbtcspyZmYwOYzAoOlIA0Dvqqa+lCGJRX9Sy8QVQ=="


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: shop\n"
        "config:\n"
        "  pulumi:disable-default-providers: [aws]\n"
        "  size: {type: integer, default: 3}\n"
        "  colour: {type: string, default: blue}\n"
        "  aws:region: {value: us-east-1}\n"
    )
    return tmp_path


def _stack(project: Path, text: str) -> None:
    (project / "Pulumi.dev.yaml").write_text(text)


def test_values_are_what_the_cli_makes_of_them(project: Path) -> None:
    _stack(
        project,
        "config:\n"
        "  colour: red\n"
        "  shop:on: on\n"
        "  shop:window: 02:00\n"
        "  shop:day: 2026-01-31\n"
        "  shop:yes: true\n"
        "  shop:version: 16.8\n"
        "  shop:account: '012345678901'\n"
        "  shop:nested: {b: [1, true, x], a: {k: 1.5}}\n",
    )
    assert read_config(project, "dev", passphrase=None).values == {
        "pulumi:disable-default-providers": '["aws"]',
        "shop:size": "3",
        "shop:colour": "red",
        "aws:region": "us-east-1",
        "shop:on": "on",
        "shop:window": "02:00",
        "shop:day": "2026-01-31",
        "shop:yes": "true",
        "shop:version": "16.8",
        "shop:account": "012345678901",
        "shop:nested": '{"a":{"k":1.5},"b":[1,true,"x"]}',
    }


def test_a_stack_without_a_file_has_the_defaults(project: Path) -> None:
    config = read_config(project, "other", passphrase=None)
    assert config.values["shop:colour"] == "blue"
    assert config.disables_default_provider("aws")
    assert not config.disables_default_provider("random")


def test_the_cli_s_ciphertext_opens(project: Path) -> None:
    _stack(project, f"encryptionsalt: {CLI_SALT}\nconfig:\n  shop:key:\n    secure: {CLI_SECRET}\n")
    config = read_config(project, "dev", passphrase="correct horse")
    assert config.values["shop:key"] == "hunter2-hunter2"
    assert config.secret_keys == ("shop:key",)
    assert config.placeholders == ()


@pytest.mark.parametrize("passphrase", [None, "wrong"])
def test_what_cannot_be_opened_is_a_placeholder(project: Path, passphrase: str | None) -> None:
    _stack(
        project,
        f"encryptionsalt: {CLI_SALT}\nconfig:\n"
        f"  shop:key:\n    secure: {CLI_SECRET}\n"
        f"  shop:nested: {{plain: 1, inner: [{{secure: '{CLI_SECRET}'}}]}}\n",
    )
    config = read_config(project, "dev", passphrase=passphrase)
    assert config.values["shop:key"] == PLACEHOLDER
    assert json.loads(config.values["shop:nested"]) == {"plain": 1, "inner": [PLACEHOLDER]}
    assert config.secret_keys == config.placeholders == ("shop:key", "shop:nested")


@pytest.mark.parametrize(
    ("text", "said"),
    [("config: [", "Pulumi.dev.yaml: not YAML"), ("- a\n- b\n", "Pulumi.dev.yaml: a mapping is expected")],
)
def test_a_broken_stack_file_is_one_line(project: Path, text: str, said: str) -> None:
    _stack(project, text)
    with pytest.raises(ConfigError, match=said) as fault:
        read_config(project, "dev", passphrase=None)
    assert "\n" not in str(fault.value)


def test_a_project_has_a_file_and_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi.yaml: no such file"):
        read_project(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    with pytest.raises(ConfigError, match=r"Pulumi.yaml: name"):
        read_project(tmp_path)


def test_ciphertext_goes_there_and_back() -> None:
    crypter = Crypter("one")
    sealed = crypter.encrypt("text")
    assert "text" not in sealed
    assert sealed != crypter.encrypt("text")
    assert Crypter.from_salt("one", crypter.salt).decrypt(sealed) == "text"
    with pytest.raises(WrongPassphraseError):
        Crypter.from_salt("two", crypter.salt)
    for damaged in (sealed[:-4] + "AAA=", sealed[3:], "v1:AAAA"):
        with pytest.raises(WrongPassphraseError):
            crypter.decrypt(damaged)
