"""What all tests share: how hypothesis runs."""

import os

from hypothesis import HealthCheck, settings

# No database, so that a run leaves no file behind; no deadline, since a slow machine is no failure.
settings.register_profile(
    "local", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")
