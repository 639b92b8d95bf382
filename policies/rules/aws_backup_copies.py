"""AWS: copies of backups lie in another region and account, encrypted, and are kept as long as what they copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.core.arns import arn_account, arn_region
from policies.core.backups import PLAN, VAULT, kept_days
from policies.core.keys import require_key
from policies.core.results import attempt, require, undecided, violation
from policies.core.values import UNKNOWN, UnknownPropertyError, document, is_set, is_true, mapping, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource, View
    from policies.core.results import Result

    Place = Callable[[Index, "Resource | str"], str]

AIR_GAPPED: Final = "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault"
_AIR_GAPPED: Final = "targetLogicallyAirGappedBackupVaultArn"
EVENTS: Final = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
_COPIED: Final = "Copy Job State Change"
_ACTORS: Final = (
    "aws:lambda/function:Function",
    "aws:lambda/alias:Alias",
    "aws:sfn/stateMachine:StateMachine",
    "aws:ssm/document:Document",
)
_SERVICES: Final = ("lambda", "states", "ssm")
"""What can start a copy job; topics and queues only tell somebody."""
_ELSEWHERE: Final = "isolated"
"""Where the backups of a logically air-gapped vault are: in an account of AWS's own."""


def _region(index: Index, vault: Resource | str) -> str:
    return arn_region(vault) if isinstance(vault, str) else index.region(vault)


def _account(index: Index, vault: Resource | str) -> str:
    if isinstance(vault, str):
        return arn_account(vault)
    return _ELSEWHERE if vault.type == AIR_GAPPED else index.account(vault)


class _Hops:
    """Which vaults the backups of a plan come to: by its own copies, and by what goes on when a copy is completed.

    A plan copies what its own rules back up. What others copied into a vault stays there, unless an event starts
    something that copies it on.

    Args:
        index: The stack.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._reactions: dict[str, bool | None] = {}
        """By a vault's ARN or URN, empty for any vault: True where something goes on, None where that is not known."""
        for rule in index.of(EVENTS):
            self._read(rule)

    def of(self, plan: Resource) -> Iterator[Resource | str | None]:
        """Vaults, or their ARNs where they are not in this stack; None for one that is not known yet."""
        for rule in plan.items("rules"):
            if is_set(rule.peek(_AIR_GAPPED)):
                yield from self._vaults(rule, _AIR_GAPPED)
            for copy in rule.items("copyActions"):
                yield from self._vaults(copy, "destinationVaultArn")

    def goes_on(self, vaults: Iterable[Resource | str | None]) -> bool | None:
        """Whether an event starts something once a copy is in one of these vaults; None when not known yet."""
        answers = [self._reactions.get(name, False) for vault in vaults if vault for name in ("", *self._names(vault))]
        return True if True in answers else None if None in answers else False

    def _names(self, vault: Resource | str) -> Iterator[str]:
        if isinstance(vault, str):
            yield vault
        else:
            yield vault.urn
            arn = vault.outputs.get("arn")
            if isinstance(arn, str) and arn:
                yield arn

    def _read(self, rule: Resource) -> None:
        answer = self._acts(rule)
        if answer is False or rule.peek("state") == "DISABLED":
            return
        written = rule.peek("eventPattern")
        if written is UNKNOWN:
            vaults = self._index.targets(rule, "eventPattern", VAULT)
            if vaults or not self._index.targets(rule, "eventPattern"):
                for name in [each.urn for each in vaults] or [""]:
                    self._reactions.setdefault(name, None)
            return
        pattern = document(written)
        detail = mapping(pattern.get("detail"))
        states = detail.get("state")
        if _COPIED not in texts(pattern.get("detail-type")) or "aws.backup" not in texts(pattern.get("source")):
            return
        if states is not None and "COMPLETED" not in texts(states):
            return
        wanted = detail.get("destinationBackupVaultArn")
        named = texts(wanted)
        for name in named or [""]:
            # A filter other than an ARN may fit any vault.
            sure = answer if named or wanted is None else None
            self._reactions[name] = sure or self._reactions.get(name)

    def _acts(self, rule: Resource) -> bool | None:
        answer: bool | None = False
        for target in self._index.companions(rule, EVENT_TARGET, "rule"):
            arn = target.peek("arn")
            if self._index.targets(target, "arn", *_ACTORS) or (
                isinstance(arn, str) and arn.split(":")[2:3] and arn.split(":")[2] in _SERVICES
            ):
                return True
            if arn is UNKNOWN and not self._index.targets(target, "arn"):
                answer = None
        return answer

    def _vaults(self, about: View, path: str) -> Iterable[Resource | str | None]:
        literal = about.peek(path)
        found = self._index.targets(about.resource, f"{about.prefix}.{path}", VAULT, AIR_GAPPED)
        if isinstance(literal, str):
            return [next((each for each in found if each.outputs.get("arn") == literal), literal)]
        # Dependencies are those of all rules together: of the vaults that are copied to, and of those that rules fill,
        # which are where the plan is and so are no other place.
        return found or [None]


