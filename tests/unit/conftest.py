# SPDX-License-Identifier: Apache-2.0
"""Properties are tried on the same examples each time: a gate must not change by itself."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gate")
