"""How hard the properties are tried: enough to find what has been found, in seconds."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit", max_examples=100, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")
