"""What stock clients meet in a sandbox: each probe tells of several things, in a word each, ``well`` when it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from tests.live.fault_scene import BUYER, WELL, Scene, met, yes
from tests.live.living import HOME, ORDERS, STANDBY, WITNESS
from tests.moving import PREFIX

Words: TypeAlias = dict[str, str]
Probe: TypeAlias = Callable[[Scene], Words]

_COMMITS: Final = "DO $$ BEGIN FOR i IN 1..30 LOOP INSERT INTO slow VALUES (i); COMMIT; END LOOP; END $$"
_TOO_LONG: Final = "SET statement_timeout = '2500ms'"
"""Shorter than so many commits on a disk that takes a tenth of a second for each."""
_BUCKET: Final = f"{PREFIX}-uploads"
_WHOLE: Final = "SELECT sum(length(orders::text)) FROM orders"


def region(scene: Scene) -> Words:
    """Home as all of its clients see it, the name that leads to it, global control planes, the other region."""
    here, there = scene.api("s3", HOME), scene.api("s3", STANDBY)
    listed = f"{_BUCKET}-{HOME}"
    return {
        "name": yes(scene.resolve(ORDERS) == scene.fronts[HOME]),
        "order": scene.order()[0],
        "database": scene.sql(HOME, "SELECT 1"),
        "cache": scene.ping(HOME),
        "rds": met(scene.api("rds", HOME).describe_db_clusters),
        "s3": met(lambda: here.list_objects_v2(Bucket=listed)),
        "s3 by another region": met(lambda: there.list_objects_v2(Bucket=listed)),
        "iam": met(scene.api("iam", STANDBY).list_roles),
        "route53": met(scene.api("route53", STANDBY).list_hosted_zones),
        "other rds": met(scene.api("rds", STANDBY).describe_db_clusters),
        "other s3": met(lambda: there.list_objects_v2(Bucket=f"{_BUCKET}-{STANDBY}")),
        "other database": scene.sql(STANDBY, "SELECT 1"),
        "other cache": scene.ping(STANDBY),
    }


def witness(scene: Scene) -> Words:
    """The witness's metrics, and orders, which do not need them: who takes these stays as it was known last."""
    return {
        "metrics": met(scene.api("cloudwatch", WITNESS).describe_alarms),
        "name": yes(scene.resolve(ORDERS) == scene.fronts[HOME]),
        "order": scene.order()[0],
    }


def parted(scene: Scene) -> Words:
    """Both sides of a cut around home, each of which lives on, and what goes from one to the other."""
    return {
        "order from outside": scene.order(scene.fronts[HOME])[0],
        "kept connection": scene.keep_asking(HOME),
        "order from inside": scene.order(scene.inside[HOME])[0],
        "name": yes(scene.resolve(ORDERS) == scene.fronts[HOME]),
        "row": scene.row_crosses(),
        "key": scene.key_crosses(),
        "object": scene.object_crosses(HOME, STANDBY),
        "object back": scene.object_crosses(STANDBY, HOME),
        "outside to home": met(scene.api("rds", HOME).describe_db_clusters),
        "home to home": met(scene.api("rds", HOME, caller=HOME).describe_db_clusters),
        "home to standby": met(scene.api("rds", STANDBY, caller=HOME).describe_db_clusters),
        "standby to home": met(scene.api("rds", HOME, caller=STANDBY).describe_db_clusters),
        "standby to standby": met(scene.api("rds", STANDBY, caller=STANDBY).describe_db_clusters),
    }


def front(scene: Scene) -> Words:
    """Home's site, from the internet and from beside it, and the other site."""
    return {
        "kept connection": scene.keep_asking(HOME),
        "outside": scene.get(scene.fronts[HOME], "/health/live"),
        "inside": scene.get(scene.inside[HOME], "/health/live"),
        "other": scene.get(scene.fronts[STANDBY], "/health/live"),
    }


def replica(scene: Scene) -> Words:
    """Whether the other region's database has home's orders, is connected, and shows all that it has received."""
    row = scene.row_crosses()
    level = "pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
    return {
        "row": row,
        "connected": yes(scene.true(STANDBY, "(SELECT count(*) FROM pg_stat_wal_receiver) = 1")),
        "replayed": yes(scene.true(STANDBY, level)),
        "key": scene.key_crosses(),
    }


