"""What every tier shares: hypothesis judges properties, never how fast this machine is."""

from hypothesis import HealthCheck, settings

from lifeboat.interpreter import collect_seldom

collect_seldom()
settings.register_profile("lifeboat", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lifeboat")
