# SPDX-License-Identifier: Apache-2.0
"""Build images with buildx; what is peculiar to the place goes in as secrets and binds."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.base_image import decide_base, obtain_base, pull
from ttctl.adapters.build_log import Progress, error_lines, of_the_place, said
from ttctl.adapters.image_check import check_image
from ttctl.adapters.local_source import stage_source
from ttctl.adapters.process import run
from ttctl.adapters.scratch import scratch
from ttctl.adapters.site import check_ca
from ttctl.errors import BuildError
from ttctl.model.engines import PlaceFiles
from ttctl.model.image import BuildResult
from ttctl.model.site import Sourced
from ttctl.rules.images import SITE_SECRETS, build_command, secret_words
from ttctl.rules.redaction import redacted
from ttctl.rules.source_tree import BAKE_FILE, layout_command, tree_command
from ttctl.rules.wheels import wheel_key, wheel_names

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from ttctl.adapters.sources import Sources
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site, SiteFiles

BUILD_S = 3600
SOURCE_BUILD_S = 6 * 3600
"""tt-metal compiles for long where there are few cores."""


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

    def pull(self, reference: str, reporter: Reporter, *, name: str = "") -> None:
        """Pull an image that is not built here, and give it a `name` that it is found by again."""
        pull(reference, reporter, name=name)

    def build(
        self, image: ImageSpec, reporter: Reporter, *, cancel: threading.Event | None = None
    ) -> BuildResult:
        """Build one image; its tag appears only when all of it is done.

        Setting `cancel` ends the build before its time.

        Raises:
            BadFileError: The CA bundle of this place cannot be used.
            BuildError: A step failed; the evidence is the end of its output, the log has all.
        """
        started = time.monotonic()
        progress = Progress(reporter)
        with scratch("build") as folder:
            context, secrets = folder / "context", folder / "secrets"
            self._prepare(image, context, secrets)
            for command in self._commands(image, context, secrets):
                self._run(image, command, progress, cancel)
        return BuildResult(
            reference=image.reference,
            seconds=time.monotonic() - started,
            cached=progress.all_cached,
        )

    def check(
        self, image: ImageSpec, reporter: Reporter, *, cancel: threading.Event | None = None
    ) -> None:
        """Run an image's `verify` in it; one that fails is not kept.

        Raises:
            BuildError: It is not what its recipe promises.
        """
        check_image(image, reporter, logs=self._logs, cancel=cancel)

    def _commands(
        self, image: ImageSpec, context: Path, secrets: Path
    ) -> Iterator[tuple[str, ...]]:
        """Yield what builds an image; a tree is looked at once the first command laid it out."""
        given = secret_words(str(secrets))
        if not image.tree:
            yield build_command(image, context=str(context), secrets=str(secrets))
            return
        tree = context.parent / "tree"
        yield layout_command(context=str(context), given=given, tree=str(tree))
        bake = (tree / BAKE_FILE).is_file()
        yield tree_command(image, tree=str(tree), bake=bake)

    def _run(
        self,
        image: ImageSpec,
        command: Sequence[str],
        progress: Progress,
        cancel: threading.Event | None,
    ) -> None:
        limit_s = SOURCE_BUILD_S if image.takes_source else BUILD_S
        done = run(
            command,
            timeout_s=limit_s,
            on_line=progress.line,
            environ=self._environ() if image.tree else None,
            cancel=cancel,
        )
        if done.returncode == 0:
            return
        why, next_step = of_the_place(done.lines)
        raise BuildError(
            f"The image {image.name!r} could not be built.",
            why=said(done.lines)
            or why
            or redacted(progress.failed_at)
            or f"docker buildx ended with {done.returncode}.",
            evidence=error_lines(done.lines),
            next_step=next_step or f"less {self._logs}",
        )

    def _environ(self) -> dict[str, str]:
        """Return this user's variables with the place's proxies, for what is no recipe of ours."""
        text = dict(self._site_files([]).secrets).get("site.env", "")
        pairs = (word.partition("=") for word in shlex.split(text))
        proxies = {name: value for name, _, value in pairs if name.lower().endswith("_proxy")}
        return {**os.environ, **proxies}

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
        if image.source is not None:
            stage_source(image.source, context / "source" / "tree")
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
        found = [
            (image, self.wheels(image) if image.wheelhouse else ())
            for image in images
            if image.wheelhouse or image.index
        ]
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
