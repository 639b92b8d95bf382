"""AWS services that a VPC reaches by endpoints, as data: those that applications call. As of 2026, from AWS's guides.

A service is written as in ``com.amazonaws.REGION.SERVICE``. Left out are services with names of another form, and those
that do not speak HTTPS on port 443, which is all that the endpoints let in.
"""

from __future__ import annotations

import difflib

GATEWAY = frozenset({"s3", "dynamodb"})
"""Every site has a gateway endpoint of these, which costs nothing; one of each kind would have the same name."""

INTERFACE = frozenset(
    [
        "access-analyzer",
        "acm",
        "acm-pca",
        "apigateway",
        "appconfig",
        "appconfigdata",
        "application-autoscaling",
        "aps",
        "aps-workspaces",
        "appsync-api",
        "athena",
        "autoscaling",
        "autoscaling-plans",
        "backup",
        "batch",
        "bedrock",
        "bedrock-agent",
        "bedrock-agent-runtime",
        "bedrock-runtime",
        "cloudformation",
        "cloudtrail",
        "codeartifact.api",
        "codeartifact.repositories",
        "codebuild",
        "codecommit",
        "codedeploy",
        "codedeploy-commands-secure",
        "codepipeline",
        "cognito-identity",
        "cognito-idp",
        "comprehend",
        "config",
        "datasync",
        "dms",
        "drs",
        "ds",
        "ebs",
        "ec2",
        "ec2messages",
        "ecr.api",
        "ecr.dkr",
        "ecs",
        "ecs-agent",
        "ecs-telemetry",
        "eks",
        "eks-auth",
        "elasticache",
        "elasticbeanstalk",
        "elasticbeanstalk-health",
        "elasticfilesystem",
        "elasticloadbalancing",
        "elasticmapreduce",
        "email",
        "emr-containers",
        "emr-serverless",
        "events",
        "execute-api",
        "fis",
        "fsx",
        "git-codecommit",
        "glue",
        "grafana",
        "guardduty",
        "guardduty-data",
        "imagebuilder",
        "inspector2",
        "kafka",
        "kinesis-firehose",
        "kinesis-streams",
        "kms",
        "kms-fips",
        "lakeformation",
        "lambda",
        "license-manager",
        "logs",
        "macie2",
        "memory-db",
        "monitoring",
        "mq",
        "network-firewall",
        "networkmonitor",
        "pi",
        "pipes",
        "pipes-data",
        "polly",
        "ram",
        "rds",
        "rds-data",
        "redshift",
        "redshift-data",
        "rekognition",
        "resource-groups",
        "rolesanywhere",
        "rum",
        "rum-dataplane",
        "sagemaker.api",
        "sagemaker.runtime",
        "scheduler",
        "schemas",
        "secretsmanager",
        "securityhub",
        "servicecatalog",
        "servicediscovery",
        "sns",
        "sqs",
        "ssm",
        "ssm-contacts",
        "ssm-incidents",
        "ssmmessages",
        "states",
        "sts",
        "sts-fips",
        "swf",
        "sync-states",
        "synthetics",
        "tagging",
        "textract",
        "transcribe",
        "transfer",
        "translate",
        "verifiedpermissions",
        "vpc-lattice",
        "wafv2",
        "xray",
    ]
)
"""Services with interface endpoints that have private names."""

_SHOWN = 3


def refuses(service: object) -> str | None:
    """Why a site cannot have an interface endpoint of this service, None when it can. Completes "accepted is ..."."""
    if not isinstance(service, str) or service not in INTERFACE | GATEWAY:
        return f"an AWS service with interface endpoints, such as {', '.join(_nearest(str(service)))}"
    if service in GATEWAY:
        return f"a service of interface endpoints alone: every site has a gateway endpoint of {service}"
    return None


def _nearest(service: str) -> list[str]:
    """Of a beginning, how it may go on; of a slip of the hand, what comes nearest."""
    beginnings = sorted(known for known in INTERFACE if known.startswith(f"{service}."))
    return beginnings or difflib.get_close_matches(service, sorted(INTERFACE), n=_SHOWN) or ["secretsmanager"]
