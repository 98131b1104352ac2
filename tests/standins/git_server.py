# SPDX-License-Identifier: Apache-2.0
"""A git server over HTTP: git's own backend behind a few lines of ours.

Source: https://git-scm.com/docs/git-http-backend; RFC 3875 for the variables.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from tests.standins.web import Handler, serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ALONE = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(*words: str, at: Path) -> str:
    """Run git without this user's settings."""
    environ = {**ALONE, "HOME": str(at)}
    done = subprocess.run(
        ["git", *words], cwd=at, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def checkout_in(folder: Path, *, more: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Make a small checkout with a program, a link to it and a rule of what is ignored.

    Args:
        folder: Where its folder `checkout` is made.
        more: Further files, path to text.
    """
    checkout = folder / "checkout"
    checkout.mkdir()
    git("init", "--quiet", "--initial-branch=main", at=checkout)
    (checkout / "sub").mkdir()
    files = {".gitignore": "/build\n", "setup.py": "one\n", "sub/run": "#!/bin/sh\n", **more}
    for name, text in files.items():
        (checkout / name).write_text(text, encoding="utf-8")
    (checkout / "sub/run").chmod(0o755)
    (checkout / "sub/link").symlink_to("run")
    git("add", ".", at=checkout)
    git("commit", "--quiet", "--message=one", at=checkout)
    return checkout


def publish(folder: Path, name: str) -> str:
    """Make the bare repository `name`.git with a branch and an annotated tag; return its commit."""
    work = folder / f"{name}.work"
    work.mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", at=work)
    (work / "README").write_text(f"{name}\n", encoding="utf-8")
    git("add", "README", at=work)
    git("commit", "--quiet", "--message=first", at=work)
    git("tag", "--annotate", "--message=one", "v1.0", at=work)
    git("clone", "--quiet", "--bare", str(work), str(folder / f"{name}.git"), at=folder)
    return git("rev-parse", "HEAD", at=work)


class _Git(Handler):
    folder: Path

    def do_GET(self) -> None:  # noqa: N802 - the library's word
        if not self.admitted():
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ = {
            **ALONE,
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environ, input=body, capture_output=True, check=False
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").splitlines())
        self.answer(int(headers.pop("Status", "200").split()[0]), answer, headers)

    do_POST = do_GET  # noqa: N815


@contextmanager
def git_server(
    folder: Path, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None, login: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Serve the bare repositories of a folder; yield the port and what was asked for."""

    class Git(_Git):
        pass

    Git.folder, Git.login, Git.asked = folder, login, []
    with serving(Git, address=address, tls=tls) as port:
        yield port, Git.asked
