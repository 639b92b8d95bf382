"""What every tier shares: hypothesis judges properties, never how fast this machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile("lifeboat", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lifeboat")
