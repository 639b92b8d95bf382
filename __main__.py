"""The Pulumi program: load, resolve, build, export."""

from __future__ import annotations

import pulumi

from lifeboat.model.settings.load import SettingsError
from lifeboat.model.topology import Refused, resolve
from stacks.build import build
from stacks.config import load_settings

try:
    settings = load_settings()
    topology = resolve(settings)
except (SettingsError, Refused) as error:
    # RunError prints its text alone: a user's mistake gets no traceback.
    raise pulumi.RunError(str(error)) from None

for name, value in build(settings, topology).items():
    pulumi.export(name, value)
