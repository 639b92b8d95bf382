"""As many resources as a stack has, from a list: no components, no model, no outputs that depend on each other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pulumi
import pulumi_aws as aws

provider = aws.Provider("aws-us-east-1", region="us-east-1")
for resource in json.loads(Path(os.environ["BENCH_RESOURCES"]).read_text()):
    pulumi.CustomResource(
        resource["type"], resource["name"], resource["inputs"], pulumi.ResourceOptions(provider=provider)
    )
