# SPDX-License-Identifier: Apache-2.0
"""Bring a stack up, and prove that it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError, OfflineError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.beside import engines_of
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire, with_known_hashes
from ttctl.operations.explain import explained
from ttctl.operations.gather import gather
from ttctl.operations.generations import adopt, record
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.port import with_free_port
from ttctl.operations.preflight import check_online, preflight
from ttctl.operations.ready import await_ready
from ttctl.operations.start import mind_passed, mind_stale, on_free_boards, refuse_dirty, start
from ttctl.operations.start_watch import remember
from ttctl.operations.steps import plan_for
