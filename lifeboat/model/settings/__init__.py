"""A stack's settings: what a ``Pulumi.<stack>.yaml`` may say, and every fault in one that says something else."""

from lifeboat.model.settings.base import format_duration, parse_duration
from lifeboat.model.settings.faults import Fault, SettingsError
from lifeboat.model.settings.root import Settings

__all__ = ["Fault", "Settings", "SettingsError", "format_duration", "parse_duration"]
