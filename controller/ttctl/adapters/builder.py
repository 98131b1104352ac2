# SPDX-License-Identifier: Apache-2.0
"""Build images with buildx; what is peculiar to the place goes in as secrets and binds."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.base_image import decide_base, obtain_base, pull
from ttctl.adapters.process import run
from ttctl.adapters.scratch import scratch
from ttctl.adapters.site import check_ca
from ttctl.errors import BuildError
from ttctl.model.image import BuildResult, PlaceFiles
from ttctl.model.site import Sourced
from ttctl.rules.images import SITE_SECRETS, build_command
from ttctl.rules.redaction import redacted
from ttctl.rules.wheels import wheel_key, wheel_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.adapters.sources import Sources
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site, SiteFiles

BUILD_S = 3600
STEP = re.compile(r"^#(\d+) \[(?:[^\]]* )?(\d+)/(\d+)\]")
UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verif", re.IGNORECASE)
REFUSED = re.compile(
    r"\b401\b[ ,:]+(?:Error|Client Error|Unauthorized)|\b407 Proxy|\bUser for \S+:"
    r"|could not read (?:Username|Password)"
)
"""As pip, apt and git say it; pip and git ask for a name, and nobody answers."""
TROUBLE = re.compile(r"\berror\b|\bfatal\b|failed|unable|not found", re.IGNORECASE)
DONE = re.compile(r"^#(\d+) (DONE|CACHED)")


class BuildxBuilder:
    """`docker buildx build` on the engine's own builder."""

    def __init__(
        self, sources: Sources, site_files: Callable[[Sequence[str]], SiteFiles], *, keep_logs: Path
    ) -> None:
        """`site_files` gives the secrets for a build that may use these further indexes."""
        self._sources = sources
        self._site_files = site_files
        self._logs = keep_logs

    def base(self, site: Site, *, offline: bool) -> BaseImage:
        """Decide what all images stand on."""
        return decide_base(self._sources.base, site, offline=offline)

    def obtain_base(self, base: BaseImage, site: Site, reporter: Reporter) -> None:
        """Pull or bootstrap the base image."""
        check_ca(site.ca_bundle)
        obtain_base(base, self._sources.base.release, site, reporter)

    def pull(self, reference: str, reporter: Reporter) -> None:
        """Pull an image that the site names."""
        pull(reference, reporter)

    def build(self, image: ImageSpec, reporter: Reporter) -> BuildResult:
        """Build one image; its tag appears only when all of it is done.

        Raises:
            BadFileError: The CA bundle of this place cannot be used.
            BuildError: A step failed; the evidence is the end of its output, the log has all.
        """
        started = time.monotonic()
        with scratch("build") as folder:
            context, secrets = folder / "context", folder / "secrets"
            self._prepare(image, context, secrets)
            progress = _Progress(reporter)
            done = run(
                build_command(image, context=str(context), secrets=str(secrets)),
                timeout_s=BUILD_S,
                on_line=progress.line,
            )
        if done.returncode != 0:
            why, next_step = _of_the_place(done.lines)
            raise BuildError(
                f"The image {image.name!r} could not be built.",
                why=why
                or redacted(progress.failed_at)
                or f"docker buildx ended with {done.returncode}.",
                evidence=_error_lines(done.lines),
                next_step=next_step or f"less {self._logs}",
            )
        return BuildResult(
            reference=image.reference,
            seconds=time.monotonic() - started,
            cached=progress.all_cached,
        )

    def _prepare(self, image: ImageSpec, context: Path, secrets: Path) -> None:
        try:
            wheels = self._stage(image, context)
            files = self._usable(self._further([(image, wheels)]))
            _write_secrets(files, secrets)
        except OSError as exc:
            raise BuildError(
                f"The build of {image.name!r} could not be prepared.",
                why=exc.strerror or "the file system refused",
                evidence=str(exc.filename or context),
                next_step=f"df -h {context.parent.parent}",
            ) from exc

    def _stage(self, image: ImageSpec, context: Path) -> tuple[str, ...]:
        context.mkdir(parents=True)
        for name, text, executable in (("Dockerfile", image.dockerfile, False), *image.files):
            target = context / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            target.chmod(0o755 if executable else 0o644)
        if not image.wheelhouse:
            return ()
        folder = context / "wheelhouse"
        folder.mkdir()
        wheels = self.wheels(image)
        for wheel in wheels:
            shutil.copy2(wheel, folder)
        return wheels

    def place_files(self, images: tuple[ImageSpec, ...]) -> PlaceFiles:
        """Return the secrets' texts and the wheels that a build by hand needs."""
        found = [(image, self.wheels(image)) for image in images if image.wheelhouse]
        files = self._usable(self._further(found))
        texts = {**dict.fromkeys(SITE_SECRETS, ""), **dict(files.secrets)}
        if files.ca_bundle:
            # Beside the certificates a bundle may hold comments in any encoding.
            texts["ca.pem"] = Path(files.ca_bundle).read_text(encoding="utf-8", errors="replace")
        wheels = {wheel for _, paths in found for wheel in paths}
        return PlaceFiles(secrets=tuple(sorted(texts.items())), wheels=tuple(sorted(wheels)))

    def _usable(self, indexes: Sequence[str]) -> SiteFiles:
        files = self._site_files(indexes)
        if files.ca_bundle:
            check_ca(Sourced(value=files.ca_bundle, source="The site setting `ca_bundle`"))
        return files

    def _further(self, found: Sequence[tuple[ImageSpec, tuple[str, ...]]]) -> list[str]:
        """Return the further indexes that these images need beside their wheels."""
        return [
            self._sources.index[image.index]
            for image, wheels in found
            if image.index and not _replaces_index(image, wheels)
        ]

    def wheels(self, image: ImageSpec) -> tuple[str, ...]:
        """Return the host paths of the wheels that this place holds for an image's build."""
        wanted = _wanted(image)
        found: dict[str, str] = {}
        for folder in self._site_files([]).wheelhouses:
            # A folder of wheels, or a simple index: one folder a project.
            for path in sorted([*Path(folder).glob("*.whl"), *Path(folder).glob("*/*.whl")]):
                if wheel_key(path.name) in wanted:
                    found.setdefault(path.name, str(path))
        return tuple(found[name] for name in sorted(found))


