"""An app team's program: the same thing in every site, against what the platform's contract says of that site.

Nothing here knows which site is active. Each site's copy talks to its own writer endpoint, which takes writes whenever
that site is active, and traffic follows DNS. So a failover of the platform needs no deployment here.
"""

from __future__ import annotations

import lifeboat_contract
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
contract = lifeboat_contract.view(lifeboat_contract.read(pulumi.StackReference(config.require("platform"))))
database = config.require("database")
sites: list[str] = config.require_object("sites")

for region in sites:
    site = contract.site(region)
    store = site.databases[database]
    provider = aws.Provider(f"aws-{region}", region=region)
    options = pulumi.ResourceOptions(provider=provider)
    tags = {"Service": "orders-api", "Site": region}

    group = aws.ec2.SecurityGroup(
        f"orders-api-{region}",
        name=f"orders-api-{region}",
        description="orders-api: reaches its database, and nothing else",
        vpc_id=site.vpc_id,
        tags=tags,
        opts=options,
    )
    # The port is a number again, although a stack output made 5432.0 of it.
    aws.vpc.SecurityGroupEgressRule(
        f"orders-api-{region}-database",
        security_group_id=group.id,
        description=f"PostgreSQL {database} in this site",
        ip_protocol="tcp",
        from_port=store.port,
        to_port=store.port,
        cidr_ipv4=site.network.apply(lambda network: network.cidr),
        tags=tags,
        opts=options,
    )
    aws.ssm.Parameter(
        f"orders-api-{region}-settings",
        name=f"/orders-api/{region}/settings",
        type="String",
        value=pulumi.Output.json_dumps(
            {
                "host": store.writer_endpoint,
                "reader": store.reader_endpoint,
                "port": store.port,
                "database": store.database,
                # The ARN, not the password: the service fetches it with its own role, in its own site.
                "secret": store.secret_arn,
            }
        ),
        tags=tags,
        opts=options,
    )
    pulumi.export(f"database-{region}", store.writer_endpoint)
    pulumi.export(f"port-{region}", store.port)
    pulumi.export(f"security-group-{region}", group.id)
