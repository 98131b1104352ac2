# SPDX-License-Identifier: Apache-2.0
"""Look at stacks, and take them down."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, EngineError, UsageError
from ttctl.model.lease import RELEASED
from ttctl.operations.diagnose import causes
from ttctl.operations.foreign import refuse_foreign
from ttctl.operations.lease import stop_first
from ttctl.operations.ready import wait_for
from ttctl.rules.cache_name import caches_of
from ttctl.rules.dotenv import values_in
from ttctl.rules.find import is_meant
