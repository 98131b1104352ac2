# SPDX-License-Identifier: Apache-2.0
"""Read how images are launched on a device: compose/contracts.toml and its start scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ttctl.adapters.toml import laid_over, parse_toml
from ttctl.errors import BadFileError
from ttctl.model.contract import (
    PLACEHOLDERS,
    Further,
    LaunchContract,
    Pairs,
    SpecForm,
    Writable,
)
from ttctl.model.pins import CONTRACTS
from ttctl.model.service import Exemption, HealthCheck
from ttctl.rules.placeholders import names_in

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {
    "metal", "cache", "hub", "models", "port", "entry_environment", "spec_form", "health_path",
    "health_text", "health_since", "original_before", "key_variable", "no_key_since",
    "models_since", "prefixes_since", "max_body_bytes", "pids", "tmpfs_mib",
    "stop_grace_s", "restart", "refusal", "uid", "numbers", "joins_group",
}  # fmt: skip
"""Words that file and value have in common, type and all."""
NEXT = "pip install --force-reinstall ttctl"


def _declared(text: str) -> str:
    unknown = [name for name in names_in(text) if name not in PLACEHOLDERS]
    if unknown:
        message = f"{{{unknown[0]}}} is no placeholder; there are {', '.join(PLACEHOLDERS)}"
        raise ValueError(message)
    return text


Template = Annotated[str, AfterValidator(_declared)]
AbsolutePath = Annotated[
    str, Field(pattern=r"^(/[A-Za-z0-9{][A-Za-z0-9._{}-]*)+$"), AfterValidator(_declared)
]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Environment = dict[Variable, Template]
Version = Annotated[str, Field(pattern=r"^(\d+(\.\d+)*)?$")]
Said = Annotated[str, Field(min_length=8)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ExemptionEntry(_Strict):
    """One difference from the house's rule."""

    what: Literal[
        "user", "writable root", "capability", "host ipc", "shared memory", "locked memory",
        "hugepages", "host network", "host processes", "memory limit",
    ]  # fmt: skip
    value: str
    reason: Said
    source: Said


class WritableEntry(_Strict):
    """One writable path."""

    target: AbsolutePath
    reason: Said
    source: Said
    folder: Annotated[str, Field(pattern=r"^(\.|[A-Za-z0-9{][A-Za-z0-9._{}/-]*)?$")] = ""
    size_mib: int = Field(default=0, ge=0, le=65536)
    executable: bool = False


class FurtherEntry(_Strict):
    """Environment of some of the images; the words are those of `Further`."""

    environment: Environment
    reason: Said
    source: Said
    since: Version = ""
    before: Version = ""
    types: list[str] = Field(default_factory=list)
    fetched: bool = False


class ContractEntry(_Strict):
    """One table of the file; the words are those of `LaunchContract`."""

    metal: AbsolutePath
    cache: AbsolutePath
    uid: int = Field(ge=1000, le=59999)
    users: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], int] = Field(
        default_factory=dict
    )
    numbers: bool = False
    joins_group: bool = False
    hub: AbsolutePath | Literal[""] = ""
    models: AbsolutePath | Literal[""] = ""
    port: int = Field(ge=1024, le=65535)
    entry_environment: bool
    spec_form: SpecForm = ""
    entrypoint: list[Template] = Field(default_factory=list)
    command: list[Template] = Field(default_factory=list)
    script: Annotated[str, Field(pattern=r"^([a-z-]+\.sh)?$")] = ""
    health_path: AbsolutePath
    health_text: str = ""
    health_since: Version = ""
    original_before: Version = ""
    key_variable: Variable | Literal[""] = ""
    no_key_since: Version = ""
    no_key: Environment = Field(default_factory=dict)
    models_since: Version | Literal["never"] = ""
    prefixes_since: Version = ""
    old_prefixes: dict[AbsolutePath, AbsolutePath] = Field(default_factory=dict)
    paths: list[Annotated[str, Field(pattern=r"^(/([A-Za-z0-9_-]+(\.json)?|\*))+$")]]
    max_body_bytes: int = Field(gt=0)
    pids: int = Field(gt=0)
    tmpfs_mib: int = Field(gt=0)
    stop_grace_s: int = Field(ge=120)
    restart: Literal["no"]
    refusal: str = ""
    commit_versions: dict[Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")], Version] = Field(
        default_factory=dict
    )
    environment: Environment
    model_environment: dict[str, Environment] = Field(default_factory=dict)
    device_environment: dict[str, Environment] = Field(default_factory=dict)
    implementation_environment: dict[str, Environment] = Field(default_factory=dict)
    fetches: dict[str, Said] = Field(default_factory=dict)
    further: list[FurtherEntry] = Field(default_factory=list)
    exemption: list[ExemptionEntry]
    writable: list[WritableEntry]


