"""``python -m benchmarks.judge STATE``: the pack on a state file, as a process of its own; prints what it found."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from policies.core.judge import judge
from policies.core.rules import load_rules
from policies.core.settings import resolve_settings
from policies.core.state import index_of_state

if __name__ == "__main__":
    rules = load_rules()
    index = index_of_state(Path(sys.argv[1]).read_text(encoding="utf-8"))
    judgement = judge(index, rules, resolve_settings({}, rules), today=datetime.now(UTC).date())
    print(judgement.resources, len(judgement.findings))  # noqa: T201 - a program's own output
