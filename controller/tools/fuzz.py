# SPDX-License-Identifier: Apache-2.0
"""Read mutated catalog entries and render hostile text; the dated result is in docs/fuzz.md.

`make fuzz`, or `python -m tools.fuzz [--exports DIR] [--entries N] [--seed N]`. The same seed and
the same entries give the same mutations. Only a value or a `TtctlError` may come out of a reader.
"""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import json
import random
import subprocess
import sys
import time
import tomllib
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools import fuzz_renderings
from tools.catalog import FOLDER, exports_in
from ttctl.adapters import compiled, places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.files import write_atomically
from ttctl.adapters.pin_facts import read_pin_facts
from ttctl.adapters.upstream_export import read_export
from ttctl.errors import TtctlError
from ttctl.rules.first_validated import known_first, with_latest
from ttctl.rules.validated import validated_specs

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fuzz.md"
ENTRIES = 100_000
SEED = 20260814
BATCH = 20
"""Entries in one file, so that one bad entry beside good ones is tried, too."""
OUTCOMES = ("entries read", "entries set aside", "entries in refused files", "files refused")
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1 << 31, 1 << 63, 10**30, 0.5, -0.0, 1e300, "", " ", "0", "-1",
    "8.0", "1e9", "nan", "inf", "NaN", "true", "null", "{}", "[]", '{"tt": []}', '{"tt": {"a": 1}}',
    "\n", "\x00", "\x1b[2J", "\ud800", "\u202e", "a" * 20000, "../../etc/passwd", "a/b/c", "main",
    "v0.62.0-rc33", "c49bb76\nRUN x", "$(reboot)", "`x`", "-x", "--x", "CPU", "E150", "ROBOT",
    "ghcr.io/a/b:1", "ghcr.io/a/b@sha256:" + "0" * 64, [], {}, [None], [[]], {"": None}, [{}, 1],
    {"tt": {}}, {"functional": {"ttft_ms": "x"}}, {"LD_PRELOAD": "x"}, {"trace_region_size": "30"},
    {"specifier": ">=1", "mode": 3}, {"firmware": {"specifier": ">=x"}}, {"\ud800": 1}, {"a\nb": 1},
)  # fmt: skip


def entries_of(folder: Path | None) -> list[dict[str, Any]]:
    """Return the entries to mutate: those of a folder's exports, else of the built-in catalog."""
    if folder is None:
        texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml"))]
        return [_as_upstream(raw) for text in texts for raw in tomllib.loads(text)["spec"]]
    exports = [read_export(path.read_bytes(), name=path.name) for path in exports_in(folder)]
    return [dict(one.raw) for export in exports for one in export.listed]


