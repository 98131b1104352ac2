# SPDX-License-Identifier: Apache-2.0
"""What does one line of a package source name? Pure.

Source: sources.list(5), the one-line style: `deb [ option=value ] uri suite [component...]`
"""

from __future__ import annotations

import re

_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)")


def uri_and_suite(line: str) -> tuple[str, str]:
    """Return the address and the suite, both empty where the line names none."""
    found = _LINE.match(line)
    return (found["uri"], found["suite"]) if found else ("", "")
