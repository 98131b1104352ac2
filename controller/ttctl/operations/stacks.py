# SPDX-License-Identifier: Apache-2.0
"""Look at stacks, and take them down."""

from __future__ import annotations
