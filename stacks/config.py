"""A stack's settings, as the engine hands them to the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from lifeboat.model.settings.load import from_runtime

if TYPE_CHECKING:
    from lifeboat.model.settings import Settings


def load_settings() -> Settings:
    """The running stack's settings.

    ``pulumi.Config`` answers key by key and so cannot show a key that nobody declared; the whole map can.

    Raises:
        SettingsError: with every fault in the configuration.
    """
    config: dict[str, str] = {**get_config_env(), **CONFIG.get()}
    return from_runtime(config, [key for key in config if is_config_secret(key)])
