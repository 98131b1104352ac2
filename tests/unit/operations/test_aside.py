# SPDX-License-Identifier: Apache-2.0
"""Is what is done aside waited for no longer than is wanted, and its failure raised?"""

from __future__ import annotations

import threading

import pytest

from ttctl.errors import EngineError
from ttctl.operations.aside import Aside


def test_what_has_not_ended_is_not_waited_for_and_keeps_no_program() -> None:
    over = threading.Event()
    aside = Aside(over.wait)
    assert not aside.is_done(within_s=0.01)
    (thread,) = (one for one in threading.enumerate() if one.name == "aside")
    assert thread.daemon
    over.set()
    assert aside.is_done(within_s=10)
    thread.join(10)


def test_what_it_raises_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise EngineError("It broke.")

    with pytest.raises(EngineError, match="It broke"):
        Aside(fail).is_done(within_s=10)
