# SPDX-License-Identifier: Apache-2.0
"""Is every shape that upstream published read, and is one bad entry set aside by itself?"""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.listed import FACTS, FORGE, MEDIA, RAW, VLLM, flat, nested, raw

from ttctl.adapters import compiled
from ttctl.adapters.upstream_export import PUBLISHED, read_export
from ttctl.adapters.upstream_speed import targets_of
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.pins import Issue, Requirement, Target
from ttctl.rules.first_validated import with_latest
from ttctl.rules.validated import validated_specs

NAME = "model_specs_output.v0.9.0.json"


def only(data: bytes) -> Any:  # noqa: ANN401 - a spec, or a test fails
    export = read_export(data, name=NAME)
    assert export.quarantined == ()
    (one,) = export.listed
    return one


def reason(**changes: Any) -> str:  # noqa: ANN401 - JSON
    """Return why an entry is set aside, where another one of the file is not."""
    good = raw(model_id="good")
    export = read_export(flat(good, raw(**changes)), name=NAME)
    assert [one.spec.id for one in export.listed] == ["good"]
    (bad,) = export.quarantined
    assert bad.id.isprintable()
    return bad.reason


def test_an_entry_says_the_same_flat_and_nested() -> None:
    one, other = only(flat(RAW)), only(nested(RAW))
    assert one.spec == other.spec
    assert (one.image, one.tt_metal, one.vllm) == (other.image, other.tt_metal, other.vllm)


def test_every_field_of_an_entry_is_read() -> None:
    one = only(flat(RAW))
    spec = one.spec
    assert (one.tt_metal, one.vllm, one.version) == ("55fd115", "aa4ae1e", "0.9.0")
    assert one.image == f"{VLLM}:0.9.0-55fd115-aa4ae1e"
    assert (spec.id, spec.model, spec.device) == (RAW["model_id"], "acme/Small-1B", "n150")
    assert (spec.engine, spec.implementation, spec.type) == ("vllm", "tt_transformers", "VLM")
    assert (spec.weights.repository, spec.weights.kind) == ("acme/Small-1B-weights", "hub")
    assert (spec.parameters, spec.memory_mib, spec.disk_mib) == (1, 2560, 22528)
    assert abs(spec.weights.size_bytes - 2e9) < 1 << 20
    assert (spec.status, spec.default, spec.start_s) == ("COMPLETE", True, 3600)
    assert (spec.tool_parser, spec.reasoning_parser) == ("hermes", "qwen3")
    assert spec.modalities == ("text", "image")
    assert (spec.limits.max_model_len, spec.limits.max_num_seqs) == (65536, 32)
    assert spec.limits.block_size == 32
    assert spec.requirements == (
        Requirement(what="firmware", specifier=">=18.6.0", strict=True),
        Requirement(what="driver", specifier=">=2.1.0", strict=False),
    )
    assert spec.targets == (
        Target(
            task="vlm", shape="128/64 1024x512", concurrency=1, tier="functional",
            ttft_ms=60.0, tput_user=13.1,
        ),
    )  # fmt: skip
    assert spec.issues == (Issue(workflow="EVALS", task="ifeval", reason="scores vary"),)
    assert spec.suspect == ()


def test_arguments_keep_their_order_and_spelling_and_what_is_off_is_no_flag() -> None:
    assert only(flat(RAW)).spec.engine_args == (
        ("model", "acme/Small-1B"),
        ("block_size", "32"),
        ("max_model_len", "65536"),
        ("max_num_seqs", "32"),
        ("max-log-len", "32"),
        ("seed", "9472"),
        ("override_tt_config", '{"trace_region_size": 30000000}'),
        ("enable_auto_tool_choice", ""),
        ("limit-mm-per-prompt", '{"image": 1}'),
    )


def test_environment_names_of_any_case_are_real_and_values_become_text() -> None:
    assert only(flat(RAW)).spec.environment == (
        ("MESH_DEVICE", "N150"),
        ("QWEN36_MAX_TOKENS_ALL_USERS", "7"),
        ("trace_region_size", "30"),
    )


