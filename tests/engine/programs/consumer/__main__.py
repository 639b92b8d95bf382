"""Another team's stack: reads the small stack and puts something into its network."""

import pulumi
import pulumi_aws as aws

small = pulumi.StackReference("organization/small/dev")
provider = aws.Provider("aws-us-east-1", region="us-east-1")
group = aws.ec2.SecurityGroup(
    "consumer-us-east-1-group",
    name="consumer",
    description="of the consumer",
    vpc_id=small.require_output("vpcs").apply(lambda vpcs: vpcs["us-east-1"]),
    opts=pulumi.ResourceOptions(provider=provider),
)
pulumi.export("group", group.id)
pulumi.export("port", small.require_output("port"))
pulumi.export("password", small.require_output("password"))
