# SPDX-License-Identifier: Apache-2.0
"""The house's rules that much else refers to; kept apart, since it costs nothing to load."""

from __future__ import annotations

HOUSE_UID = 1000
"""The user of a container that names no other."""
LOCAL = "local-"
"""What stands in place of a commit begins so, where a checkout does."""