def test_keys_that_are_not_known_are_kept() -> None:
    assert only(flat(RAW)).raw["a_key_of_tomorrow"] == {"x": 1}


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({"param_count": "8"}, "parameters", 8.0, id="a number in text"),
        pytest.param({"param_count": None}, "parameters", 0, id="no number"),
        pytest.param({"param_count": -3}, "parameters", 0, id="a negative number"),
        pytest.param({"param_count": [8]}, "parameters", 0, id="a list for a number"),
        pytest.param({"param_count": True}, "parameters", 0, id="truth for a number"),
        pytest.param({"min_ram_gb": "2.5"}, "memory_mib", 2560, id="a fraction in text"),
        pytest.param({"min_disk_gb": "lots"}, "disk_mib", 0, id="a word for a number"),
        pytest.param({"model_type": "ROBOT"}, "type", "OTHER", id="an unknown type"),
        pytest.param({"model_type": "llm"}, "type", "LLM", id="a type in lower case"),
        pytest.param({"device_type": "E150"}, "device", "e150", id="an unknown device"),
        pytest.param({"status": "GOLD"}, "status", "EXPERIMENTAL", id="an unknown status"),
        pytest.param({"status": None}, "status", "EXPERIMENTAL", id="no status"),
        pytest.param({"inference_engine": "VLLM"}, "engine", "vllm", id="another case"),
        pytest.param({"supported_modalities": None}, "modalities", ("text",), id="no modalities"),
        pytest.param({"metadata": None}, "tool_parser", "", id="no metadata"),
        pytest.param({"device_model_spec": None}, "engine_args", (), id="no device's part"),
        pytest.param({"device_model_spec": "{}"}, "targets", (), id="a map in text"),
        pytest.param({"env_vars": None}, "environment", (("MESH_DEVICE", "N150"),), id="inner"),
        pytest.param({"impl": None}, "implementation", "", id="no implementation"),
        pytest.param({"system_requirements": None}, "requirements", (), id="no requirements"),
    ],
)  # fmt: skip
def test_what_drifts_is_taken_as_it_may_be_meant(
    changes: dict[str, Any], field: str, value: object
) -> None:
    assert getattr(only(flat(raw(**changes))).spec, field) == value


def test_of_an_argument_in_two_spellings_the_last_is_passed_and_both_are_told() -> None:
    given = {"max-model-len": 1024, "seed": 1, "max_model_len": 2048}
    spec = only(flat(raw(device_model_spec={"vllm_args": given}))).spec
    assert spec.engine_args == (("seed", "1"), ("max_model_len", "2048"))
    [said] = spec.suspect
    assert said == (
        "one argument is spelled in 2 ways ('max-model-len' '1024', 'max_model_len' '2048'): "
        "the last is taken"
    )


def test_a_spelling_that_is_off_is_no_second_one() -> None:
    given = {"max-model-len": 1024, "max_model_len": None}
    spec = only(flat(raw(device_model_spec={"vllm_args": given}))).spec
    assert (spec.engine_args, spec.suspect) == ((("max-model-len", "1024"),), ())


def test_words_that_are_not_known_are_told() -> None:
    said = only(flat(raw(status="GOLD", model_type="ROBOT"))).spec.suspect
    assert said == (
        "status 'GOLD' was not understood: taken as EXPERIMENTAL",
        "type 'ROBOT' is not known here: taken as OTHER",
    )


def test_a_requirement_that_is_not_understood_is_told_and_the_other_kept() -> None:
    spec = only(
        flat(
            raw(
                system_requirements={
                    "firmware": {"specifier": "new", "mode": "SUGGESTED"},
                    "kmd": {"specifier": ">=2.1, <3", "mode": None},
                }
            )
        )
    ).spec
    assert spec.requirements == (Requirement(what="driver", specifier=">=2.1,<3", strict=True),)
    assert spec.suspect == ("requirement on firmware 'new' is not understood",)


