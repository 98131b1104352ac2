# SPDX-License-Identifier: Apache-2.0
"""Figures that tests measure stand together at the end of a run."""

from __future__ import annotations

import signal

import pytest

# A job in the background ignores Ctrl-C, and what it starts does too: tests are about to send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
