# SPDX-License-Identifier: Apache-2.0
"""Does `plan` show what was validated together, what the machine lacks, and end with its code?"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins import machines

from ttctl.errors import HeldError, NothingFitsError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Typed


STUBS = """\
docker() { echo "docker $1"; }
ttctl() { echo "ttctl $1"; }
hf() { echo "hf $1"; }
install() { echo "install $1"; }
sh() { echo "sh /rendered"; }
"""


@pytest.fixture
def on_t3k(typed: Typed, tmp_path: Path) -> Typed:
    machines.tree(tmp_path / "root", "t3k")
    return typed


def data(text: str) -> dict[str, Any]:
    found = json.loads(text)["data"]
    assert isinstance(found, dict)
    return found


def test_a_machine_without_a_card_is_shown_what_was_validated_on_one(typed: Typed) -> None:
    code, out, _ = typed("plan llama --device n150")
    assert code == 0
    for line in (
        "meta-llama/Llama-3.1-8B-Instruct on n150: COMPLETE",
        "tt-metal  25305db",
        "vLLM      6e67d2d",
        "contract  vllm-legacy",
        "recipe    vllm-fork",
        "flag      --override_tt_config",
        "chosen    by family; the better status",
    ):
        assert line in out.splitlines()
    assert "no card is in this machine" in out


def test_what_is_inferred_is_marked(typed: Typed) -> None:
    _, out, _ = typed("plan Qwen/Qwen3.6-27B --device p300x2")
    assert "(inferred)" in out


def test_json_has_match_and_fitness(typed: Typed) -> None:
    code, out, _ = typed("--json plan llama --device n150")
    found = data(out)
    assert (code, found["steps"]) == (0, [])
    assert found["match"]["spec"]["pins"]["tt_metal"] == "25305db"
    assert found["match"]["deciding"] == "the better status"
    assert {one["subject"] for one in found["fitness"]} == {"boards", "weights"}


def test_why_names_who_came_next_and_every_near_miss(typed: Typed) -> None:
    _, plain, _ = typed("plan reasoning --device n150")
    _, verbose, _ = typed("--verbose plan reasoning --device n150")
    _, why, _ = typed("plan reasoning --device n150 --why")
    assert "\nnot " not in plain
    assert "more, see --why" in verbose
    assert why.count("\nnot ") > verbose.count("\nnot ")
    assert "why       reasoning is a task" in why
    _, chat, _ = typed("plan llama --device n150 --why")
    assert "\nbehind    meta-llama/" in chat
    assert "\nnext " not in chat
    told = [line for line in chat.splitlines() if line.startswith("not ")]
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        pytest.param("plan Llama-3.1-8B-Instruct --device n300", 8, "which is free", id="no hub"),
        pytest.param("plan llama --device p150", 3, "this machine is no p150", id="no device"),
        pytest.param("plan deepseek --device quad_galaxy", 7, "it spans 4 hosts", id="hosts"),
        pytest.param(
            "plan --pack distil-large-v3 whisper-large-v3", 0, "They fit.",
            id="a packing that fits",
        ),
        pytest.param(
            "plan --pack mistral mistral mistral mistral mistral", 7, "free boards: 4 x n300",
            id="a packing that does not",
        ),
    ],
)  # fmt: skip
def test_the_code_says_whether_it_would_start_here(
    line: str, code: int, text: str, on_t3k: Typed
) -> None:
    found, out, _ = on_t3k(line)
    assert found == code
    assert text in out


@pytest.mark.parametrize("line", ["plan llama --device p150", "plan llama --device galaxy"])
def test_what_is_in_its_place_is_what_this_machine_makes_up(line: str, on_t3k: Typed) -> None:
    _, _, progress = on_t3k(line)
    step = progress.rpartition("in its place: ")[2]
    assert step.strip().endswith(("--device t3k", "--device n300"))


def test_boards_in_use_send_to_the_free_ones_of_the_same_machine(
    on_t3k: Typed, tmp_path: Path
) -> None:
    machines.opened(tmp_path / "root", 0, 120)
    code, _, progress = on_t3k("plan Qwen3-8B")
    assert code == HeldError.exit_code
    assert "in its place: ttctl plan Qwen/Qwen3-8B --device n300" in progress


def test_a_packing_is_an_answer_of_its_own_kind(on_t3k: Typed) -> None:
    _, out, _ = on_t3k("--json plan --pack mistral whisper-large-v3")
    assert json.loads(out)["schema"] == "ttctl.pack/1"
    assert [len(one["boards"]) for one in data(out)["placed"]] == [1, 1]


def test_several_models_need_the_flag(typed: Typed) -> None:
    code, _, err = typed("plan mistral whisper")
    assert code == 2
    assert "next:     ttctl plan --pack mistral whisper\n" in err


def test_what_is_not_validated_is_marked_and_only_taken_with_the_flag(typed: Typed) -> None:
    code, _, err = typed("plan Qwen3-8B --device p150x4")
    assert code == 7
    assert "--experimental" in err
    code, out, _ = typed("plan Qwen3-8B --device p150x4 --experimental")
    assert code == 0
    assert "(experimental: " in out


def test_a_typo_in_a_script_is_refused_with_scores(typed: Typed) -> None:
    code, _, err = typed("plan Lama-3.1-8B --device n150")
    assert code == 2
    assert "Llama-3.1-8B (96)" in err
    assert "next:     ttctl plan Llama-3.1-8B --device n150\n" in err


@pytest.mark.parametrize(
    ("word", "step"),
    [
        pytest.param("nonsense", "ttctl models ls", id="near nothing"),
        pytest.param("chatt", "ttctl plan llama --with chat", id="near a service"),
        pytest.param("mistrall", "ttctl plan llama --with mistral", id="near a model"),
    ],
)
def test_a_word_beside_the_model_may_mean_a_service_or_a_model(
    typed: Typed, word: str, step: str
) -> None:
    code, _, err = typed(f"plan llama --with {word}")
    assert code == UsageError.exit_code
    assert f"error:    There is no service and no model '{word}'.\n" in err
    assert "evidence: Services: chat, vllm, api, sd. Models: " in err
    assert err.endswith(f"next:     {step}\n")


def test_the_values_of_the_newest_release_can_be_looked_at(typed: Typed) -> None:
    _, first, _ = typed("--json plan Llama-3.1-8B-Instruct --device n150")
    _, latest, _ = typed("--json plan Llama-3.1-8B-Instruct --device n150 --values latest")
    assert (
        data(first)["match"]["spec"]["engine_args"] != data(latest)["match"]["spec"]["engine_args"]
    )


def test_the_values_that_the_newest_release_changed_are_named_with_both(typed: Typed) -> None:
    line = "plan Llama-3.1-8B-Instruct --device n150 --values latest"
    _, out, _ = typed(f"--json {line}")
    changed = data(out)["match"]["spec"]["changed"]
    assert changed
    _, out, _ = typed(line)
    for one in changed:
        before, after = one.get("first") or "not set", one.get("latest") or "not set"
        assert f"latest    {one['name']} {before} -> {after}" in out
    _, out, _ = typed("plan Llama-3.1-8B-Instruct --device n150")
    assert "latest    " not in out


def test_what_the_engine_is_given_is_shown_where_more_is_asked_for(typed: Typed) -> None:
    for line in ("plan Llama-3.1-8B-Instruct --device n150 --why", "-v plan whisper --device n150"):
        _, out, _ = typed(line)
        assert "\narguments  --model " in out
        assert "\nenvironment  " in out
    _, out, _ = typed("plan Llama-3.1-8B-Instruct --device n150")
    assert "\narguments" not in out


def test_a_snapshot_of_another_machine_is_planned_for(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text(machines.printed(machines.snapshot("t3k"), before="Loading\n"))
    _, out, err = typed(f"plan Llama-3.1-8B-Instruct --tt-smi-snapshot {file}")
    assert "Llama-3.1-8B-Instruct on t3k" in out
    assert "this host's" not in err
    file.write_text("{}")
    code, _, err = typed(f"plan Llama-3.1-8B-Instruct --tt-smi-snapshot {file}")
    assert code != 0
    assert "This is no snapshot of tt-smi." in err


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        pytest.param("249.31 GB", "of memory are needed, 249.3 GiB are here", id="told"),
        pytest.param("1.00 GB", "of memory are needed, 1.0 GiB are here", id="too little"),
        pytest.param("N/A", "of memory are needed, what is here is not known", id="not told"),
    ],
)
def test_another_machine_is_judged_by_what_its_snapshot_tells_and_by_nothing_of_this_host(
    typed: Typed, tmp_path: Path, memory: str, said: str
) -> None:
    file, found = tmp_path / "snapshot.json", machines.snapshot("n150")
    found["host_info"]["Memory"] = memory
    file.write_text(machines.printed(found))
    _, out, _ = typed(f"--json plan Llama-3.1-8B-Instruct --tt-smi-snapshot {file}")
    [fitness] = [json.loads(out)["data"]["fitness"]]
    told = {one["subject"]: one for one in fitness}
    assert said in told["memory"]["summary"]
    assert [told[one]["verdict"] for one in ("disk", "pages", "rights")] == ["unknown"] * 3
    _, out, _ = typed(f"--json plan --pack Llama-3.1-8B-Instruct --tt-smi-snapshot {file}")
    packed = json.loads(out)["data"]
    assert packed["free_disk_mib"] == 0
    assert (packed["machine_mib"] == 0) == (memory == "N/A")
    assert not [one for one in packed["obstacles"] if "hugepages" in one or "disk" in one]


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        pytest.param("mesh", "it is: mesh", id="mesh"),
        pytest.param("isolated", "tt-topology -l mesh", id="isolated"),
        pytest.param("linear/torus", "tt-topology -l mesh", id="a line"),
        pytest.param("unknown", "is not known", id="not known"),
    ],
)
def test_the_wiring_is_held_against_what_the_device_needs(
    typed: Typed, tmp_path: Path, layout: str, said: str
) -> None:
    file = tmp_path / "snapshot.json"
    file.write_text(machines.printed(machines.laid_out("t3k", layout)))
    _, out, err = typed(f"plan Llama-3.3-70B-Instruct --device t3k --tt-smi-snapshot {file}")
    [line] = [one for one in out.splitlines() if "must be set up as one mesh" in one]
    assert said in out + err, line


def test_a_form_that_is_none_is_refused_with_those_there_are(typed: Typed, tmp_path: Path) -> None:
    code, _, err = typed(f"render llama --to compse -o {tmp_path / 'out'}")
    assert code == 2
    assert "There is no form 'compse'." in err
    assert "Nearest: compose. Known: compose, run, quadlet." in err
    assert not (tmp_path / "out").exists()


def test_a_lock_that_is_not_there_cannot_be_checked(typed: Typed) -> None:
    code, _, err = typed("lock llama --check")
    assert code == 2
    assert "The stack 'llama' has no lock." in err


def test_what_is_to_be_typed_has_a_line_of_its_own_and_room_is_told_in_gib(on_t3k: Typed) -> None:
    _, out, _ = on_t3k("plan Llama-3.1-8B-Instruct --device t3k")
    lines = out.splitlines()
    assert any(line.strip() == "next: ttctl devices check" for line in lines)
    [room] = [line for line in lines if line.split()[1:2] == ["memory"]]
    assert " GiB of memory are needed, " in room


def test_a_machine_that_is_another_is_told_by_each_of_its_devices_once(on_t3k: Typed) -> None:
    _, out, _ = on_t3k("plan llama --device p150")
    [line] = [one for one in out.splitlines() if "this machine is no p150" in one]
    assert line.endswith("it is: t3k, n300, n150")


LLAMA = "Llama-3.1-8B-Instruct"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        pytest.param(
            f"plan {LLAMA} --device n150 --engine vllm --impl tt_transformers", 0,
            "tt-metal  25305db", id="what serves it",
        ),
        pytest.param(
            f"plan {LLAMA} --device n150 --engine media", 7, "media",
            id="another engine",
        ),
        pytest.param(
            f"plan {LLAMA} --device n150 --impl nonsuch", 7, "nonsuch",
            id="no such implementation",
        ),
        pytest.param(
            f"plan {LLAMA} --device n150 --source vllm", 2, "names no checkout", id="no checkout"
        ),
        pytest.param(f"plan {LLAMA} --engine vlm", 2, "--engine vllm\n", id="a typo"),
    ],
)  # fmt: skip
def test_what_serves_a_model_is_chosen_by_words_or_refused_by_the_word(
    typed: Typed, line: str, code: int, said: str
) -> None:
    found, out, err = typed(line)
    assert found == code, out + err
    assert said in out + err


@pytest.mark.parametrize("verb", ["plan {}", "up {} --dry-run"])
def test_a_board_that_is_not_here_ends_a_plan_as_it_ends_up(
    typed: Typed, tmp_path: Path, verb: str
) -> None:
    machines.tree(tmp_path / "root", "t3k")
    words = f"{verb.format(LLAMA)} --device n300 --board 0 --board 9"
    code, out, err = typed(words)
    assert code == UsageError.exit_code
    assert f"meta-llama/{LLAMA} on n300" in out
    assert "there is no board '9'" in out
    assert "`up` would refuse:\n" in err
    assert "error:    There is no board '9'.\n" in err
    assert "next:     ttctl devices ls\n" in err
    code, out, err = typed(f"--json {words}")
    assert code == UsageError.exit_code
    assert data(out)["fitness"]
    assert "There is no board '9'." in json.loads(err.splitlines()[-1])["text"]


@pytest.mark.parametrize(
    "words",
    ["plan llama", "up llama --dry-run", "plan --pack meta-llama/Llama-3.1-8B-Instruct"],
)
def test_boards_that_others_have_end_with_their_own_code(
    typed: Typed, tmp_path: Path, words: str
) -> None:
    root = machines.tree(tmp_path / "root", "n300")
    machines.opened(root, 0, 120)
    assert typed(words)[0] == HeldError.exit_code


def test_boards_that_others_have_are_not_it_where_more_is_in_the_way(
    on_t3k: Typed, tmp_path: Path
) -> None:
    machines.opened(tmp_path / "root", 0, 120)
    words = "plan --pack meta-llama/Llama-3.1-8B-Instruct" + 5 * " Llama-3.1-8B-Instruct"
    assert on_t3k(words)[0] == NothingFitsError.exit_code


def test_a_lower_limit_is_applied_and_told_as_the_users(typed: Typed) -> None:
    words = "plan llama --device n150 --max-model-len 1024 --block-size 128"
    code, out, _ = typed(f"{words} --why")
    assert code == 0
    assert "limits    1024 tokens, 32 requests at a time" in out
    assert "yours     max-model-len 1024, in place of the validated 65536" in out
    assert "yours     block-size 128, in place of the validated 64" in out
    assert "--max_model_len 1024 " in out
    assert "yours" not in typed("plan llama --device n150")[1]


@pytest.mark.parametrize(
    ("flag", "validated"),
    [("--max-model-len 999999", 65536), ("--max-num-seqs 64", 32), ("--max-num-seqs 0", 32)],
)
def test_a_limit_beyond_the_validated_one_is_refused_with_it(
    typed: Typed, flag: str, validated: int
) -> None:
    code, _, err = typed(f"plan llama --device n150 {flag}")
    assert code == UsageError.exit_code
    assert f"{flag} is beyond what was validated." in err
    assert f"up to {validated}." in err


def test_one_chip_of_a_board_is_listed_and_planned_as_what_it_is(
    typed: Typed, tmp_path: Path
) -> None:
    machines.tree(tmp_path / "root", "p300")
    _, listed, _ = typed("devices ls")
    assert "one chip of p300 (board)" in listed
    _, out, _ = typed("plan meta-llama/Llama-3.1-8B-Instruct --device p150")
    assert "p150 from one chip of p300" in out
    assert "the whole board is leased, as a reset takes both chips" in out


def test_commands_for_a_card_can_be_pasted_and_what_is_not_typed_is_a_comment(typed: Typed) -> None:
    code, out, _ = typed("plan llama --device n150 --commands")
    assert code == 0
    # Words of a health check hold line breaks.
    said = subprocess.run(
        ["bash", "-c", f"{STUBS}\n{out}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line for line in said if line not in {"docker run", "docker network"}] == [
        "ttctl render", "docker pull", "sh /rendered", "hf download", "install -d", "install -d",
    ]  # fmt: skip
    comments = [line for line in out.splitlines() if line.startswith("# ")]
    assert comments[0].startswith("# open: the commit of meta-llama/Llama-3.1-8B-Instruct")
    assert " vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000 " in comments[-1]
    assert "vllm serve" not in "\n".join(said)


def test_commands_are_told_to_programs_with_what_is_open(typed: Typed) -> None:
    code, out, _ = typed("--json plan llama --device n150 --commands")
    found = data(out)
    assert code == 0
    assert found["commands"][1][:2] == ["docker", "pull"]
    assert [one["words"][0] for one in found["serve"]] == ["/bin/bash", "env"]
    assert len(found["unresolved"]) == 3


def test_commands_without_a_network_are_said_and_end_with_the_code_of_what_is_missing(
    on_t3k: Typed,
) -> None:
    code, out, err = on_t3k("plan llama --device n300 --commands")
    assert code == 8
    assert out.startswith("# open: the commit of meta-llama/Llama-3.1-8B-Instruct")
    assert "docker run" in out
    assert "`up` would refuse:" in err


def test_an_engine_of_ours_is_planned_and_marked(typed: Typed) -> None:
    code, out, _ = typed("plan llama --engine direct --device n150")
    assert code == 0
    lines = out.splitlines()
    assert "recipe    direct" in lines
    assert any(
        line.startswith("mind      derived from id_tt")
        and line.endswith("nobody validated this pairing")
        for line in lines
    )
    assert not [line for line in lines if line.startswith(("vLLM", "flag"))]


def test_an_engine_of_ours_stays_named_in_what_is_to_be_typed_next(typed: Typed) -> None:
    code, _, err = typed("plan Qwen/Qwen3-8B --engine direct")
    assert code == NothingFitsError.exit_code
    assert err.splitlines()[-1].endswith("--device cpu --engine direct")


def test_an_engine_of_ours_that_cannot_serve_a_model_says_why(typed: Typed) -> None:
    code, _, err = typed("plan whisper --engine direct --device n150")
    assert code == NothingFitsError.exit_code
    assert "'whisper' cannot be served by direct" in err
    assert "media serves it" in err