@pytest.mark.parametrize(
    ("image", "engine"),
    [(f"{VLLM}:0.2.0-a-b", "vllm"), (f"{MEDIA}:0.2.0-a", "media"), (f"{FORGE}:a_b", "forge")],
)
def test_releases_that_name_no_engine_name_it_by_the_image(image: str, engine: str) -> None:
    entry = raw(docker_image=image)
    del entry["inference_engine"]
    assert only(flat(entry)).spec.engine == engine


def test_the_keys_above_a_nested_entry_stand_in_for_what_it_lacks() -> None:
    entry = raw()
    for key in ("hf_model_repo", "device_type", "inference_engine", "impl", "model_id"):
        del entry[key]
    del entry["device_model_spec"]["device"]
    tree = {"acme/Small-1B": {"N150": {"vLLM": {"tt_transformers": entry}}}}
    data = json.dumps({"release_version": "v0.20.0", "model_specs": tree}).encode()
    spec = read_export(data, name="x").listed[0].spec
    assert spec.id == "id_tt-transformers_Small-1B_n150"
    assert (spec.model, spec.device, spec.engine) == ("acme/Small-1B", "n150", "vllm")
    assert spec.implementation == "tt_transformers"


def test_field_names_with_dashes_are_the_same_fields() -> None:
    entry = {key.replace("_", "-"): value for key, value in RAW.items()}
    entry["docker_image"], entry["device_model_spec"] = entry.pop("docker-image"), {}
    assert only(flat(entry)).spec.model == "acme/Small-1B"


@pytest.mark.parametrize(
    "name",
    ["LDAP_X", "GITHUB_X", "VLLM_PLUGINS", "HF_HOME", "TT_METAL_HOME", "trace_region_size",
     "MAX_TOKENS", "PYT", "ENVIRONMENT", "_X"],
)  # fmt: skip
def test_names_that_only_look_like_harm_are_none(name: str) -> None:
    assert only(flat(raw(env_vars={name: "x"}))).spec.environment == ((name, "x"),)


@pytest.mark.parametrize(
    "image",
    ["local:1", "localhost:5000/a/b_c--d:v1.0", f"{VLLM}@sha256:{'0' * 64}", "a.b/c/d/e/f:g"],
)
def test_images_of_any_registry_are_images(image: str) -> None:
    assert only(flat(raw(docker_image=image))).image == image


