"""The `lifeboat` command.

Exit codes: 0 done, 1 failed, 2 bad input (nothing done), 3 refused by a safety check (nothing changed).
"""

from __future__ import annotations

import sys

import typer

from lifeboat.cli import contract, doctor, explain, sandbox, up
from lifeboat.cli.output import tell

app = typer.Typer(
    name="lifeboat",
    help="Multi-region disaster recovery as code: declared, built, judged, rehearsed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: lifeboat sandbox up reskflow",
)
app.command("explain")(explain.explain)
app.add_typer(sandbox.app, name="sandbox")
app.command("contract")(contract.contract)
app.command("up")(up.up)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command; a fault of the user's is lines on stderr and an exit code, never a traceback."""
    try:
        app()
    except Exception as fault:
        from lifeboat.cli.faults import judge

        judged = judge(fault)
        if judged is None:
            raise
        code, lines = judged
        for line in lines:
            tell(f"lifeboat: {line}")
        sys.exit(code)
