"""`lifeboat explain`."""

from __future__ import annotations

from lifeboat.cli.arguments import Json, Stack
from lifeboat.cli.output import show, show_json


def explain(stack: Stack, *, json: Json = False) -> None:
    """Say what was decided for STACK and why: mechanisms, bounds, what was rejected, what the standby costs.

    For example:

      lifeboat explain reskflow

      lifeboat explain prod --json | jq '.decisions[] | {capability, mechanism}'
    """
    from lifeboat.cli.design import load_design, project_records
    from lifeboat.reporting.explain import document, explanation
    from lifeboat.reporting.plan import of_home_lost

    design = load_design(stack)
    failover = of_home_lost(design.settings, design.topology, project_records(design.project))
    subject = (design.settings, design.topology, design.estimate, design.prices, failover)
    if json:
        show_json({"stack": stack, **document(*subject)})
    else:
        show(explanation(*subject))
