"""Settings of the tests by generated examples, the same on every machine."""

from __future__ import annotations

import hypothesis

# What hypothesis itself takes where the variable CI is set: no example fails because it took long, and a run that
# failed is seen again. New examples are tried with ARGS=--hypothesis-profile=default.
hypothesis.settings.register_profile(
    "gate", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("gate")
