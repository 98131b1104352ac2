# SPDX-License-Identifier: Apache-2.0
"""What one command has: its flags, its console, and the world behind a door of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl.cli.console import Console
from ttctl.cli.table import table
from ttctl.errors import TtctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import click

    from ttctl.adapters.settings import Settings
    from ttctl.cli.palette import When
    from ttctl.model.named_stack import NamedStack
    from ttctl.model.protocols import World

WHEN: tuple[When, ...] = ("auto", "always", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What stands before or after every verb."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    offline: bool = False
    no_color: bool = False
    yes: bool = False
    config: str | None = None
    """The file that stands in for the user's settings; None where `--config` was not given."""
    catalog: str | None = None
    """The catalog to use; None where `--catalog` was not given."""
    token_file: str | None = None
    """A file with the hub's token; None where `--token-file` was not given."""
    models_dir: str | None = None
    """A folder that holds models; None where `--models-dir` was not given."""


def flags_of(given: Iterable[str], values: Mapping[str, str]) -> Flags:
    """Return the flags that the door found: bare ones, and those with a value."""
    chosen: dict[str, Any] = {**dict.fromkeys(given, True), **values}
    return Flags(**chosen)


class Session:
    """One command's world."""

    def __init__(self, flags: Flags, behind: tuple[str, ...] = ()) -> None:
        """Nothing is read or asked yet; `behind` is what stood behind `--`, for the engine."""
        self.flags = flags
        self.behind = behind
        self.may_fetch = False
        """Whether a catalog that is named by its address may be asked for: not for a listing."""
        self.snapshot: Path | None = None
        """What tt-smi said of other cards, which stand in for this machine's."""

    @cached_property
    def console(self) -> Console:
        """What prints."""
        return Console(
            as_json=self.flags.as_json,
            quiet=self.flags.quiet,
            verbose=self.flags.verbose,
            yes=self.flags.yes,
            colour=self._colour(),
        )

    @cached_property
    def settings(self) -> Settings:
        """What a person set; nothing is read before a setting is asked for."""
        from ttctl.cli.wiring_files import wire_settings  # noqa: PLC0415

        return wire_settings(self.flags.config)

    def check_config_flag(self, words: Sequence[str]) -> None:
        """Refuse a `--config` without its file, whether or not the verb asks for a setting.

        Raises:
            UsageError: It names no file, or took the verb for one.
            BadFileError: There is no such file; `config` may make it.
        """
        if self.flags.config is None:
            return
        file = self.settings.user_file
        if not words:
            raise UsageError(
                "There is no verb.",
                why="The word behind --config is the name of a settings file.",
                evidence=f"File: {file}",
                next_step="ttctl --help",
            )
        if words[0] != "config":
            self.settings.check_file_is_there()

    def note_wrong_settings(self) -> None:
        """Say by the way what is wrong in the settings, where the verb did not stumble on it."""
        try:
            self.settings.check()
        except TtctlError as error:
            found = error.evidence.partition("\n")[0]
            self.console.note(f"{error.message} {found} To put it right: {error.next_step}")

    def setting(self, key: str, given: object = None) -> Any:  # noqa: ANN401 - the setting's type
        """Return what a flag says where it was given, else the setting's value."""
        return self.settings.find(key).value if given is None else given

    @cached_property
    def project_stack(self) -> str | None:
        """The stack of the folder's project; None where its `ttctl.toml` names none."""
        file = self.settings.project_file
        if file is None:
            return None
        name, model = self.settings.find("up.name"), self.settings.find("up.model")
        if str(file) not in {name.source, model.source}:
            return None
        if name.value or not model.value:
            return str(name.value) if name.value else None
        from ttctl.model.spec import Request  # noqa: PLC0415 - only a project needs them
        from ttctl.rules.stack import stack_name  # noqa: PLC0415

        found = self.named_stack(str(model.value))
        return found.name if found else stack_name(Request(model=str(model.value)))

    def named_stack(self, word: str) -> NamedStack | None:
        """Return the stack of several services that a word names, None for a model."""
        from ttctl.cli.wiring_files import wire_stack  # noqa: PLC0415

        return wire_stack(word, self.settings.user_file.parent)

    def show(self, kind: str, value: object, text: str) -> None:
        """Print the answer."""
        self.console.answer(kind, value, text)

    def line(self, kind: str, value: object, text: str) -> None:
        """Print one line of an answer that has many."""
        self.console.line(kind, value, text)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """Lay rows out for stdout, in its colours."""
        return table(head, rows, self.console.out)

    @cached_property
    def world(self) -> World:
        """Everything outside, wired."""
        return self._wired(offline=self.flags.offline)

    @cached_property
    def offline_world(self) -> World:
        """The same, of which no hub and no registry is asked, whatever the flags say."""
        return self._wired(offline=True)

    def _wired(self, *, offline: bool) -> World:
        from ttctl.cli.wiring import wire  # noqa: PLC0415

        return wire(
            self.console,
            offline=offline,
            settings=self.settings,
            catalog=self._catalog(),
            may_fetch=self.may_fetch,
            snapshot=self.snapshot,
            models_dir=self._models_dir(),
            token_file=self._token_file(),
            project_stack=lambda: self.project_stack,
        )

    def _catalog(self) -> str:
        """Return what the flag or the setting says of the catalog, nothing where neither does.

        Raises:
            UsageError: The flag stands without a value.
        """
        if self.flags.catalog == "":
            raise UsageError(
                "The flag --catalog names no catalog.",
                why="It replaces the catalog for one command.",
                evidence="It is written --catalog FILE or --catalog=URL.",
                next_step="ttctl models ls",
            )
        return self.flags.catalog or str(self.settings.find_quickly("site.catalog").value or "")

    def _models_dir(self) -> str:
        """Return what the flag says, nothing where it was not given.

        Raises:
            UsageError: It names no folder.
        """
        named = self.flags.models_dir
        if named is None:
            return ""
        if not named or not Path(named).is_dir():
            raise UsageError(
                f"The flag --models-dir names no folder{f': {named!r}' if named else ''}.",
                why="Models that are there already are looked for in it.",
                evidence="It is written --models-dir DIR or --models-dir=DIR.",
                next_step="ttctl models ls --cached",
            )
        return named

    def _token_file(self) -> str:
        """Return what the flag says, nothing where it was not given.

        Raises:
            UsageError: It stands without a file.
        """
        if self.flags.token_file == "":
            raise UsageError(
                "The flag --token-file names no file.",
                why="The token of the model hub is read from it; it is never typed itself.",
                evidence="It is written --token-file FILE or --token-file=FILE.",
                next_step="hf auth login   # keeps a token for every tool",
            )
        return self.flags.token_file or ""

    def _colour(self) -> When:
        if self.flags.no_color or self.flags.as_json:
            return "never"
        try:
            found = self.settings.find_quickly("output.color").value
        except TtctlError:
            # A wrong file is refused where a setting is used. Help, and its repair, go on.
            return "auto"
        return next((one for one in WHEN if one == found), "auto")


def session_of(ctx: click.Context) -> Session:
    """Return the session that the door made for this command."""
    session = ctx.find_root().obj
    return session if isinstance(session, Session) else Session(Flags())
