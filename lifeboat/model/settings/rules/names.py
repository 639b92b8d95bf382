"""Rules on names: each logical name once, and nothing that AWS would refuse once prefix and region are added.

The limits are those of the services' API references; regions are counted at their real length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.model.naming import CONTRACT_STORE, password_of, token_of
from lifeboat.model.settings.faults import Fault, Path, fault
from lifeboat.model.settings.rules.places import site_regions
from lifeboat.model.settings.stores import Cache, Database, DatabaseMechanism, ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifeboat.model.settings.draft import Draft

BACKUP_VAULT = 50
BUCKET = 63
INSTANCE = 63
REPLICATION_GROUP = 40
ROLE = 64
_BUCKET_PREFIXES = ("amzn-s3-demo-", "sthree-")
_PARAMETER_PREFIXES = ("aws", "ssm")
_RESERVED_USERS = frozenset(
    [
        "admin",
        "administrator",
        "current_user",
        "postgresql",
        "public",
        "rdsadmin",
        "rdsrepladmin",
        "rdstopmgr",
        "root",
        "session_user",
        "user",
    ]
)
_RESERVED_DATABASES = frozenset(
    [
        "postgres",
        "rdsadmin",
        "template0",
        "template1",
        "db",
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "default",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "false",
        "for",
        "foreign",
        "from",
        "grant",
        "group",
        "having",
        "in",
        "initially",
        "intersect",
        "into",
        "lateral",
        "leading",
        "limit",
        "not",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "primary",
        "references",
        "returning",
        "select",
        "some",
        "symmetric",
        "table",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "variadic",
        "when",
        "where",
        "window",
        "with",
    ]
)


def faults(draft: Draft) -> Iterator[Fault]:
    """Names that are free, and short enough."""
    yield from _twice(draft)
    yield from _reserved(draft)
    if "system" in draft.texts and "environment" in draft.texts:
        yield from _composed(draft, f"{draft.texts['system']}-{draft.texts['environment']}")


def _twice(draft: Draft) -> Iterator[Fault]:
    # One namespace for all: a database and a cache of one name would make one security group and one secret.
    seen: dict[str, str] = {CONTRACT_STORE: "Lifeboat's own contract bucket"}
    # Further secrets, which only secrets can be taken for.
    derived = {password_of(listed.item.name): f"the password of {_place(listed.path)}" for listed in draft.databases}
    derived |= {token_of(listed.item.name): f"the token of {_place(listed.path)}" for listed in draft.caches}
    for listed in (*draft.stores, *draft.secrets):
        name = listed.item.name
        holder = seen.get(name) or (derived.get(name) if listed in draft.secrets else None)
        if holder is not None:
            yield fault((*listed.path, "name"), name, f"a name that is free; {holder} has it")
        else:
            seen[name] = _place(listed.path)


def _place(path: Path) -> str:
    return f"{path[0]}[{path[1]}]"


def _reserved(draft: Draft) -> Iterator[Fault]:
    for listed in draft.databases:
        user, database = listed.item.username, listed.item.database
        if user in _RESERVED_USERS or user.startswith(("pg_", "rds")):
            yield fault(
                (*listed.path, "username"),
                user,
                "a user name that neither PostgreSQL nor RDS reserves, such as app_owner",
            )
        if database in _RESERVED_DATABASES or database.startswith("pg_"):
            yield fault(
                (*listed.path, "database"), database, "a database name that PostgreSQL does not reserve, such as app"
            )
    system = draft.texts.get("system")
    if system is not None and system.startswith(_PARAMETER_PREFIXES):
        yield fault(("system",), system, "a name that does not begin with aws or ssm, which Parameter Store reserves")
    if system is not None and f"{system}-".startswith(_BUCKET_PREFIXES):
        yield fault(("system",), system, "a name that S3 does not reserve (amzn-s3-demo-, sthree-)")


def _composed(draft: Draft, prefix: str) -> Iterator[Fault]:
    regions = site_regions(draft)
    region = max(regions or ("us-east-1",), key=len)
    for listed in draft.stores:
        store = listed.item
        path: Path = (*listed.path, "name")
        match store:
            case Database():
                suffix = "-1" if store.mechanism is DatabaseMechanism.AURORA_GLOBAL else "-g10"
                yield from _fits(path, store.name, f"{prefix}-{store.name}-{region}{suffix}", INSTANCE, "RDS instance")
                role = f"{prefix}-{store.name}-{region}-monitoring"
                yield from _fits(path, store.name, role, ROLE, "IAM role")
                # Where nobody chose backups, they are no candidate, and nothing is wrong.
                if store.mechanism is DatabaseMechanism.BACKUPS:
                    yield from _fits(path, store.name, f"{prefix}-{store.name}-{region}", BACKUP_VAULT, "backup vault")
            case Cache():
                name = f"{prefix}-{store.name}-{region}"
                yield from _fits(path, store.name, name, REPLICATION_GROUP, "ElastiCache replication group")
            case ObjectStore():
                yield from _fits(path, store.name, f"{prefix}-{store.name}-{region}", BUCKET, "S3 bucket")
                role = f"{prefix}-{store.name}-{region}-replication"
                yield from _fits(path, store.name, role, ROLE, "IAM role")
    yield from _fits(("environment",), draft.texts["environment"], f"{prefix}-flow-logs-{region}", ROLE, "IAM role")


def _fits(path: Path, value: str, name: str, limit: int, what: str) -> Iterator[Fault]:
    excess = too_long(name, limit, what)
    if excess is not None:
        yield fault(path, value, f"a name {len(name) - limit} shorter: {excess}")


def too_long(name: str, limit: int, what: str) -> str | None:
    """Why AWS would refuse this physical name for its length, None when it would not."""
    return f"the {what} {name} would have {len(name)} characters, AWS takes {limit}" if len(name) > limit else None