@pytest.mark.parametrize(
    "commit",
    ["c49bb76", "3499ffa1", "2496be4518bca0a7a5b497a4cda3cfe7e2f59756", "v0.62.0-rc33", "0.61.1"],
)
def test_commits_and_tags_are_pins(commit: str) -> None:
    assert only(flat(raw(tt_metal_commit=commit))).tt_metal == commit


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tt_metal_commit": "c49bb76\nRUN x"}, "tt-metal commit"),
        ({"tt_metal_commit": "c49bb76;reboot"}, "tt-metal commit"),
        ({"tt_metal_commit": "$(reboot)"}, "tt-metal commit"),
        ({"tt_metal_commit": "main"}, "tt-metal commit"),
        ({"tt_metal_commit": "--upload-pack=x"}, "tt-metal commit"),
        ({"tt_metal_commit": "v0.1..2"}, "tt-metal commit"),
        ({"vllm_commit": "`x`"}, "vLLM commit"),
        ({"docker_image": "ghcr.io/a b:1"}, "image"),
        ({"docker_image": "-v/:/host"}, "image"),
        ({"docker_image": "https://ghcr.io/a/b:1"}, "image"),
        ({"docker_image": "ghcr.io/a/../b:1"}, "image"),
        ({"docker_image": "ghcr.io/Upper:1"}, "image"),
        ({"docker_image": "ghcr.io/a/b:1\n"}, "image"),
        ({"env_vars": {"LD_PRELOAD": "x"}}, "'LD_PRELOAD' could do harm"),
        ({"env_vars": {"ld_library_path": "x"}}, "could do harm"),
        ({"env_vars": {"PYTHONPATH": "x"}}, "could do harm"),
        ({"env_vars": {"PYTHONSTARTUP": "x"}}, "could do harm"),
        ({"env_vars": {"PATH": "x"}}, "could do harm"),
        ({"env_vars": {"BASH_ENV": "x"}}, "could do harm"),
        ({"env_vars": {"IFS": "x"}}, "could do harm"),
        ({"env_vars": {"ENV": "x"}}, "could do harm"),
        ({"env_vars": {"SHELLOPTS": "x"}}, "could do harm"),
        ({"env_vars": {"HTTPS_PROXY": "x"}}, "could do harm"),
        ({"env_vars": {"HF_ENDPOINT": "x"}}, "could do harm"),
        ({"env_vars": {"NO_AUTH": "1"}}, "could do harm"),
        ({"env_vars": {"A=B": "x"}}, "could do harm"),
        ({"env_vars": {"": "x"}}, "could do harm"),
        ({"env_vars": {"A": "x\ny"}}, "control character"),
        ({"env_vars": {"A": "\x1b[2J"}}, "control character"),
        ({"env_vars": {"A": "x" * 99999}}, "too long"),
        ({"env_vars": {"A": "\ud800"}}, "half a character"),
        ({"a_key_of_tomorrow": "\ud800"}, "half a character"),
        ({"hf_model_repo": "../../etc/passwd"}, "model"),
        ({"hf_model_repo": "acme/.."}, "model"),
        ({"hf_model_repo": "/etc/passwd"}, "model"),
        ({"hf_model_repo": "a/b/c"}, "model"),
        ({"hf_model_repo": "a\x00b"}, "model"),
        ({"hf_weights_repo": "a/../b"}, "weights"),
        ({"model_id": "../x"}, "id"),
        ({"model_id": "a\nb"}, "id"),
        ({"device_type": "N150;x"}, "device"),
        ({"device_type": "CPU"}, "own target"),
        ({"inference_engine": "tomorrow"}, "engine 'tomorrow' is not known"),
        ({"version": "0.9 && x"}, "version"),
        ({"metadata": {"tool_call_parser_name": "a b"}}, "tool_call_parser_name"),
        ({"device_model_spec": {"vllm_args": {"a b": 1}}}, "is no flag"),
        ({"device_model_spec": {"vllm_args": {"a": "\x07"}}}, "argument a"),
        ({"docker_image": None, "tt_metal_commit": None}, "neither an image nor"),
        ({"docker_image": None}, "names no image"),
        ({"docker_image": ""}, "names no image"),
        ({"tt_metal_commit": None}, "names no tt-metal commit"),
        ({"env_vars": ["A=1"]}, "env_vars is no map"),
        ({"env_vars": "A=1"}, "env_vars is no map"),
        ({"device_model_spec": [1]}, "device_model_spec is no map"),
        ({"device_model_spec": {"vllm_args": ["--seed", "1"]}}, "vllm_args is no map"),
        ({"system_requirements": "new"}, "system_requirements is no map"),
        ({"system_requirements": {"kmd": {"specifier": "new"}}}, "strict requirement on driver"),
        ({"system_requirements": {"kmd": {"specifier": [1]}}}, "strict requirement on driver"),
        ({"system_requirements": {"firmware": ">=19"}}, "strict requirement on firmware"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_could_do_harm_is_set_aside_with_the_reason_and_the_rest_works(
    changes: dict[str, Any], told: str
) -> None:
    assert told in reason(**changes)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("model", "../../etc", "not the model of the entry"),
        ("model", "acme/Other-1B", "not the model of the entry"),
        ("api-key", "x", "one door"),
        ("--api_key", "x", "one door"),
        ("HOST", "192.0.2.1", "one door"),
        ("port", 1, "one door"),
        ("ssl_keyfile", "/k", "one door"),
        ("root-path", "/", "one door"),
        ("uds", "/x", "one door"),
        ("trust_remote_code", True, "code"),
        ("middleware", "os.system", "code"),
        ("midd", "os.system", "--middleware"),
        ("worker_cls", "a.B", "code"),
        ("allowed-local-media-path", "/", "files or addresses"),
        ("config", "/x.yaml", "files or addresses"),
        ("chat_template", "/x", "files or addresses"),
        ("load-format", "x", "catalog"),
        ("served-model-name", "a b;$(id)", "catalog"),
        ("hf-overrides.auto_map", "x", "catalog"),
        ("data_parallel_address", "1.2.3.4", "validated"),
        ("otlp-traces-endpoint", "http://x", "another host"),
        ("override_tt_config", '{"tt":', "no options"),
        ("override_tt_config", "[]", "no options"),
        ("override-tt-config", '{"a": NaN}', "no options"),
        ("additional_config", '{"tt": 3}', "no options"),
    ],
    ids=repr,
)
def test_an_argument_that_a_user_may_not_add_sets_the_entry_aside(
    name: str, value: object, told: str
) -> None:
    assert told in reason(device_model_spec={"vllm_args": {name: value}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "acme/Small-1B-weights"),
        ("trust_remote_code", False),
        ("data_parallel_size", 4),
        ("num_scheduler_steps", 10),
        ("additional_config", {"tt": {"trace_region_size": 1}, "x": 2}),
        ("plugin_config", "{}"),
        ("mm-processor-kwargs", {"a": 1}),
        ("a_flag_of_tomorrow", "x"),
    ],
)
def test_an_argument_that_upstream_validates_with_is_kept(name: str, value: object) -> None:
    assert only(flat(raw(device_model_spec={"vllm_args": {name: value}})))