def much(scene: Scene) -> Words:
    """Whether a hundred KB reach the other region's database."""
    text = "SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 3000)"
    return {
        "written": scene.sql(HOME, f"CREATE TABLE much_{scene.number()} AS {text}"),
        "row": scene.row_crosses(),
    }


def commits(scene: Scene) -> Words:
    """Whether many commits, one after the other, are through before a client's patience ends; whether a read is."""
    return {
        "commits": scene.sql(HOME, _COMMITS, "CREATE TABLE IF NOT EXISTS slow (number int)", _TOO_LONG),
        "read": scene.sql(HOME, _WHOLE, _TOO_LONG),
    }


def room(scene: Scene) -> Words:
    """Whether a table may grow, and small things go on."""
    scene.sql(HOME, "DROP TABLE IF EXISTS big")
    return {
        "big": scene.sql(HOME, "CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)"),
        "read": scene.sql(HOME, _WHOLE),
        "other region": scene.sql(STANDBY, _WHOLE),
    }


def table(scene: Scene) -> Words:
    """Whether orders can be read, by whom."""
    return {
        "site": scene.get(scene.inside[HOME], f"/orders?client={BUYER}"),
        "sql": scene.sql(HOME, _WHOLE),
        "another table": scene.sql(HOME, "SELECT count(*) FROM pg_class"),
        "other region": scene.sql(STANDBY, _WHOLE),
    }


def capacity(scene: Scene) -> Words:
    """Whether the standby region could be made bigger, looked at, and whether its site answers."""
    rds, cache, machines = (scene.api(each, STANDBY) for each in ("rds", "elasticache", "ec2"))
    member, group = f"{PREFIX}-orders-{STANDBY}-1", f"{PREFIX}-sessions-{STANDBY}"
    dry = met(lambda: machines.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, DryRun=True))
    return {
        "bigger": met(lambda: rds.modify_db_instance(DBInstanceIdentifier=member, DBInstanceClass="db.r6g.xlarge")),
        "more": met(
            lambda: cache.increase_replica_count(ReplicationGroupId=group, NewReplicaCount=3, ApplyImmediately=True)
        ),
        "machine": WELL if dry == "DryRunOperation" else dry,
        "look": met(rds.describe_db_clusters),
        "site": scene.get(scene.fronts[STANDBY], f"/orders?client={BUYER}"),
    }


def credentials(scene: Scene) -> Words:
    """Whether two people's access keys open the doors of several protocols."""
    return {
        f"{service} {key}": met(call) for key in ("AKIAOLD", "AKIANEW") for service, call in _doors(scene, key).items()
    }


def _doors(scene: Scene, key: str) -> dict[str, Callable[[], Any]]:
    s3 = scene.api("s3", STANDBY, key=key)
    return {
        "rds": scene.api("rds", STANDBY, key=key).describe_db_clusters,
        "dynamodb": scene.api("dynamodb", STANDBY, key=key).list_tables,
        "sts": scene.api("sts", STANDBY, key=key).get_caller_identity,
        "s3": lambda: s3.list_objects_v2(Bucket=f"{_BUCKET}-{STANDBY}"),
    }


def planes(scene: Scene) -> Words:
    """Both planes of two regions' APIs, and orders, which need neither."""
    here, there = scene.api("s3", HOME), scene.api("s3", STANDBY)
    return {
        "home rds": met(scene.api("rds", HOME).describe_db_clusters),
        "home s3": met(lambda: here.list_objects_v2(Bucket=f"{_BUCKET}-{HOME}")),
        "standby rds": met(scene.api("rds", STANDBY).describe_db_clusters),
        "standby s3": met(lambda: there.list_objects_v2(Bucket=f"{_BUCKET}-{STANDBY}")),
        "order": scene.order()[0],
    }


def servers(scene: Scene) -> Words:
    """The standby region's servers, and orders, which do not wait for them."""
    return {
        "database": scene.sql(STANDBY, "SELECT 1"),
        "cache": scene.ping(STANDBY),
        "site": scene.get(scene.inside[STANDBY], "/health/live"),
        "order": scene.order()[0],
    }


def clocks(scene: Scene) -> Words:
    """By how many hours sites' clocks are wrong, by what they say and by the headers of their answers."""
    found: Words = {}
    for name, where in (("home", HOME), ("standby", STANDBY)):
        for source, told in scene.times(where).items():
            hours = round((told - datetime.now(UTC)) / timedelta(hours=1))
            found[f"{name} {source}"] = f"{hours:+} h" if hours else WELL
    return found