def _listed(about: Resource | View, path: str) -> tuple[View, ...]:
    try:
        return about.items(path)
    except UnknownPropertyError:
        return ()


def _elsewhere(place: Place, message: str) -> Callable[[Context], Iterable[Result]]:
    """The check that every plan has a copy in another place than its own."""

    def check(context: Context) -> Iterator[Result]:
        hops = context.index.once("backup hops", lambda: _Hops(context.index))
        for plan in context.index.of(PLAN):
            yield from attempt(plan, lambda each=plan: judged(each, context.index, hops))

    def judged(plan: Resource, index: Index, hops: _Hops) -> Iterator[Result]:
        vaults = list(hops.of(plan))
        places = ["" if vault is None else _known(place, index, vault) for vault in vaults]
        own = place(index, plan)
        goes_on = hops.goes_on(vaults)
        if goes_on or any(found and own and found != own for found in places):
            return
        if vaults and (goes_on is None or not own or "" in places):
            yield undecided(plan, "rules")
        else:
            yield violation(plan, "rules", message, absent=not vaults)

    return check


def _known(place: Place, index: Index, vault: Resource | str) -> str:
    try:
        return place(index, vault)
    except UnknownPropertyError:
        return ""


def _copy_retention_covers_source(plan: Resource, _: Context) -> Iterable[Result]:
    def check(rule: View, copy: View) -> Iterator[Result]:
        # A copy without a retention of its own takes its source's.
        if is_set(copy.get("lifecycle.deleteAfter")) and kept_days(copy) < kept_days(rule):
            message = "must be as long as the rule keeps what it copies"
            yield violation(copy, "lifecycle.deleteAfter", message)

    for rule in plan.items("rules"):
        for copy in _listed(rule, "copyActions"):
            yield from attempt(copy, lambda one=rule, other=copy: check(one, other))


def _dlm_copy_encrypted(policy: Resource, context: Context) -> Iterable[Result]:
    if policy.get("state") == "DISABLED":
        return
    copies = [
        *(
            rule
            for schedule in policy.items("policyDetails.schedules")
            for rule in schedule.items("crossRegionCopyRules")
        ),
        *(
            configuration
            for copy in policy.items("policyDetails.action.crossRegionCopies")
            for configuration in (copy.items("encryptionConfiguration") or (copy,))
        ),
    ]
    for copy in copies:
        yield from require(copy, "encrypted", is_true, "true")
        yield from _has_key(copy, "cmkArn", context, "a key of the target region")


def _backup_replication_cmk(replication: Resource, context: Context) -> Iterable[Result]:
    yield from _has_key(replication, "kmsKeyId", context, "a key of the region that the backups are replicated to")


def _has_key(about: Resource | View, property_: str, context: Context, expected: str) -> Iterable[Result]:
    return require_key(about, property_, context.index, is_set, expected)


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "backup-copy-other-region": _elsewhere(_region, "needs a copy in a vault of another region"),
    "backup-copy-other-account": _elsewhere(_account, "needs a copy in a vault of another account"),
    "copy-retention-covers-source": _copy_retention_covers_source,
    "dlm-copy-encrypted": _dlm_copy_encrypted,
    "backup-replication-cmk": _backup_replication_cmk,
}