@pytest.mark.parametrize("field", ["param_count", "min_disk_gb", "min_ram_gb"])
@pytest.mark.parametrize("value", ["lots", -1, "-1", True, [3], 1e30], ids=repr)
def test_a_number_that_is_not_taken_as_it_stands_is_told(field: str, value: object) -> None:
    said = only(flat(raw(**{field: value}))).spec.suspect
    assert len(said) == 1
    assert said[0].startswith(f"{field} ")
    assert "taken as not given" in said[0]


@pytest.mark.parametrize("value", [None, 0, "0", 0.0, "", "2.5"], ids=repr)
def test_a_number_that_is_given_or_left_out_is_not_suspect(value: object) -> None:
    assert only(flat(raw(min_disk_gb=value))).spec.suspect == ()


def test_a_key_that_stands_twice_in_an_entry_is_told() -> None:
    data = flat(RAW).replace(b'"param_count": 1', b'"param_count": 9, "param_count": 1')
    one = only(data)
    assert one.spec.parameters == 1
    assert one.spec.suspect == ("key 'param_count' stands twice in the entry: the last is taken",)


def test_an_entry_whose_key_stands_twice_in_a_flat_file_is_not_lost_silently() -> None:
    first, last = json.dumps(raw(param_count=9)), json.dumps(RAW)
    export = read_export(f'{{"a": {first}, "a": {last}}}'.encode(), name=NAME)
    assert [one.spec.parameters for one in export.listed] == [1]
    (lost,) = export.quarantined
    assert lost.id == RAW["model_id"]
    assert "stands twice" in lost.reason


def test_entries_under_a_model_that_stands_twice_are_not_lost_silently() -> None:
    first = json.dumps({"N300": {"vLLM": {"x": raw(model_id="other")}}})
    last = json.dumps({"N150": {"vLLM": {"x": RAW}}})
    data = f'{{"model_specs": {{"acme/A": {first}, "acme/A": {last}}}}}'.encode()
    export = read_export(data, name=NAME)
    assert len(export.listed) == 1
    assert [one.id for one in export.quarantined] == ["other"]


def test_a_wrapper_that_stands_twice_sets_aside_all_that_stood_in_the_first() -> None:
    first = json.dumps({"acme/A": {"N300": {"vLLM": {"x": raw(model_id="first")}}}})
    last = json.dumps({"acme/A": {"N150": {"vLLM": {"x": RAW}}}})
    data = f'{{"model_specs": {first}, "model_specs": {last}}}'.encode()
    export = read_export(data, name=NAME)
    assert [one.spec.id for one in export.listed] == [RAW["model_id"]]
    [lost] = export.quarantined
    assert lost.id == "first"
    assert lost.reason == f"the key 'model_specs' stands twice in {NAME}: the last is used"


