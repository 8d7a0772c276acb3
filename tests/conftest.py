"""What all tests share: how hypothesis runs."""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

# Hypothesis keeps tables of Unicode and of our constants in a folder: a run leaves nothing in the tree.
set_hypothesis_home_dir(Path(tempfile.gettempdir(), f"ci-action-hypothesis-{os.getuid()}"))
# No deadline, since a slow machine is no failure.
settings.register_profile(
    "local", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")
