# SPDX-License-Identifier: Apache-2.0
"""Figures that tests measure stand together at the end of a run."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

# A job in the background ignores Ctrl-C, and what it starts does too: tests are about to send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test of exports that is skipped although EXPORTS names a folder of them."""
    report = yield
    if report.skipped and item.get_closest_marker("exports") and os.environ.get("EXPORTS"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and EXPORTS is set: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests gave to `record_property`, and how long the container tests took."""
    reports = [
        report
        for several in terminalreporter.stats.values()
        for report in several
        if isinstance(report, pytest.TestReport)
    ]
    figures = dict(figure for report in reports for figure in report.user_properties)
    seconds = sum(report.duration for report in reports if "docker" in report.keywords)
    if seconds:
        figures["container tests"] = f"{seconds:.0f} s"
    if figures:
        terminalreporter.section("figures")
        for name, value in figures.items():
            terminalreporter.write_line(f"{name}: {value}")