@pytest.mark.parametrize("first", ["{}", "3", "[]", '"x"'])
def test_a_wrapper_that_stands_twice_is_told_though_nothing_stood_in_the_first(first: str) -> None:
    last = json.dumps({"acme/A": {"N150": {"vLLM": {"x": RAW}}}})
    export = read_export(f'{{"model_specs": {first}, "model_specs": {last}}}'.encode(), name=NAME)
    assert [one.id for one in export.quarantined] == ["model_specs"]


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ('"release_version": "0.1.0", "release_version": "0.20.0"', "release_version"),
        ('"schema_version": {"a": 1}, "schema_version": {"b": 1}', "schema_version"),
        ('"about": {"by": "x", "by": "y"}', "about"),
        ('"about": [{"by": "x", "by": "y"}]', "about"),
    ],
)
def test_a_key_beside_the_entries_that_stands_twice_is_told(word: str, named: str) -> None:
    entries = json.dumps({"acme/A": {"N150": {"vLLM": {"x": RAW}}}})
    export = read_export(f'{{{word}, "model_specs": {entries}}}'.encode(), name=NAME)
    assert len(export.listed) == 1
    [lost] = export.quarantined
    assert lost.id == named
    assert "stands twice" in lost.reason


def test_a_word_of_a_flat_file_that_stands_twice_is_told() -> None:
    data = f'{{"version": "1", "version": "2", "a": {json.dumps(RAW)}}}'.encode()
    export = read_export(data, name=NAME)
    assert [(one.id, "'version'" in one.reason) for one in export.quarantined] == [
        ("version", True)
    ]


def test_a_wrapper_that_stands_twice_and_ends_empty_is_no_catalog_and_says_so() -> None:
    first = json.dumps({"acme/A": {"N150": {"vLLM": {"x": RAW}}}})
    with pytest.raises(BadFileError, match="is no catalog") as caught:
        read_export(f'{{"model_specs": {first}, "model_specs": {{}}}}'.encode(), name=NAME)
    assert "the key 'model_specs' stands twice" in caught.value.evidence


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 40])
def test_a_number_that_no_catalog_has_sets_its_entry_aside_and_not_the_file(number: str) -> None:
    good, bad = raw(model_id="good"), raw(param_count="HERE")
    data = flat(good, bad).replace(b'"HERE"', number.encode())
    export = read_export(data, name=NAME)
    assert [one.spec.id for one in export.listed] == ["good"]
    assert "number that no catalog has" in export.quarantined[0].reason


def test_a_byte_order_mark_before_an_export_is_passed_over() -> None:
    assert only(b"\xef\xbb\xbf" + flat(RAW)).spec.model == "acme/Small-1B"


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, {"a": 1}], ids=repr)
def test_what_is_no_entry_in_an_entrys_place_is_told_and_not_lost(odd: object) -> None:
    tree = {"acme/A": {"N150": {"vLLM": {"x": RAW, "y": odd}}}, "acme/B": odd}
    data = json.dumps({"model_specs": tree}).encode()
    export = read_export(data, name=NAME)
    assert len(export.listed) == 1
    told = {one.id: one.reason for one in export.quarantined}
    assert told == dict.fromkeys(("acme/A N150 vLLM y", "acme/B"), "it is no entry of a model")


def test_a_flat_file_may_say_something_of_itself() -> None:
    data = json.dumps({"schema_version": "0.1.0", "a": RAW, "b": {"x": 1}}).encode()
    export = read_export(data, name=NAME)
    assert len(export.listed) == 1
    assert [one.id for one in export.quarantined] == ["b"]


def test_two_entries_of_one_id_are_one() -> None:
    data = json.dumps({"a": RAW, "b": RAW}).encode()
    export = read_export(data, name=NAME)
    assert len(export.listed) == 1
    assert "same id" in export.quarantined[0].reason


def test_a_release_that_only_images_let_guess_is_shown_as_not_told() -> None:
    assert read_export(flat(RAW), name="x.json").release_said == "not told (at least 0.9.0)"
    assert read_export(flat(RAW), name=NAME).release_said == "0.9.0"


