# SPDX-License-Identifier: Apache-2.0
"""Which files does a revision on the model hub have, and how does one of them get here?

The only importer of the hub's library. Its own downloader is not used: it sleeps as long as a
server's Retry-After says, starts a file anew after a kill, and hands large files to a second client
(hf_xet) that takes proxy and certificates from the process's environment only, so that a site's
mirror would be passed by. The library says who the user is, where a file is, what an answer means.
"""

from __future__ import annotations

import os
import re
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx2
from huggingface_hub import (
    HfApi,
    constants,
    get_session,
    get_token,
    hf_hub_url,
    is_offline_mode,
    set_client_factory,
)
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, but not in an __all__
    build_hf_headers,
    hf_raise_for_status,
)

from ttctl.adapters import hub_errors
from ttctl.adapters.hub_transport import (
    TIMEOUT,
    WebPageError,
    WrongAnswerError,
    client,
    endpoint,
    forget,
    is_of_hub,
    is_untrusted,
    pause_s,
    receive,
    size,
    within,
)
from ttctl.adapters.manifest import needed, safe_path
from ttctl.errors import BadFileError
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huggingface_hub import ModelInfo

    from ttctl.errors import TtctlError
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights

ANSWER_S = 5.0
"""How long the hub may take to say what a repository holds, name look-up and retries included."""
TRIES = 3
"""How often in a row a request may fail."""
MAX_WAIT_S = 120.0
"""How long all waits for one file may take together; a longer Retry-After is not waited for."""
REVIVED_BYTES = 16 * 1024 * 1024
"""An attempt that brought this much does not count as failed: long downloads survive bad lines."""

