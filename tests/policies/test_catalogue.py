"""What holds for every rule's metadata, and that the catalogue is complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from policies.core.objectives import DECLARATION_SUFFIX
from policies.core.resource import canonical
from tests.policies import sdk
from tests.policies.harness import rules
from tests.project import ROOT

if TYPE_CHECKING:
    from policies.core.rules import Rule

CATALOGUE = Path(__file__).parent / "data" / "catalogue.txt"
OMITTED = ROOT / "policies" / "data" / "omitted.yaml"
OPTIONS = {"opts.protect", "opts.ignoreChanges"}

every_rule = pytest.mark.parametrize("rule", rules().values(), ids=list(rules()))


def test_every_name_of_the_catalogue_is_a_rule_or_says_why_not() -> None:
    omitted: dict[str, str] = yaml.safe_load(OMITTED.read_text())
    assert all(reason.strip() for reason in omitted.values())
    assert not omitted.keys() & rules().keys()
    assert omitted.keys() | rules().keys() == set(CATALOGUE.read_text().split())


@every_rule
def test_types_exist(rule: Rule) -> None:
    types = {*rule.metadata.types, *rule.metadata.concerns, *(guard.type for guard in rule.metadata.guards)}
    assert types, "a rule looks at something"
    for token in types:
        if not token.endswith(DECLARATION_SUFFIX):
            assert canonical(token) == token, "resources have their canonical type"
            sdk.inputs(token)


@every_rule
def test_guards_are_inputs(rule: Rule) -> None:
    for guard in rule.metadata.guards:
        for path in (guard.property, *guard.where):
            if path not in OPTIONS:
                sdk.find(guard.type, path)


@every_rule
def test_guards_can_fail(rule: Rule) -> None:
    assert rule.metadata.guards, "a rule guards something"
    assert all(guard.weaken or not guard.optional for guard in rule.metadata.guards), "nothing would be tried"


@every_rule
def test_metadata_is_complete(rule: Rule) -> None:
    known = rule.metadata
    assert not known.title.endswith("."), "a headline"
    assert known.subject.partition(": ")[0] in {"AWS", "GCP", "Kubernetes", "GCP and Kubernetes"} or known.subject in {
        "GCP",
        "Kubernetes",
    }
    assert all(step.strip() for step in known.remediation)
    assert known.remediation
    assert all(requirements for requirements in known.frameworks.values())
    for parameter in known.parameters.values():
        assert parameter.description
        assert parameter.source, "a threshold comes from somewhere"


@every_rule
def test_a_rule_that_fails_on_absence_names_the_default(rule: Rule) -> None:
    if (
        any(not guard.optional and guard.property not in OPTIONS for guard in rule.metadata.guards)
        and rule.metadata.types
    ):
        assert rule.metadata.default, "what rules where nothing is declared"


def test_the_pack_imports_no_provider_s_sdk() -> None:
    code = (
        "import sys; from policies.crossguard import Pack; Pack().policies(); "
        "print(*sorted({'pulumi_aws', 'pulumi_gcp', 'pulumi_kubernetes'} & sys.modules.keys()), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_wrong_path_would_be_found() -> None:
    sdk.find("aws:rds/instance:Instance", "backupRetentionPeriod")
    sdk.find("aws:backup/plan:Plan", "rules.*.copyActions.*.lifecycle.deleteAfter")
    sdk.find("kubernetes:apps/v1:Deployment", "spec.template.spec.containers.*.livenessProbe")
    for token, path in (
        ("aws:rds/instance:Instance", "backupRetention"),
        ("aws:backup/plan:Plan", "rules.copyActions"),
        ("gcp:sql/databaseInstance:DatabaseInstance", "settings.ipConfiguration.requireSsl"),
    ):
        with pytest.raises(KeyError):
            sdk.find(token, path)
