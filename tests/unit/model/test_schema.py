"""What editors and Pulumi are told about a stack's keys is what the model accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lifeboat.model.settings import Settings
from lifeboat.model.settings.load import load
from lifeboat.model.settings.schema import stack_schema, stack_schema_text
from tests.unit.model.declarations import sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_the_committed_schema_is_fresh(root: Path) -> None:
    committed = (root / "docs" / "schema" / "stack.schema.json").read_text()
    assert committed == stack_schema_text(), (
        "run: python -m lifeboat.model.settings.schema > docs/schema/stack.schema.json"
    )


def described(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    config = schema["properties"]["config"]
    yield from config["properties"].items()
    for name, definition in schema["$defs"].items():
        for key, entry in definition.get("properties", {}).items():
            yield f"{name}.{key}", entry


def test_every_field_is_described() -> None:
    schema = stack_schema()

    def said(entry: dict[str, Any]) -> str:
        # A field that says no more than its model's own docstring is left to the model.
        definition = schema["$defs"].get(entry.get("$ref", "").removeprefix("#/$defs/"), {})
        return entry.get("description") or definition.get("description", "")

    silent = [key for key, entry in described(schema) if not said(entry)]
    assert not silent


def test_our_keys_are_closed_and_foreign_ones_open() -> None:
    config = stack_schema()["properties"]["config"]
    (foreign,) = config["patternProperties"]
    assert config["additionalProperties"] is False
    assert re.search(foreign, "aws:region")
    assert not re.search(foreign, "lifeboat:hoem")
    assert not re.search(foreign, "home")


def test_required_keys_are_the_ones_without_a_default() -> None:
    required = {key.removeprefix("lifeboat:") for key in stack_schema()["properties"]["config"]["required"]}
    assert required == {name for name, field in Settings.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("name", ["strategy"])
def test_auto_is_offered(name: str) -> None:
    entry = stack_schema()["properties"]["config"]["properties"][f"lifeboat:{name}"]
    assert {"const": "auto"} in entry["anyOf"]


def project(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "Pulumi.yaml").read_text())


def test_the_project_declares_every_key_and_no_other(root: Path) -> None:
    config = project(root)["config"]
    ours = {key.removeprefix("lifeboat:"): entry for key, entry in config.items() if key.startswith("lifeboat:")}
    assert set(ours) == set(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        # To Pulumi, a key without a default is required.
        assert ("default" in ours[name]) is not field.is_required(), name
        assert ours[name]["description"].rstrip(".") in (field.description or ""), name


def test_the_projects_defaults_mean_absent(root: Path) -> None:
    config = project(root)["config"]
    defaults = {key.removeprefix("lifeboat:"): entry["default"] for key, entry in config.items() if "default" in entry}
    bare = {key: value for key, value in sound().items() if key not in defaults}
    bare["objectives"] = {"stack": {"rto": "1h"}}
    assert load({**bare, **defaults}) == load(bare)


def test_default_providers_are_disabled(root: Path) -> None:
    assert project(root)["config"]["pulumi:disable-default-providers"] == {"value": ["aws", "gcp"]}


@pytest.mark.parametrize("stack", ["reskflow", "prod"])
def test_stack_files_point_editors_at_the_schema(root: Path, stack: str) -> None:
    first = (root / f"Pulumi.{stack}.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=docs/schema/stack.schema.json"
