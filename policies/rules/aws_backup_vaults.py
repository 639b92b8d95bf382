"""AWS: what is in a vault cannot be deleted early, and somebody hears when a backup fails."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, cast

from policies.core.arns import arn_resource
from policies.core.backups import VAULT
from policies.core.results import attempt, require, violation
from policies.core.values import at_least, document, is_set, mapping, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource
    from policies.core.results import Result

LOCK: Final = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
POLICY: Final = "aws:backup/vaultPolicy:VaultPolicy"
NOTIFICATIONS: Final = "aws:backup/vaultNotifications:VaultNotifications"
EVENTS: Final = "aws:cloudwatch/eventRule:EventRule"
_NAME: Final = "backupVaultName"
_COOLING_DAYS: Final = 3
"""The shortest time that AWS takes until a lock in compliance mode is final."""
_DENIED: Final = (
    "backup:DeleteRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
    "backup:PutBackupVaultAccessPolicy",
)
"""What takes a backup away, now or early, and what would undo the policy."""
_NEGATED: Final = re.compile(r"(String|Arn)Not(Equals|EqualsIgnoreCase|Like)(IfExists)?")
_IDENTITIES: Final = ("aws:principalarn", "aws:userid")
_FAILURES: Final = (
    # AWS reports failed jobs as completed ones too, with their state, and calls the other name deprecated.
    ("BACKUP_JOB_FAILED", "BACKUP_JOB_COMPLETED"),
    ("COPY_JOB_FAILED",),
)
_DETAILS: Final = ("Backup Job State Change", "Copy Job State Change")


def _of_vault(vault: Resource, type_: str, index: Index) -> Sequence[Resource]:
    """The companions of a vault; vaults of several regions often share their name."""
    found = index.companions(vault, type_, _NAME)
    return [each for each in found if index.region_or(each, "") in {"", index.region_or(vault, "")}]


def _backup_vault_locked(vault: Resource, context: Context) -> Iterable[Result]:
    declared = context.objectives(vault).retention_days
    days = max(context.parameters["days"], declared or 0)
    locks = _of_vault(vault, LOCK, context.index)
    if not locks:
        yield violation(vault, "", "needs a lock configuration", absent=True)
    for lock in locks:
        yield from require(lock, "minRetentionDays", at_least(days), f"at least {days:g} days")
        if context.parameters["compliance"]:
            expected = f"at least {_COOLING_DAYS} days, after which nobody can remove the lock"
            yield from require(lock, "changeableForDays", at_least(_COOLING_DAYS), expected)


def _backup_vault_deny_delete(vault: Resource, context: Context) -> Iterable[Result]:
    policies = _of_vault(vault, POLICY, context.index)
    if not policies:
        yield violation(vault, "", "needs a policy that denies the deletion of recovery points", absent=True)
        return
    for policy in policies:
        expected = f"a policy that denies everybody {', '.join(_DENIED)}"
        yield from require(policy, "policy", _denies, expected)


def _denies(policy: Any) -> bool:  # noqa: ANN401 - JSON
    statements = document(policy).get("Statement")
    listed = cast("list[Any]", statements) if isinstance(statements, list) else [statements]
    return all(any(_denies_action(mapping(each), action) for each in listed) for action in _DENIED)


def _denies_action(statement: dict[str, Any], action: str) -> bool:
    if statement.get("Effect") != "Deny" or not _everybody(statement) or not _everything(statement):
        return False
    if not _exceptions(statement.get("Condition")):
        return False
    if "NotAction" in statement:
        return not _names(statement["NotAction"], action)
    return _names(statement.get("Action"), action)


def _names(patterns: Any, action: str) -> bool:  # noqa: ANN401 - JSON
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in texts(patterns))


def _everybody(statement: dict[str, Any]) -> bool:
    # A denial for all but some is how an emergency role is let through.
    principal = statement.get("Principal")
    if "NotPrincipal" in statement:
        excepted = _principals(statement["NotPrincipal"])
        return bool(excepted) and "*" not in excepted
    return "*" in texts(principal) or "*" in texts(mapping(principal).get("AWS"))


def _principals(principal: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    return texts(principal) + tuple(text for value in mapping(principal).values() for text in texts(value))


def _everything(statement: dict[str, Any]) -> bool:
    return any(text == "*" or text.endswith("recovery-point:*") for text in texts(statement.get("Resource")))


def _exceptions(condition: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a condition only lets somebody through by name, so that it holds for everybody else."""
    if condition is None:
        return True
    return isinstance(condition, dict) and all(
        _NEGATED.fullmatch(operator) is not None
        and isinstance(keys, dict)
        and all(key.lower() in _IDENTITIES and _names_some(values) for key, values in mapping(keys).items())
        for operator, keys in mapping(condition).items()
    )


def _names_some(values: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether exceptions are some principals, and none of them stands for everybody."""
    return bool(texts(values)) and not any(_is_anybody(text) for text in texts(values))


def _is_anybody(pattern: str) -> bool:
    resource = arn_resource(pattern)
    if pattern.startswith("arn:") and resource:
        # All roles of an account are everybody who could delete.
        return not (resource.partition("/")[2] or resource).strip("*?/")
    return not pattern.removeprefix("arn:").strip("*?:")


def _backup_failure_notified(context: Context) -> Iterator[Result]:
    heard = _heard(context.index)
    for vault in context.index.of(VAULT):
        yield from attempt(vault, lambda each=vault: _notified(each, context.index, heard))


def _notified(vault: Resource, index: Index, heard: Mapping[str, set[str]]) -> Iterator[Result]:
    kinds = heard.get(index.region_or(vault, ""), set[str]())
    if kinds.issuperset(_DETAILS):
        return
    notifications = _of_vault(vault, NOTIFICATIONS, index)
    if not notifications:
        yield violation(vault, "", "needs notifications of failed backup and copy jobs", absent=True)
    for each in notifications:
        yield from require(each, "backupVaultEvents", _has_failures, "failed backup jobs and failed copy jobs")
        if not index.targets(each, "snsTopicArn"):
            yield from require(each, "snsTopicArn", is_set, "a topic")


def _has_failures(events: Any) -> bool:  # noqa: ANN401 - JSON
    return all(any(name in texts(events) for name in names) for names in _FAILURES)


def _heard(index: Index) -> Mapping[str, set[str]]:
    """By region: the kinds of job whose failure some event rule matches."""
    found: dict[str, set[str]] = {}
    for rule in index.of(EVENTS):
        pattern = document(rule.peek("eventPattern"))
        states = mapping(pattern.get("detail")).get("state")
        if "aws.backup" in texts(pattern.get("source")) and (states is None or "FAILED" in texts(states)):
            kinds = texts(pattern.get("detail-type")) or _DETAILS
            found.setdefault(index.region_or(rule, ""), set()).update(kinds)
    return found


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "backup-vault-locked": _backup_vault_locked,
    "backup-vault-deny-delete": _backup_vault_deny_delete,
    "backup-failure-notified": _backup_failure_notified,
}