def mutated(entry: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return an entry with one to four things changed, anywhere in it."""
    whole: dict[str, Any] = copy.deepcopy(entry)
    # Ids differ, or one would be left of a batch.
    whole["model_id"] = f"id_{chance.randrange(1 << 48)}"
    for _ in range(chance.randint(1, 4)):
        if not whole:
            break
        holder, key = _somewhere(whole, chance)
        match chance.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice([str(key).upper(), str(key).replace("_", "-"), "x\n", ""])] = (
                    holder[key]
                )
            case 2:
                holder[key] = [holder[key]]
            case 3:
                holder[key] = _broken_text(str(holder[key]), chance)
            case _:
                holder[key] = copy.deepcopy(chance.choice(ODD))
    return whole


def file_of(entries: list[dict[str, Any]], chance: random.Random) -> bytes:
    """Return a file with these entries, flat or nested; one in twenty has its bytes broken, too."""
    if chance.random() < 0.5:  # noqa: PLR2004 - half of them
        whole: dict[str, Any] = {f"id{number}": one for number, one in enumerate(entries)}
    else:
        tree = {f"acme/M{n}": {"N150": {"vLLM": {"x": one}}} for n, one in enumerate(entries)}
        whole = {"release_version": chance.choice(["0.20.0", 3, None, "x"]), "model_specs": tree}
    data = bytearray(json.dumps(whole).encode())
    if chance.random() < 0.05:  # noqa: PLR2004 - one in twenty
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def tried(data: bytes) -> Counter[str]:
    """Read one file as every reader does, and count what came out.

    Raises:
        Exception: Whatever a reader should not have raised.
    """
    try:
        export = read_export(data, name="fuzz.json")
    except TtctlError:
        return Counter({"files refused": 1, "entries in refused files": BATCH})
    specs = validated_specs(export, facts=FACTS, first=FIRST)
    text = compiled.text_of(specs, "key")
    text.encode()
    for spec in specs:
        with_latest(spec)
    return Counter({"entries read": len(specs), "entries set aside": len(export.quarantined)})


def run(
    entries: list[dict[str, Any]],
    *,
    count: int,
    seed: int,
    reader: Callable[[bytes], Counter[str]] = tried,
) -> tuple[Counter[str], list[str]]:
    """Return what came out of `count` mutated entries, and tracebacks of what should not have."""
    chance = random.Random(seed)  # noqa: S311 - mutations, no secrets
    sums: Counter[str] = Counter()
    crashes: list[str] = []
    for _ in range(count // BATCH):
        data = file_of([mutated(chance.choice(entries), chance) for _ in range(BATCH)], chance)
        try:
            sums += reader(data)
        except Exception:  # noqa: BLE001 - finding them is what this is for
            crashes.append(traceback.format_exc())
    return sums, crashes


def page(
    sums: Counter[str],
    crashes: int,
    *,
    count: int,
    seed: int,
    source: str,
    commit: str,
    rendered: Counter[str],
    escapes: int,
) -> str:
    """Return the text of docs/fuzz.md."""
    rows = [(name, sums[name]) for name in OUTCOMES]
    table = "\n".join(f"| {name} | {number} |" for name, number in rows)
    texts = "\n".join(f"| {name} | {rendered[name]} |" for name in fuzz_renderings.OUTCOMES)
    return f"""# Mutated catalog entries

`make fuzz` takes entries of {source}, changes one to four things in each, anywhere, writes
{BATCH} into a file, flat or nested, breaks some bytes of one file in twenty, and reads it as
`ttctl` does: the export, contract and recipe, arguments as first validated, the latest values, the
compiled form. Nothing but a value or a refusal may come out. The page is written by the run.

| run of {_today()} | |
|---|---|
| commit | `{commit}` |
| mutated entries | {count} |
| seed | {seed} |
{table}
| crashes | {crashes} |

## Hostile text in what is rendered

The same run puts hostile text (quotes, line breaks, `${{X}}`, `{{{{`, `#`, `$$`, `%n`, U+2028,
halves of characters, NUL) into every field of a stack and into a Dockerfile. A text is refused, or
the compose file, the `docker run` line and the quadlet, each read back, hold it byte for byte with
everything beside it as it was, and the Dockerfile's instructions and stages are the same. The rest
are escapes.

| run of {_today()} | |
|---|---|
| hostile texts | {rendered.total()} |
{texts}
| escapes | {escapes} |
"""


def _somewhere(value: Any, chance: random.Random) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
    """Return a container in `value` and a key of it, deeper ones as likely as shallow ones."""
    while True:
        key = (
            chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        )
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.2:  # noqa: PLR2004 - one in five
            return value, key
        value = inner


def _broken_text(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(["", "\n", ";", "..", "\x00", "\u2028", " "]) + text[place:]


def _as_upstream(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of the built-in catalog in upstream's shape."""
    return {
        **raw["upstream"],
        "model_id": raw["id"],
        "impl": {"impl_id": raw.get("implementation")},
        "hf_model_repo": raw["model"],
        "hf_weights_repo": raw["weights"],
        "inference_engine": raw["engine"],
        "device_type": raw["device"].upper(),
        "tt_metal_commit": raw["tt_metal"],
        "vllm_commit": raw.get("vllm"),
        "version": raw.get("version"),
        "docker_image": raw["image"],
        "status": raw["status"],
        "param_count": raw.get("parameters"),
        "min_ram_gb": raw.get("memory_mib", 0) / 1024,
        "env_vars": raw["environment"],
        "system_requirements": {one["what"]: one for one in raw.get("requirements", ())},
        "device_model_spec": {
            "vllm_args": raw["arguments"],
            "max_context": raw["limits"]["max_model_len"],
            "max_concurrency": raw["limits"]["max_num_seqs"],
            "perf_reference": [{"targets": {one["tier"]: one}} for one in raw.get("targets", ())],
            "known_issues": raw.get("issues", []),
        },
    }


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"],  # noqa: S607 - git, wherever it is
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return told.stdout.strip() or "unknown"


BUILT_IN = BuiltInCatalog(places.catalog())
FACTS = read_pin_facts(places.catalog())
FIRST = known_first(BUILT_IN.specs())


def main(words: list[str]) -> int:
    """Run it, write the page, and fail where anything crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=Path)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--texts", type=int, default=ENTRIES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args(words)
    entries = entries_of(asked.exports)
    if not entries:
        parser.error(f"no export lies in {asked.exports}")
    commit = _commit()
    count = asked.entries - asked.entries % BATCH
    start = time.monotonic()
    sums, crashes = run(entries, count=count, seed=asked.seed)
    source = "upstream's exports" if asked.exports else "the built-in catalog"
    rendered, escapes = fuzz_renderings.run(count=asked.texts, seed=asked.seed)
    text = page(
        sums, len(crashes), count=count, seed=asked.seed, source=source, commit=commit,
        rendered=rendered, escapes=len(escapes),
    )  # fmt: skip
    write_atomically(asked.page, text, mode=0o644)
    print(text)
    print(f"{time.monotonic() - start:.0f} s")
    for one in (*crashes[:3], *escapes[:3]):
        print(one)
    return 1 if crashes or escapes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
