"""AWS Backup: what a plan is applied to, and changes of it. No backup is ever taken here."""

from __future__ import annotations

import json
from typing import Any

from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random

from lifeboat.sandbox.patches.base import Moto, Patches, RefusedError, attributes

PATCHES = Patches("backup")


def _selections(backend: Moto, plan: str) -> dict[str, dict[str, Any]]:
    """A plan's selections by identifier, as AWS answers them."""
    by_plan: dict[str, dict[str, dict[str, Any]]] = attributes(backend).setdefault("lifeboat_backup_selections", {})
    return by_plan.setdefault(plan, {})


def _live_plan(backend: Moto, identifier: str) -> Moto:
    plan = backend.plans.get(identifier)
    if plan is None or plan.deletion_date is not None:
        raise RefusedError("InvalidParameterValueException", f"Cannot find Backup plan with ID {identifier}")
    return plan


def _part(self: Moto, after: str) -> str:
    """What stands behind ``/after/`` in the request's path."""
    part: str = self.path.partition(f"/{after}/")[2].partition("/")[0]
    return part


def _selection(self: Moto) -> tuple[dict[str, dict[str, Any]], str]:
    """All selections of the plan in the request's path, and which of them is asked for."""
    plan, identifier = _part(self, "plans"), _part(self, "selections")
    _live_plan(self.backup_backend, plan)
    known = _selections(self.backup_backend, plan)
    if identifier not in known:
        raise RefusedError("ResourceNotFoundException", f"Cannot find selection {identifier} of Backup plan {plan}")
    return known, identifier


@PATCHES.fills(BackupResponse)
def create_backup_selection(self: Moto) -> Moto:
    """Is missing."""
    plan = _part(self, "plans")
    _live_plan(self.backup_backend, plan)
    identifier = str(mock_random.uuid4())
    made = {"SelectionId": identifier, "BackupPlanId": plan, "CreationDate": unix_time()}
    wanted: dict[str, Any] = json.loads(self.body)["BackupSelection"]
    _selections(self.backup_backend, plan)[identifier] = {**made, "BackupSelection": wanted}
    return ActionResult(made)


@PATCHES.fills(BackupResponse)
def get_backup_selection(self: Moto) -> Moto:
    """Is missing."""
    known, identifier = _selection(self)
    return ActionResult(known[identifier])


@PATCHES.fills(BackupResponse)
def list_backup_selections(self: Moto) -> Moto:
    """Is missing."""
    plan = _part(self, "plans")
    _live_plan(self.backup_backend, plan)
    found = [{**each, **each["BackupSelection"]} for each in _selections(self.backup_backend, plan).values()]
    return ActionResult({"BackupSelectionsList": found})


@PATCHES.fills(BackupResponse)
def delete_backup_selection(self: Moto) -> Moto:
    """Is missing."""
    known, identifier = _selection(self)
    del known[identifier]
    return EmptyResult()


@PATCHES.fills(BackupResponse)
def update_backup_plan(self: Moto) -> Moto:
    """Is missing."""
    plan = _live_plan(self.backup_backend, _part(self, "plans"))
    # A plan of moto's own fills in what a rule leaves out.
    changed = type(plan)(json.loads(self.body)["BackupPlan"], plan.creator_request_id, self.backup_backend)
    plan.backup_plan, plan.version_id = changed.backup_plan, changed.version_id
    plan.advanced_backup_settings = changed.advanced_backup_settings
    return ActionResult(plan.to_dict())


@PATCHES.fixes(BackupBackend)
def delete_backup_plan(original: Moto, self: Moto, backup_plan_id: str) -> Moto:
    """Deletes a plan that still has selections."""
    if _selections(self, backup_plan_id):
        message = "Related backup plan selections must be deleted prior to backup plan deletion"
        raise RefusedError("InvalidRequestException", message)
    return original(self, backup_plan_id)


@PATCHES.fixes(BackupBackend)
def create_backup_plan(original: Moto, self: Moto, **request: Moto) -> Moto:
    """Never frees the name of a deleted plan."""
    for identifier in [known for known, plan in self.plans.items() if plan.deletion_date is not None]:
        if self.plans[identifier].backup_plan["BackupPlanName"] == request["backup_plan"]["BackupPlanName"]:
            del self.plans[identifier]
    return original(self, **request)
