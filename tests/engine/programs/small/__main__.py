"""Two sites in miniature: networks, keys, a secret that is in both; every setting changes in its own way.

Configuration, all optional: ``tag`` changes in place, ``cidr`` replaces the subnets, ``ignored`` changes nothing.
"""

import json

import pulumi
import pulumi_aws as aws
import pulumi_random as random

REGIONS = ("us-east-1", "us-west-2")
config = pulumi.Config()
tags = {"system": "small", "owner": config.get("tag") or "nobody"}
cidr = config.get("cidr") or "10.0.1.0/24"


class Network(pulumi.ComponentResource):
    """A VPC with one subnet."""

    def __init__(self, name: str, region: str, provider: aws.Provider) -> None:
        super().__init__("small:aws:Network", name, {"region": region, "cidr": cidr})
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        self.vpc = aws.ec2.Vpc(f"{name}-vpc", cidr_block="10.0.0.0/16", tags=tags, opts=options)
        self.subnet = aws.ec2.Subnet(
            f"{name}-subnet",
            vpc_id=self.vpc.id,
            cidr_block=cidr,
            availability_zone=f"{region}a",
            tags={**tags, "remark": config.get("ignored") or "none"},
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(ignore_changes=["tags.remark"])),
        )
        self.register_outputs({"vpcId": self.vpc.id})


providers = {region: aws.Provider(f"aws-{region}", region=region) for region in REGIONS}
networks = {region: Network(f"network-{region}", region, provider) for region, provider in providers.items()}
keys = {
    region: aws.kms.Key(
        f"keys-{region}-secrets",
        description="small secrets",
        deletion_window_in_days=30,
        tags=tags,
        opts=pulumi.ResourceOptions(provider=provider, protect=True),
    )
    for region, provider in providers.items()
}
password = random.RandomPassword("password", length=32, special=False)
secret = aws.secretsmanager.Secret(
    "orders-us-east-1-secret",
    name="small-orders",
    kms_key_id=keys["us-east-1"].arn,
    replicas=[{"region": "us-west-2", "kms_key_id": keys["us-west-2"].arn}],
    recovery_window_in_days=0,
    tags=tags,
    opts=pulumi.ResourceOptions(provider=providers["us-east-1"]),
)
aws.secretsmanager.SecretVersion(
    "orders-us-east-1-secret-version",
    secret_id=secret.id,
    secret_string=password.result.apply(lambda text: json.dumps({"password": text})),
    opts=pulumi.ResourceOptions(provider=providers["us-east-1"]),
)

pulumi.export("vpcs", {region: network.vpc.id for region, network in networks.items()})
pulumi.export("port", 5432)
pulumi.export("password", password.result)
