"""AWS: databases, caches, search, Kafka and warehouses refuse connections without TLS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.core.results import Kind, Result, attempt, require, undecided, violation
from policies.core.roles import CLUSTER, INSTANCE, is_replica, replica_source
from policies.core.values import UNKNOWN, UnknownPropertyError, is_set, is_true, number
from policies.rules.aws_encryption import follows_other_region
from policies.rules.aws_encryption_services import MSK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from policies.core.context import Context
    from policies.core.index import Index
    from policies.core.resource import Resource

PARAMETER_GROUP: Final = "aws:rds/parameterGroup:ParameterGroup"
CLUSTER_PARAMETER_GROUP: Final = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
REDSHIFT_CLUSTER: Final = "aws:redshift/cluster:Cluster"
REDSHIFT_PARAMETER_GROUP: Final = "aws:redshift/parameterGroup:ParameterGroup"
_DEFAULT_GROUP: Final = "default."
_NAME_AND_VERSION: Final = re.compile(r"([a-z-]+?)-?(\d{1,4}(?:\.\d{1,4})?)")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Switch:
    """The parameter with which an engine refuses connections without TLS."""

    parameter: str
    since: float | None = None
    """First version that has it on by default."""


_SWITCHES: Final[Mapping[str, _Switch]] = {
    "aurora-postgresql": _Switch(parameter="rds.force_ssl", since=17),
    "aurora": _Switch(parameter="require_secure_transport", since=8.4),
    "postgres": _Switch(parameter="rds.force_ssl", since=15),
    "sqlserver": _Switch(parameter="rds.force_ssl"),
    "mysql": _Switch(parameter="require_secure_transport"),
    "mariadb": _Switch(parameter="require_secure_transport"),
}
"""By the beginning of an engine's or family's name; the first one counts. Others have no such parameter."""


def _rds_force_tls(resource: Resource, context: Context) -> Iterable[Result]:
    index = context.index
    path = "dbClusterParameterGroupName" if resource.type == CLUSTER else "parameterGroupName"
    named = resource.peek(path)
    if named is not UNKNOWN and not is_set(named):
        if resource.type == INSTANCE and is_replica(resource, index) and not follows_other_region(resource, index):
            return
        engine, version = _engine(resource, index)
        yield from _by_default(resource, path, engine, version, absent=True)
    elif isinstance(named, str) and named.startswith(_DEFAULT_GROUP):
        yield from _by_default(resource, path, *_parsed(named.removeprefix(_DEFAULT_GROUP)))
    elif (group := _group(resource, path, index)) is not None:
        yield from attempt(group, partial(_by_group, resource, path, group))
    elif _switch(_engine(resource, index)[0]) is not None:
        if named is UNKNOWN:
            raise UnknownPropertyError(path)
        message = f"`{path}` names a parameter group that this stack does not declare"
        yield Result(kind=Kind.UNDECIDED, urn=resource.urn, path=path, message=message)


def _by_default(
    resource: Resource, path: str, engine: str, version: float | None, *, absent: bool = False
) -> Iterator[Result]:
    """A database with the default parameters of its engine's version."""
    switch = _switch(engine)
    if switch is None or _on_by_default(switch, version):
        return
    if version is None and switch.since is not None:
        # Without a version AWS takes its own default, which moves on.
        yield undecided(resource, "engineVersion")
        return
    yield _must_force(resource, path, switch, absent=absent)


def _by_group(resource: Resource, path: str, group: Resource) -> Iterator[Result]:
    engine, version = _parsed(group.get("family"))
    switch = _switch(engine)
    if switch is None:
        return
    value = _parameter(group, switch.parameter)
    if not (_on_by_default(switch, version) if value is None else _is_on(value)):
        yield _must_force(resource, path, switch)


def _must_force(resource: Resource, path: str, switch: _Switch, *, absent: bool = False) -> Result:
    message = f"`{path}` must name a parameter group with `{switch.parameter}` of 1"
    return violation(resource, path, message, absent=absent)


def _group(resource: Resource, path: str, index: Index) -> Resource | None:
    """The declared parameter group of a database; names are unique in a region only."""
    type_ = CLUSTER_PARAMETER_GROUP if resource.type == CLUSTER else PARAMETER_GROUP
    found = [each for each in index.targets(resource, path, type_) if each.type == type_ and each.inputs is not None]
    if len(found) > 1:
        region = index.region(resource)
        found = [each for each in found if index.region(each) == region]
    return found[0] if found else None


