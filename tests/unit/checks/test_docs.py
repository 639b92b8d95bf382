"""`docs/policies.md` is what its generator makes of the rules that there are."""

from __future__ import annotations

import re
import subprocess
import sys

from policies.core.rules import Severity, load_rules
from policies.docs import DATA, PAGE, page, read_omitted
from tests.project import ROOT
from tests.unit.checks.conftest import RULES as FEW

# A profile of the pack sets this one's threshold.
RULES = {**FEW, "log-retention": load_rules()["log-retention"]}


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(load_rules(), read_omitted()), "run: python -m policies.docs"


def test_every_rule_has_a_section_that_the_tables_lead_to() -> None:
    text = page(RULES, {})
    for name, rule in FEW.items():
        assert f"| [{name}](#{name}) |" in text
        section = text.partition(f"\n### {name}\n")[2].partition("\n#")[0]
        assert rule.metadata.title in section
        assert "1. First do this.\n2. Then that.\n" in section
    safe = text.partition("\n### is-safe\n")[2].partition("\n#")[0]
    assert "- Judges each `aws:s3/bucket:Bucket`\n" in safe
    assert "- Where nothing is declared: it is not safe by default\n" in safe
    assert "- SOC 2: A1.2\n" in safe
    assert "- Mandatory in `baseline`, `production`, `soc2`\n" in safe
    assert "- The same in other tools: Checkov CKV_1\n" in text
    assert "- Exempt: Nobody.\n" in text


def test_thresholds_say_where_they_come_from() -> None:
    assert "| `days` | Days kept | `7` | FSBP asks for 7 |" in page(RULES, {})


def test_profiles_say_what_they_make_mandatory() -> None:
    text = page(RULES, {})
    assert re.search(
        r"\| `baseline` \| .* \| mandatory: critical<br>advisory: high, medium<br>disabled: low \| 1 \| 3 \|", text
    )
    assert re.search(r"\| `soc2` \| .*stands behind \| 1 \| 1 \|", text)
    assert all(each.value in text for each in Severity)


def test_names_without_a_rule_have_their_reason() -> None:
    assert "| lost | nobody\\|needs it |" in page(RULES, {"lost": "nobody|needs\n  it"})
    assert "None: every name" in page(RULES, {})


def test_a_row_of_a_table_is_a_line_with_all_its_cells() -> None:
    columns = 0
    for line in page(load_rules(), read_omitted()).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (columns and cells) or cells == columns, line
        columns = cells


def test_it_runs_as_the_page_says() -> None:
    assert "python -m policies.docs" in (DATA / "policies.md").read_text()
    code = "import runpy, pathlib; pathlib.Path.write_text = lambda path, text, **_: print(path, len(text))\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "runpy.run_module('policies.docs', run_name='__main__')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(PAGE), str(len(page(load_rules(), read_omitted())))]
