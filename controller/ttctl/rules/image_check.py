# SPDX-License-Identifier: Apache-2.0
"""How is an image held while its recipe's `verify` runs in it, and what did that say? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.image import ImageSpec

CHECK_LABEL = "dev.ttctl.check"
"""On the container of a check: the fingerprint of the image that is looked at."""
VERIFY = "verify"
"""Name of the script in a recipe's folder."""
CHECK_S = 600
"""How long `verify` may take, s: it imports what serves, without a card and from a cold disk."""
KILL_S = 10
UNPRIVILEGED = "1000:1000"
"""As whom it runs where the image names no user of its own."""
LATE = 124
"""What `timeout` ends with where the time was up."""


def held_words(image: ImageSpec) -> tuple[str, ...]:
    """Return the options of `docker run` that hold a check in, as a service is; and no card."""
    last = re.split(r"^FROM ", image.dockerfile, flags=re.MULTILINE)[-1]
    own = re.search(r"^USER ", last, flags=re.MULTILINE)
    return (
        "--rm", f"--label={CHECK_LABEL}={image.fingerprint}", "--pull=never", "--network=none",
        "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true",
        "--pids-limit=4096", "--tmpfs=/tmp:mode=1777", "--entrypoint=timeout",
        *([] if own else [f"--user={UNPRIVILEGED}"]),
    )  # fmt: skip


def told_words(image: ImageSpec) -> tuple[str, ...]:
    """Return the image, and what is run in it: `verify`, for a bounded time."""
    return (image.reference, f"--kill-after={KILL_S}", str(CHECK_S), "bash", "/verify")


def check_command(image: ImageSpec, *, script: str) -> tuple[str, ...]:
    """Return the command that runs the file `script` in an image.

    `script` is an absolute path; the file must be readable for everybody.
    """
    bound = f"--volume={script}:/verify:ro"
    return ("docker", "run", *held_words(image), bound, *told_words(image))


def why_not_verified(lines: Sequence[str], code: int) -> str:
    """Return the sentence of a `verify` that ended with `code`."""
    if code == LATE:
        return f"verify did not end within {CHECK_S} s."
    said = [line.removeprefix("verify: ") for line in lines if line.startswith("verify: ")]
    other = next((line for line in reversed(lines) if line.strip()), "")
    return (said[-1] if said else other.strip()) or f"verify ended with {code}."