def _engine(resource: Resource, index: Index) -> tuple[str, float | None]:
    """Engine and version: a replica has its source's."""
    source = None if is_set(resource.peek("engine")) else replica_source(resource, index)
    about = source or resource
    engine, version = about.get("engine"), about.peek("engineVersion")
    if version is None:
        version = about.outputs.get("engineVersionActual")
    if engine is None:
        # A snapshot or a source elsewhere says what it is.
        raise UnknownPropertyError("engine")
    _, parsed = _parsed(f"engine{version}") if isinstance(version, (str, int, float)) else ("", None)
    return (engine.lower() if isinstance(engine, str) else ""), parsed


def _parsed(family: Any) -> tuple[str, float | None]:  # noqa: ANN401 - JSON
    """Name and version of a family such as ``aurora-postgresql16`` or ``sqlserver-ex-15.0``."""
    found = _NAME_AND_VERSION.match(family.lower()) if isinstance(family, str) else None
    return (found[1], number(found[2])) if found else ("", None)


def _switch(engine: str) -> _Switch | None:
    return next((switch for beginning, switch in _SWITCHES.items() if engine.startswith(beginning)), None)


def _on_by_default(switch: _Switch, version: float | None) -> bool:
    return switch.since is not None and version is not None and version >= switch.since


def _parameter(group: Resource, name: str) -> Any:  # noqa: ANN401 - JSON
    """A parameter's value, or None where the group does not set it.

    Raises:
        UnknownPropertyError: when it is not known, or may be one whose name is not known.
    """
    hidden: UnknownPropertyError | None = None
    for item in group.items("parameters"):
        try:
            if item.get("name") == name:
                value = item.get("value")
                return "" if value is None else value
        except UnknownPropertyError as fault:
            hidden = fault
    if hidden is not None:
        raise hidden
    return None


def _is_on(value: Any) -> bool:  # noqa: ANN401 - JSON
    return is_true(value) or number(value) == 1 or (isinstance(value, str) and value.lower() == "on")


def _elasticache_in_transit(resource: Resource, context: Context) -> Iterable[Result]:
    if is_replica(resource, context.index):
        return
    yield from require(resource, "transitEncryptionEnabled", is_true, "true")
    # The mode for migrations: the cache takes connections with and without TLS.
    yield from require(resource, "transitEncryptionMode", lambda value: value != "preferred", "`required`")


def _search_msk_redshift_tls(resource: Resource, _: Context) -> Iterable[Result]:
    if resource.type == MSK:
        between = "encryptionInfo.encryptionInTransit"
        yield from require(resource, f"{between}.clientBroker", lambda value: value in (None, "TLS"), "`TLS`")
        yield from require(resource, f"{between}.inCluster", lambda value: value is None or is_true(value), "true")
    elif resource.type == REDSHIFT_PARAMETER_GROUP:
        yield from _redshift_group(resource)
    elif resource.type == REDSHIFT_CLUSTER:
        if resource.peek("clusterParameterGroupName") == "default.redshift-1.0":
            message = "`clusterParameterGroupName` must be a group with `require_ssl`"
            yield violation(resource, "clusterParameterGroupName", message)
    else:
        yield from _search(resource)


def _redshift_group(group: Resource) -> Iterator[Result]:
    value = _parameter(group, "require_ssl")
    # The family's second version has it on by default.
    if not (group.get("family") == "redshift-2.0" if value is None else _is_on(value)):
        yield violation(group, "parameters", "`parameters` must have `require_ssl` of `true`", absent=value is None)


def _search(domain: Resource) -> Iterator[Result]:
    endpoint = "domainEndpointOptions"
    # The provider's default of HTTPS only counts where the block around it is declared.
    given = domain.peek(endpoint) is not None
    https = f"{endpoint}.enforceHttps"
    yield from require(domain, https, lambda value: is_true(value) or (given and value is None), "true")
    oldest = f"{endpoint}.tlsSecurityPolicy"
    yield from require(domain, oldest, lambda value: value != "Policy-Min-TLS-1-0-2019-07", "a policy of TLS 1.2")
    yield from require(domain, "nodeToNodeEncryption.enabled", is_true, "true")


CHECKS: Final[Mapping[str, Callable[..., Iterable[Result]]]] = {
    "rds-force-tls": _rds_force_tls,
    "elasticache-in-transit": _elasticache_in_transit,
    "search-msk-redshift-tls": _search_msk_redshift_tls,
}
