"""The declaration, and the publication of the contract."""

from __future__ import annotations

from components.aws.declaration import Declaration, DeclarationArgs, DeclaredBound, DeclaredObjective, DeclaredStore
from components.aws.publication import ContractPublication, PublicationArgs, PublicationSite
from tests.components.harness import HOME, OTHER, PREFIX, WITNESS, Example, World


def declaration() -> Declaration:
    return Declaration(
        "declaration",
        DeclarationArgs(
            system="acme",
            environment="production",
            home=HOME,
            sites=(HOME, OTHER),
            witness=WITNESS,
            strategy="warm-standby",
            routing="alarm",
            strict=True,
            rto=DeclaredBound(seconds=840.0, bound_class="documented"),
            rpo=DeclaredBound(seconds=60.0, bound_class="enforced"),
            objectives=[DeclaredObjective(scope="objectives.stack", rto_seconds=900, rpo_seconds=300)],
            stores=[
                DeclaredStore(
                    kind="database",
                    name="orders",
                    mechanism="aurora-global",
                    rpo_seconds=300,
                    bound=DeclaredBound(seconds=60.0, bound_class="enforced"),
                ),
                DeclaredStore(kind="cache", name="sessions", mechanism="rebuild"),
            ],
        ),
    )


def publication(world: World, document: str = '{"version": 1}') -> ContractPublication:
    return ContractPublication(
        "contract",
        PublicationArgs(
            sites=[
                PublicationSite(
                    site=world.site(region),
                    bucket=f"{PREFIX}-config-{region}",
                    key_arn=world.key(region, "objects"),
                )
                for region in (HOME, OTHER)
            ],
            document=document,
            parameter_name=f"/lifeboat/{PREFIX}/contract",
        ),
    )


EXAMPLES = [
    Example(name="declaration", build=lambda _: declaration()),
    Example(name="publication", build=publication),
]
