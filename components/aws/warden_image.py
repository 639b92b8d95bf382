"""How a warden's container is started: the role that ECS itself takes for it, and where its image comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from components.aws.site import Site

_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^:@]+)[:@].+")


def task_trust(site: Site) -> dict[str, object]:
    """Only tasks of this account and region may take the role."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": site.account},
                    "ArnLike": {"aws:SourceArn": site.arn("ecs", "*")},
                },
            }
        ],
    }


def worker_policy(site: Site, image: str, log_group: pulumi.Input[str]) -> pulumi.Output[str]:
    """Writing into the one log group, and pulling the one image where it comes from ECR."""

    def document(group: str) -> dict[str, object]:
        statements: list[dict[str, object]] = [
            {
                "Sid": "WriteLogs",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": site.arn("logs", f"log-group:{group}:log-stream:*"),
            }
        ]
        found = _ECR.fullmatch(image)
        if found is not None:
            repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
            pull: dict[str, object] = {
                "Sid": "PullTheImage",
                "Effect": "Allow",
                "Action": [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                "Resource": repository,
            }
            # It names no repository.
            sign_in: dict[str, object] = {
                "Sid": "SignIn",
                "Effect": "Allow",
                "Action": "ecr:GetAuthorizationToken",
                "Resource": "*",
            }
            statements += [pull, sign_in]
        return {"Version": "2012-10-17", "Statement": statements}

    return pulumi.Output.json_dumps(pulumi.Output.from_input(log_group).apply(document))
