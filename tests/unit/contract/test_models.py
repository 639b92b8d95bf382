"""The contract as a document: what survives, what is refused, what is never in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lifeboat_contract import ContractError, parse, read_document
from lifeboat_contract.schema import FILE, generate, published, render


def _floats(value: object) -> object:
    """Every number as Pulumi's wire format gives it back."""
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_whole_numbers_survive_the_round_trip_through_floats(document: dict[str, Any]) -> None:
    contract = parse(_floats(document))
    assert contract.document() == document
    port = contract.site("us-east-1").databases["orders"].port
    assert (port, type(port)) == (5432, int)


def test_a_document_of_before_has_no_gate_to_ask(document: dict[str, Any]) -> None:
    document["version"] = "1.0"
    for site in document["sites"].values():
        del site["gate_url"]
    assert parse(document).site("us-east-1").gate_url is None


@pytest.mark.parametrize("port", [5432.5, True, "five", 0, 65536, None, float("nan"), float("inf")])
def test_what_is_no_port_is_refused(document: dict[str, Any], port: object) -> None:
    document["sites"]["us-west-2"]["databases"]["orders"]["port"] = port
    with pytest.raises(ContractError, match=r"^document: sites\.us-west-2\.databases\.orders\.port: ") as caught:
        parse(document)
    assert "\n" not in str(caught.value)


def test_a_published_copy_reads_as_the_output_does(document: dict[str, Any]) -> None:
    contract = parse(document)
    assert read_document(contract.text()) == contract
    assert read_document(contract.text().encode()) == contract
    assert contract.text() == parse(json.loads(contract.text())).text()


def test_fields_of_a_later_minor_version_are_ignored(document: dict[str, Any]) -> None:
    document["version"] = "1.7"
    document["moon"] = {"phase": "full"}
    document["sites"]["us-east-1"]["queues"] = {}
    document["sites"]["us-east-1"]["databases"]["orders"]["proxy_endpoint"] = "proxy"
    assert parse(document).site("us-east-1").databases["orders"].port == 5432


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2.0", r"contract version 2\.0 cannot be read by this reader, which reads 1\.x: install lifeboat-contract 2$"),
        ("0.9", r"contract version 0\.9 cannot be read"),
        (1.0, r"`version` is 1\.0, expected such as '1\.1'$"),
        (None, r"`version` is None"),
        ("1", r"`version` is '1'"),
    ],
)
def test_another_version_is_refused_in_one_line(document: dict[str, Any], version: object, said: str) -> None:
    document["version"] = version
    with pytest.raises(ContractError, match=said):
        parse(document)


@pytest.mark.parametrize("text", ["", "[", "[]", "3", "null", b"\xff\xfe\x00"])
def test_what_is_no_contract_is_refused_with_its_origin(text: str | bytes) -> None:
    with pytest.raises(ContractError, match=r"^s3://bucket/contract: [^\n]+$"):
        read_document(text, origin="s3://bucket/contract")


def test_faults_come_in_one_line_without_the_values(document: dict[str, Any]) -> None:
    for region in document["sites"]:
        document["sites"][region]["databases"]["orders"]["secret_arn"] = "hunter2"
        document["sites"][region]["keys"] = {"objects": "hunter2", "logs": "hunter2"}
    with pytest.raises(ContractError) as caught:
        parse(document)
    assert str(caught.value).count("; ") == 3
    assert str(caught.value).endswith("; and 3 more")
    assert "hunter2" not in str(caught.value)


def test_a_home_outside_the_sites_is_refused(document: dict[str, Any]) -> None:
    document["home"] = "eu-west-1"
    with pytest.raises(ContractError, match=r"home eu-west-1 is not among the sites: us-east-1, us-west-2$"):
        parse(document)


def test_a_site_filed_under_another_region_is_refused(document: dict[str, Any]) -> None:
    document["sites"]["us-west-2"]["region"] = "us-west-1"
    with pytest.raises(ContractError, match="site us-west-2 says that it is us-west-1"):
        parse(document)


def test_an_unknown_site_is_answered_with_those_there_are(document: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"^reskflow has no site eu-west-1; it has us-east-1, us-west-2$"):
        parse(document).site("eu-west-1")


def test_the_published_schema_is_fresh() -> None:
    assert published() == generate(), f"python -m lifeboat_contract.schema > {FILE}"
    assert render(published()).endswith("}\n")


def test_nobody_is_active_in_the_schema() -> None:
    names = {name for part in [generate(), *generate()["$defs"].values()] for name in part.get("properties", {})}
    assert names.isdisjoint({"active", "role", "primary", "secondary", "standby", "password", "token", "value"})