def _wanted(image: ImageSpec) -> frozenset[tuple[str, str]]:
    texts = (text for name, text, _ in image.files if name == "requirements.txt")
    return wheel_names(next(texts, ""))


def _replaces_index(image: ImageSpec, wheels: Sequence[str]) -> bool:
    """Return whether these wheels are all that an image would take from its further index.

    What only such an index has carries a local version (`+cpu`); the rest is everywhere.
    """
    wanted = _wanted(image)
    only_there = {one for one in wanted if "+" in one[1]} or wanted
    return bool(wheels) and only_there <= {wheel_key(Path(wheel).name) for wheel in wheels}


class _Progress:
    """Turns buildx's plain output into real counts of steps."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._steps: set[str] = set()
        self._totals: dict[str, int] = {}
        self._done: set[str] = set()
        self._cached: set[str] = set()
        self.failed_at = ""

    def line(self, line: str) -> None:
        """Take one line of output."""
        self._reporter.detail(redacted(line))
        if step := STEP.match(line):
            self._steps.add(step[1])
            stage = line.partition("[")[2].partition(" ")[0]
            self._totals[stage if "/" not in stage else ""] = int(step[3])
        elif done := DONE.match(line):
            if done[1] in self._steps:
                self._done.add(done[1])
                if done[2] == "CACHED":
                    self._cached.add(done[1])
                self._reporter.progress(len(self._done), sum(self._totals.values()), "steps")
        elif line.startswith("ERROR: "):
            self.failed_at = line.removeprefix("ERROR: ")[:300]

    @property
    def all_cached(self) -> bool:
        """Whether every step came from the cache."""
        return bool(self._done) and self._done == self._cached


def _write_secrets(files: SiteFiles, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    texts = dict(files.secrets)
    for name in SITE_SECRETS:
        target = folder / name
        target.touch(mode=0o600)
        if name == "ca.pem":
            if files.ca_bundle:
                target.write_bytes(Path(files.ca_bundle).read_bytes())
        else:
            target.write_text(texts.get(name, ""), encoding="utf-8")


def _of_the_place(lines: Sequence[str]) -> tuple[str, str]:
    """Return (why, what to type) where a build failed of the site and not of itself."""
    text = "\n".join(lines)
    if UNTRUSTED.search(text):
        why = "The site's ca_bundle trusts no certificate of a server, or of a proxy before it."
        return why, "export TTCTL_CA_BUNDLE=/path/to/ca.pem"
    if REFUSED.search(text):
        why = "An index, a mirror or a proxy refuses the name or the password in its address."
        return why, "ttctl config site"
    return "", ""


def _error_lines(lines: Sequence[str]) -> str:
    kept = [re.sub(r"^#\d+ [\d.]+ ", "", line) for line in lines if line.strip()]
    marked = [line for line in kept if TROUBLE.search(line)]
    return redacted("\n".join((marked or kept)[-6:]))
