"""Keys."""

from __future__ import annotations

from components.aws.keys import KeysArgs, Purpose, SiteKeys
from tests.components.harness import HOME, Example

EXAMPLES = [
    Example(
        name="keys",
        build=lambda world: SiteKeys(f"keys-{HOME}", KeysArgs(site=world.site(HOME), purposes=tuple(Purpose))),
    )
]
