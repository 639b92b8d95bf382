"""As many resources as a stack has, from a list: no components, no model, no outputs that depend on each other.

With the same providers and the same modules of the SDK, which any program of these resources would pay for.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

import pulumi
import pulumi_aws as aws

resources = json.loads(Path(os.environ["BENCH_RESOURCES"]).read_text())
for module in sorted({resource["type"].split(":")[1].split("/")[0] for resource in resources}):
    importlib.import_module(f"pulumi_aws.{module}")
providers = {
    region: aws.Provider(f"aws-{region}", region=region)
    for region in sorted({resource["region"] for resource in resources})
}
for resource in resources:
    options = pulumi.ResourceOptions(provider=providers[resource["region"]])
    pulumi.CustomResource(resource["type"], resource["name"], resource["inputs"], options)
