"""Secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.aws.secrets import ReplicatedSecret, SecretArgs
from tests.components.harness import HOME, OTHER, Example, World

if TYPE_CHECKING:
    import pulumi


def secret(world: World, value: pulumi.Input[str] | None = None) -> ReplicatedSecret:
    return ReplicatedSecret(
        "payments-api",
        SecretArgs(
            home=world.site(HOME),
            home_key_arn=world.key(HOME, "secrets"),
            replicas={OTHER: world.key(OTHER, "secrets")},
            value=value,
        ),
    )


EXAMPLES = [
    Example(name="secret-generated", build=secret),
    Example(name="secret-given", build=lambda world: secret(world, "given")),
]
