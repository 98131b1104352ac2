# SPDX-License-Identifier: Apache-2.0
"""Run a recipe's `verify` in the image that was just built; one that fails loses its name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.adapters.process import run
from ttctl.adapters.scratch import scratch
from ttctl.errors import BuildError, TtctlError, WaitError
from ttctl.rules.image_check import CHECK_LABEL, CHECK_S, check_command, why_not_verified
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from ttctl.model.image import ImageSpec
    from ttctl.model.protocols import Reporter

START_S = 120
"""What the engine may need beside the check: a container of some 10 GB on a slow disk."""
TIDY_S = 60


def check_image(
    image: ImageSpec, reporter: Reporter, *, logs: Path, cancel: threading.Event | None = None
) -> None:
    """Hold an image against what its recipe promises; without a card, and without a network.

    Raises:
        BuildError: It is not what its recipe says, and has no name any more.
    """
    try:
        lines, code = _ran(image, reporter, cancel)
    except BaseException:
        # Ctrl-C too: a name says that all of it was done.
        _tidy(image, reporter)
        raise
    if code == 0:
        return
    _tidy(image, reporter)
    raise BuildError(
        f"The image {image.name!r} was built, and is not what its recipe promises.",
        why=redacted(why_not_verified(lines, code)),
        evidence=redacted("\n".join([line for line in lines if line.strip()][-6:])),
        next_step=f"less {logs}",
    )


def _ran(
    image: ImageSpec, reporter: Reporter, cancel: threading.Event | None
) -> tuple[tuple[str, ...], int]:
    with scratch("check") as folder:
        script = folder / "verify"
        script.write_text(image.verify, encoding="utf-8")
        script.chmod(0o644)
        try:
            done = run(
                check_command(image, script=str(script)),
                timeout_s=CHECK_S + START_S,
                on_line=lambda line: reporter.detail(redacted(line)),
                cancel=cancel,
            )
        except WaitError as late:
            return (late.why,), 1
    return done.lines, done.returncode


def _tidy(image: ImageSpec, reporter: Reporter) -> None:
    """Take the image's name away, and what still runs of the check; say where a name stays."""
    mark = f"label={CHECK_LABEL}={image.fingerprint}"
    with suppress(TtctlError, OSError):
        found = run(("docker", "ps", "-aq", "--no-trunc", f"--filter={mark}"), timeout_s=TIDY_S)
        if found.returncode == 0 and found.lines:
            run(("docker", "rm", "-f", *found.lines), timeout_s=TIDY_S)
    remove = ("docker", "image", "rm", "--force", image.reference)
    with suppress(TtctlError, OSError):
        if run(remove, timeout_s=TIDY_S).returncode == 0:
            return
    reporter.note(
        f"{image.name} has its name still, and the next command takes it for whole: "
        f"`{' '.join(remove)}` takes it away"
    )
