"""A secret that every site can read when the others are gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws
import pulumi_random as random

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.aws.site import Site

RECOVERY_WINDOW_DAYS = 30
"""The longest that Secrets Manager accepts."""


@dataclass(frozen=True, kw_only=True)
class SecretArgs:
    """What `ReplicatedSecret` needs."""

    home: Site
    """Where the secret is written; its replicas are read-only."""
    home_key_arn: pulumi.Input[str]
    replicas: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, "pulumi.Input[str]"])
    """Key ARN of every other region that gets a copy; each copy takes the key of its own region."""
    value: pulumi.Input[str] | None = None
    """The secret's text; None generates one."""
    length: int = 40
    """Characters of a generated value."""


class ReplicatedSecret(pulumi.ComponentResource):
    """One secret, the same name in every site.

    A generated value has letters and digits only: every engine and every URL takes those as they are.
    """

    value: pulumi.Output[str]
    """The text, as a Pulumi secret."""
    arns: dict[str, pulumi.Output[str]]
    """ARN by region. Replicas keep name and suffix of the original."""

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lifeboat:aws:ReplicatedSecret", name, {}, opts)
        home = args.home
        if args.value is None:
            generated = random.RandomPassword(
                f"{name}-global-value",
                length=args.length,
                special=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            value = generated.result
        else:
            value = pulumi.Output.from_input(args.value)
        self.value = pulumi.Output.secret(value)

        physical = f"{home.prefix}-{name}"
        secret = aws.secretsmanager.Secret(
            f"{name}-{home.region}-secret",
            name=physical,
            kms_key_id=args.home_key_arn,
            recovery_window_in_days=RECOVERY_WINDOW_DAYS,
            replicas=[{"region": region, "kms_key_id": key} for region, key in sorted(args.replicas.items())],
            tags=home.named(physical),
            opts=pulumi.ResourceOptions(parent=self, provider=home.provider, protect=True),
        )
        aws.secretsmanager.SecretVersion(
            f"{name}-{home.region}-version",
            secret_id=secret.id,
            secret_string=self.value,
            opts=pulumi.ResourceOptions(parent=self, provider=home.provider),
        )
        self.arns = {
            region: secret.arn.apply(lambda arn, region=region: arn.replace(f":{home.region}:", f":{region}:", 1))
            for region in (home.region, *sorted(args.replicas))
        }
        self.register_outputs({"value": self.value, "arns": self.arns})