@pytest.mark.parametrize(
    ("data", "name", "release", "said"),
    [
        pytest.param(nested(RAW), "x.json", "0.20.0", "the file", id="the file"),
        pytest.param(
            nested(RAW, release="0.12.0"), "release_model_spec.v0.13.0.json", "0.12.0",
            "the file; its name says 0.13.0", id="another than the name",
        ),
        pytest.param(flat(RAW), NAME, "0.9.0", "the file's name", id="the name"),
        pytest.param(
            flat(RAW), "https://host/tenstorrent/tt-inference-server/v0.8.0/model_specs_output.json",
            "0.8.0", "the file's name", id="an address",
        ),
        pytest.param(
            flat(RAW), "models.json", "0.9.0", "the highest version of an image in it", id="images"
        ),
        pytest.param(
            nested(RAW, release="new\x1b"), "models.json", "0.9.0",
            "the highest version of an image in it", id="a word that is none",
        ),
    ],
)  # fmt: skip
def test_where_the_release_was_read_is_said(
    data: bytes, name: str, release: str, said: str
) -> None:
    export = read_export(data, name=name)
    assert (export.release, export.release_from) == (release, said)
    assert export.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("data", [b"{}", b'{"a": 1}', b'{"model_specs": {}}', b'{"a": {"b": {}}}'])
def test_a_file_without_an_entry_is_refused(data: bytes) -> None:
    with pytest.raises(BadFileError, match="is no catalog"):
        read_export(data, name="a.json")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["LD_PRELOAD", "../x", "v0.1.0", "\ud800", "[", "{}", "1e5", "\n"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.text(max_size=8) | st.sampled_from(list(RAW)), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from([*RAW, *RAW["device_model_spec"]]), ODD, max_size=6))
def test_no_entry_gives_anything_but_a_value_or_a_reason(changes: dict[str, Any]) -> None:
    inner = {**RAW["device_model_spec"], **changes}
    data = json.dumps({"x": {**RAW, "device_model_spec": inner, **changes}}).encode()
    with contextlib.suppress(TtctlError):
        export = read_export(data, name="x")
        for spec in validated_specs(export, facts=FACTS, first={}):
            with_latest(spec)
            compiled.text_of((spec,), "key").encode()


@given(st.binary(max_size=300))
def test_no_bytes_give_anything_but_a_value_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(TtctlError):
        read_export(data, name="x")


@pytest.mark.parametrize(
    ("said", "read"),
    [(0.1, 0.1), ("0.05", 0.05), (0.0, 0.0), (None, 0.0), (1, 0.0), (-0.5, 0.0), ("much", 0.0)],
)
def test_a_tolerance_is_a_part_of_a_figure_and_one_that_lets_all_pass_is_none(
    said: object, read: float
) -> None:
    reference = {"targets": {"target": {"ttft_ms": 60, "tolerance": said}}}
    (target,) = targets_of([reference])
    assert target.tolerance == read


@pytest.mark.parametrize(
    ("name", "release"),
    [
        pytest.param("mine.json", "0.10.0", id="under any name"),
        pytest.param("https://host/refs/tags/v0.10.1/x.json", "0.10.1", id="two have the same"),
        pytest.param("x.v0.12.0.json", "0.10.0", id="under a wrong name"),
    ],
)
def test_a_file_that_upstream_published_is_known_by_its_bytes(name: str, release: str) -> None:
    data = nested(RAW, release="0.9.0")
    digest = hashlib.sha256(data).hexdigest()
    known = (("0.9.0", "0" * 64), ("0.10.0", digest), ("0.10.1", digest))
    export = read_export(data, name=name, published=known)
    assert (export.release, export.release_from) == (release, PUBLISHED)


def test_the_bytes_of_every_release_whose_day_is_known_are_known_too() -> None:
    assert [release for release, _ in FACTS.exports] == [release for release, _ in FACTS.releases]
    assert len({digest for _, digest in FACTS.exports}) == len(FACTS.exports) - 1