_DENIED = frozenset({401, 403})
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HuggingFace:
    """The hub as this site reaches it, through its mirror, proxy and certificates."""

    def __init__(
        self, site: Site, *, pause: Callable[[float], None] = time.sleep, answer_s: float = ANSWER_S
    ) -> None:
        """Prepare; nothing is asked yet. `pause` waits for a number of seconds."""
        address = site.hub_endpoint or Sourced(value=constants.ENDPOINT, source="HF_ENDPOINT")
        self._endpoint = endpoint(address.value, address.source)
        self._pause = pause
        self._answer_s = answer_s
        set_client_factory(partial(client, site))
        # Else the library asks the public hub, mirror or not, for a list by which it names the
        # program that called, and sends that along.
        # Source: huggingface_hub 2.4, utils/_detect_agent.py
        constants.HF_HUB_DISABLE_TELEMETRY = True

    def snapshot(self, weights: Weights) -> LockedWeights:
        """Return the commit that a revision (or `main`) means, and the files that serving needs.

        Raises:
            OfflineError: The hub did not answer in time.
            PrivilegeError: It does not let this user read the repository.
            BadFileError: It has no such repository or revision, or nothing in it can be served.
        """
        self._refuse_when_offline()
        try:
            return within(self._answer_s, partial(self._ask, weights))
        except TimeoutError as exc:
            raise self._silent(f"No answer within {self._answer_s:g} s.") from exc

    def bring(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        """Bring one file to `target`, from where an earlier attempt left off.

        Args:
            locked: Names the repository and the commit.
            file: What to bring; its size is checked here, its hash is the caller's to check.
            target: Where the bytes go.
            on_bytes: Gets every change of the number of bytes that are here; may raise to stop.

        Returns:
            The hub's own name for the content: a git blob id, a SHA-256, or nothing.

        Raises:
            OfflineError: The hub did not deliver within a few tries.
            PrivilegeError: It does not let this user read the file.
            BadFileError: It has no such file.
        """
        self._refuse_when_offline()
        on_bytes(size(target))
        failures, waited_s = 0, 0.0
        while True:
            before = size(target)
            try:
                return self._stream(locked, file, target, on_bytes)
            except (httpx2.HTTPError, WrongAnswerError) as exc:
                failures = 0 if size(target) - before >= REVIVED_BYTES else failures + 1
                wait_s = None if is_untrusted(exc) else pause_s(_response(exc), failures)
                if wait_s is None or failures >= TRIES or waited_s + wait_s > MAX_WAIT_S:
                    raise self._translated(exc, locked.repository, file.path) from exc
                waited_s += wait_s
                self._idle(wait_s, on_bytes)

    def _ask(self, weights: Weights) -> LockedWeights:
        api = HfApi(endpoint=self._endpoint, library_name="ttctl")
        failures = 0
        while True:
            try:
                info = api.model_info(
                    weights.repository, revision=weights.revision or None, files_metadata=True,
                    timeout=self._answer_s,
                )  # fmt: skip
                if info.gated:
                    _check_access(api, weights.repository)
                return _locked(weights, info)
            except httpx2.HTTPError as exc:
                failures += 1
                response = _response(exc)
                wait_s = pause_s(response, failures) if response is not None else None
                if wait_s is None or wait_s > self._answer_s or failures >= TRIES:
                    raise self._translated(exc, weights.repository) from exc
                self._pause(wait_s)
            except (ValueError, TypeError, KeyError) as exc:
                raise self._silent(f"The answer is not a hub's: {type(exc).__name__}.") from exc

    def _stream(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        start = size(target)
        if start == file.size_bytes and file.sha256:
            return ""
        url = hf_hub_url(
            locked.repository, file.path, revision=locked.revision, endpoint=self._endpoint
        )
        headers = build_hf_headers(library_name="ttctl") | {"Accept-Encoding": "identity"}
        if 0 < start < file.size_bytes:
            headers["Range"] = f"bytes={start}-"
        with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                forget(target, on_bytes)
            hf_raise_for_status(response)
            return receive(response, file, target, on_bytes, commit=locked.revision)

    def _idle(self, seconds: float, on_bytes: Callable[[int], None]) -> None:
        """Wait in short naps, so that a caller who stops is heard through `on_bytes`."""
        while seconds > 0:
            on_bytes(0)
            self._pause(min(seconds, 1.0))
            seconds -= 1.0

    def _refuse_when_offline(self) -> None:
        if is_offline_mode():
            raise hub_errors.forbidden_here()

    def _translated(self, exc: Exception, repository: str, path: str = "") -> TtctlError:
        """Return our error for one of the library's."""
        response = _response(exc)
        if response is None:
            evidence = f"{path or repository}: {type(exc).__name__}: {exc}."
            unlike = isinstance(exc, WrongAnswerError) and not isinstance(exc, WebPageError)
            if is_untrusted(exc):
                return hub_errors.untrusted(self._endpoint, evidence)
            return (hub_errors.unlike if unlike else hub_errors.silent)(self._endpoint, evidence)
        status = response.status_code
        if status in _DENIED | {HTTPStatus.NOT_FOUND} and not is_of_hub(response):
            return hub_errors.between(self._endpoint, path or repository, status=status)
        if status in _DENIED:
            return hub_errors.refused(self._endpoint, repository, status=status, sent=_sent())
        return hub_errors.of_status(
            self._endpoint, repository, path=path, status=status, headers=response.headers
        )

    def _silent(self, evidence: str) -> TtctlError:
        return hub_errors.silent(self._endpoint, evidence)


def _sent() -> str:
    if os.environ.get("HF_TOKEN"):
        return "the token in HF_TOKEN was sent"
    if get_token():
        return f"the token in {constants.HF_TOKEN_PATH} was sent"
    return f"there is no token in HF_TOKEN or {constants.HF_TOKEN_PATH}"


def _check_access(api: HfApi, repository: str) -> None:
    """Find out before anything is built whether a gated repository will let its files go."""
    try:
        api.auth_check(repository)
    except HfHubHTTPError as exc:
        # A mirror need not have this call; the download will tell then.
        if exc.response.status_code in _DENIED:
            raise


def _response(exc: Exception) -> httpx2.Response | None:
    return exc.response if isinstance(exc, HfHubHTTPError) else None


def _locked(weights: Weights, info: ModelInfo) -> LockedWeights:
    commit, asked = info.sha or "", weights.revision
    if not _COMMIT.fullmatch(commit) or (_COMMIT.fullmatch(asked) and commit != asked):
        raise ValueError(commit)
    siblings = {one.rfilename: one for one in info.siblings or ()}
    files: list[LockedFile] = []
    for path in sorted(needed(siblings, original=weights.original)):
        one = siblings[path]
        length = one.lfs.size if one.lfs else one.size
        if length is None:
            raise ValueError(path)
        digest = one.lfs.sha256 if one.lfs else ""
        files.append(LockedFile(path=safe_path(path), size_bytes=length, sha256=digest))
    if not files:
        raise BadFileError(
            f"Nothing in {weights.repository!r} can be served.",
            why="The image reads Meta's own files, in the folder `original`."
            if weights.original
            else "Weights are served from safetensors or PyTorch files.",
            evidence=f"It holds: {', '.join(sorted(siblings)[:8])}.",
            next_step="ttctl models ls",
        )
    return LockedWeights(
        kind="hub", repository=weights.repository, revision=commit, files=tuple(files)
    )