class ContractsFile(_Strict):
    """compose/contracts.toml."""

    schema_: Literal[1] = Field(alias="schema")
    probe: list[Template]
    probe_interval_s: int
    probe_timeout_s: int
    probe_retries: int
    vllm_legacy: ContractEntry = Field(alias="vllm-legacy")
    vllm_current: ContractEntry = Field(alias="vllm-current")
    media: ContractEntry
    media_cpp: ContractEntry = Field(alias="media-cpp")
    forge: ContractEntry
    multihost: ContractEntry
    own: ContractEntry
    direct: ContractEntry
    sd: ContractEntry

    @model_validator(mode="before")
    @classmethod
    def _laid_over(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Fill a contract that is `like` another with what it does not say itself."""
        return laid_over(given)


class ShippedContracts:
    """What compose/ says of every contract."""

    def __init__(self, root: Path) -> None:
        """`root` is the folder that holds compose/."""
        self._folder = root / "compose"

    def contracts(self) -> dict[str, LaunchContract]:
        """Read them all, by name.

        Raises:
            BadFileError: The file or a start script is missing, or a value is not allowed.
        """
        parsed = parse_toml(self._folder / "contracts.toml", ContractsFile, next_step=NEXT)
        return {name: self._contract(parsed, name) for name in CONTRACTS}

    def _contract(self, parsed: ContractsFile, name: str) -> LaunchContract:
        entry: ContractEntry = getattr(parsed, name.replace("-", "_"))
        return LaunchContract(
            name=name,
            exemptions=tuple(Exemption(**one.model_dump()) for one in entry.exemption),
            writable=tuple(Writable(**one.model_dump()) for one in entry.writable),
            fetches=_pairs(entry.fetches),
            further=tuple(_further(one) for one in entry.further),
            script=self._script(entry.script),
            probe=HealthCheck(
                test=tuple(parsed.probe),
                interval_s=parsed.probe_interval_s,
                timeout_s=parsed.probe_timeout_s,
                retries=parsed.probe_retries,
                start_period_s=0,
            ),
            environment=_pairs(entry.environment),
            no_key=_pairs(entry.no_key),
            users=tuple(sorted(entry.users.items())),
            commit_versions=_pairs(entry.commit_versions),
            old_prefixes=_pairs(entry.old_prefixes),
            model_environment=_tables(entry.model_environment),
            device_environment=_tables(entry.device_environment),
            implementation_environment=_tables(entry.implementation_environment),
            entrypoint=tuple(entry.entrypoint),
            command=tuple(entry.command),
            paths=tuple(entry.paths),
            **entry.model_dump(include=PLAIN),
        )

    def _script(self, name: str) -> str:
        if not name:
            return ""
        path = self._folder / "launch" / name
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise BadFileError(
                f"{str(path)!r} cannot be read.", why=str(exc), evidence=str(path), next_step=NEXT
            ) from exc


def _further(entry: FurtherEntry) -> Further:
    said = entry.model_dump(exclude={"environment", "types"})
    return Further(environment=_pairs(entry.environment), types=tuple(entry.types), **said)


def _pairs(values: dict[str, str]) -> Pairs:
    return tuple(sorted(values.items()))


def _tables(values: dict[str, dict[str, str]]) -> tuple[tuple[str, Pairs], ...]:
    return tuple((name, _pairs(pairs)) for name, pairs in sorted(values.items()))
