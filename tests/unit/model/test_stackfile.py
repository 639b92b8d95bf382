"""A stack's file is read as Pulumi reads it."""

from __future__ import annotations

import pytest

from lifeboat.model.settings import SettingsError
from lifeboat.model.settings.stackfile import own_settings, parse_stack_file


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("2027-01-31", "2027-01-31"),
        ("012", "012"),
        ("12", 12),
        ("99.99", 99.99),
        ("true", True),
        ("~", None),
        ("", None),
        ("{ secure: v1:abc }", {"secure": "v1:abc"}),
    ],
)
def test_plain_values(written: str, read: object) -> None:
    assert parse_stack_file(f"config:\n  lifeboat:x: {written}\n") == {"lifeboat:x": read}


def test_a_key_without_a_namespace_is_the_projects() -> None:
    config = parse_stack_file("config:\n  home: a\n  lifeboat:witness: b\n  aws:region: c\n  lifeboats:x: d\n")
    assert own_settings(config) == {"home": "a", "witness": "b"}
    assert config["aws:region"] == "c"


@pytest.mark.parametrize("text", ["", "config:\n", "config: []\n", "- x\n", "encryptionsalt: v1:x\n"])
def test_a_file_without_configuration_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^Pulumi\.STACK\.yaml: config: absent or no mapping: accepted is a m"):
        parse_stack_file(text)


def test_a_key_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^Pulumi\.prod\.yaml: line 3, column 3: the key lifeboat:home stands"):
        parse_stack_file("config:\n  lifeboat:home: a\n  lifeboat:home: b\n", "Pulumi.prod.yaml")


def test_yaml_that_builds_objects_is_refused() -> None:
    with pytest.raises(SettingsError, match="accepted is YAML"):
        parse_stack_file("config:\n  lifeboat:x: !!python/object/apply:os.getcwd []\n")
