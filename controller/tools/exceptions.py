# SPDX-License-Identifier: Apache-2.0
"""Write docs/exceptions.md: what a container of each contract may do beyond the strictest set.

`python -m tools.exceptions`, or `make docs`. It is read off the contracts that launch them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.markdown import row
from ttctl.adapters import places
from ttctl.adapters.contracts import ShippedContracts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.contract import LaunchContract
    from ttctl.model.service import Exemption

ROOT = Path(__file__).parents[2]
PAGE = "docs/exceptions.md"
HEAD = """# What containers on a card may do beyond the strictest set

Written by `make docs` from `compose/contracts.toml`; `ttctl plan` prints the same for the model
that is asked for. The strictest set: user 1000, a read-only root, no capability, no new privileges,
shared memory and networks of its own, limits of memory and processes, no device. A container on
a card gets its boards' nodes besides, one by one (5.17). A number is that of the check in sections
4 and 5 of docker-bench which the exception fails; `none` where no check asks for it.
`tests/integration/test_rendered_contracts.py` starts a container of each contract but `multihost`,
and holds that it fails just these checks, and 5.11: an engine may use every core.
Nothing of this was run on a card yet.
"""
BENCH = {
    "user": "4.1",
    "writable root": "5.12",
    "capability": "5.3",
    "new privileges": "5.25",
    "host ipc": "5.16",
    "locked memory": "5.18",
    "device": "5.17",
    "host network": "5.9",
    "host processes": "5.15",
    "memory limit": "5.10",
}
"""The check of docker-bench that an exemption fails, by what it is.

Source: docker/docker-bench-security, tests/5_container_runtime.sh@v1.6.0.
"""
NO_CHECK = "none"
ALWAYS = ("5.11", "5.17")
"""What every container of an engine on a card fails: any core, and the nodes of its boards."""
AS_ROOT = "0"


def failing(exemptions: Iterable[Exemption]) -> set[str]:
    """Return the checks that a container on a card with these exemptions fails."""
    return {*ALWAYS, *(number for one in exemptions if (number := _number(one)) != NO_CHECK)}


def _number(exemption: Exemption) -> str:
    """Return the check; any user but root passes it."""
    if exemption.what == "user" and exemption.value.partition(":")[0] != AS_ROOT:
        return NO_CHECK
    return BENCH.get(exemption.what, NO_CHECK)


def text(contracts: Iterable[LaunchContract]) -> str:
    """Return the page."""
    return HEAD + "".join(_section(one) for one in contracts)


def _section(contract: LaunchContract) -> str:
    rows = [
        (one.what, one.value, _number(one), one.reason, one.source) for one in contract.exemptions
    ]
    rows += [
        (
            "executable path" if one.executable else "writable path",
            one.target,
            NO_CHECK,
            one.reason,
            one.source,
        )
        for one in contract.writable
    ]
    head = row(("exception", "value", "check", "why", "read in"))
    lines = (head, row(["---"] * 5), *map(row, rows))
    return f"\n## {contract.name}\n\n" + "\n".join(lines) + "\n"


def main() -> int:
    """Write the page."""
    page = text(ShippedContracts(places.shipped()).contracts().values())
    (ROOT / PAGE).write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
