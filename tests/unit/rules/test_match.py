# SPDX-License-Identifier: Apache-2.0
"""Does a request find the validated entry, or the reason why none fits?"""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.rules.validated import asked, built_in, entry

from ttctl.errors import NothingFitsError, TtctlError, UsageError
from ttctl.model.match import TASKS, Place
from ttctl.model.pins import Advice, Fallback, Gated, KnownBad, Quarantined, Requirement
from ttctl.rules.find import nearest

LLAMA = entry("meta-llama/Llama-3.1-8B-Instruct", "n150")
BASE = entry("meta-llama/Llama-3.1-8B", "n150")
SMALL = entry("meta-llama/Llama-3.2-1B-Instruct", "n150", parameters=1, status="FUNCTIONAL")
ON_T3K = entry("meta-llama/Llama-3.1-70B-Instruct", "t3k", parameters=70)
SPECS = (LLAMA, BASE, SMALL, ON_T3K)
BAD = KnownBad(
    model="meta-llama/*", device="n150", engine="vllm", reason="it hangs", source="a test",
    date="2026-01-31",
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "device", "model", "rule"),
    [
        pytest.param("llama", "n150", "Llama-3.1-8B-Instruct", "the better status", id="n150"),
        pytest.param("llama", "t3k", "Llama-3.1-8B-Instruct", "the better status", id="t3k"),
        pytest.param("llama", "p100", "Llama-3.1-8B-Instruct", "instruct before base", id="p100"),
        pytest.param(
            "llama", "galaxy", "Llama-3.3-70B-Instruct", "the newer generation", id="galaxy"
        ),
        pytest.param(
            "llama",
            "p300x2",
            "Llama-3.1-8B-Instruct",
            "instruct before base",
            id="the larger ones are known not to work",
        ),
        pytest.param("Llama-3.1-8B", "n150", "Llama-3.1-8B", "it is the only one", id="a name"),
        pytest.param(
            "qwen", "t3k", "Qwen2.5-72B-Instruct", "text alone before text with images", id="qwen"
        ),
        pytest.param("gemma", "n150", "gemma-3-4b-it", "the family's own name", id="gemma"),
        pytest.param("chat", "n150", "Llama-3.1-8B-Instruct", "the larger one", id="a task"),
        pytest.param("reasoning", "n150", "Qwen3-8B", "it is the only one", id="reasoning"),
        pytest.param("code", "t3k", "Qwen2.5-Coder-32B-Instruct", "it is the only one", id="code"),
        pytest.param("whisper", "n150", "whisper-large-v3", "the family's own name", id="audio"),
        pytest.param("speech", "p150", "speecht5_tts", "it is the only one", id="speech"),
        pytest.param(
            "image",
            "n150",
            "stable-diffusion-xl-base-1.0",
            "an image from text before one from an image",
            id="image",
        ),
        pytest.param(
            "chat",
            "galaxy",
            "Llama-3.3-70B-Instruct",
            "for chat, an answer before reasoning",
            id="what reasons is for reasoning",
        ),
        pytest.param(
            "video",
            "t3k",
            "Wan2.2-T2V-A14B-Diffusers",
            "a finished model before a preview",
            id="video",
        ),
        pytest.param(
            "image",
            "p300x2",
            "FLUX.1-dev",
            "of one family, the full model before one made for speed",
            id="the full model and its quick form",
        ),
        pytest.param(
            "agent",
            "galaxy",
            "Llama-3.3-70B-Instruct",
            "for agent, an answer before reasoning",
            id="an agent asks many times",
        ),
        pytest.param(
            "agent",
            "p300",
            "Llama-3.1-8B-Instruct",
            "for agent, an answer before reasoning",
            id="an agent on a small device",
        ),
        pytest.param(
            "llama", "cpu", "SmolLM2-360M-Instruct", "it is the only one", id="an alias on cpu"
        ),
    ],
)
def test_a_word_finds_its_entry_and_names_the_rule(
    word: str, device: str, model: str, rule: str
) -> None:
    found = asked(word, device, unattended=True)
    assert (found.spec.model.rpartition("/")[2], found.spec.device) == (model, device)
    assert found.deciding == rule


def test_every_entry_is_found_by_its_whole_name_on_its_device() -> None:
    catalog = built_in()
    assert len(catalog.specs) > 225
    for spec in catalog.specs:
        found = asked(spec.model, spec.device, unattended=True, experimental=True)
        assert (found.spec.model, found.spec.device) == (spec.model, spec.device)
        assert not found.spec.experimental


@pytest.mark.parametrize(
    ("model", "device", "implementation"),
    [
        pytest.param("Qwen/Qwen3-32B", "galaxy", "qwen3_32b_galaxy", id="two of vLLM"),
        pytest.param("meta-llama/Llama-3.2-3B", "n150", "tt_transformers", id="vLLM and forge"),
    ],
)
def test_of_several_implementations_upstreams_default_is_taken_and_said(
    model: str, device: str, implementation: str
) -> None:
    found = asked(model, device, unattended=True)
    assert found.spec.implementation == implementation
    assert any("default implementation" in reason for reason in found.reasons)


def test_the_order_of_the_entries_changes_nothing() -> None:
    answers = {repr(asked("llama", "n150", *order)) for order in permutations(SPECS)}
    assert len(answers) == 1
    backwards = asked("chat", "galaxy", *reversed(built_in().specs))
    assert backwards == asked("chat", "galaxy", *built_in().specs)


def test_what_fits_the_memory_here_comes_before_what_is_larger() -> None:
    large = replace(ON_T3K, device="n150", memory_mib=200_000)
    place = Place(devices=("n150", "cpu"), memory_mib=64_000)
    found = asked("llama", "n150", *SPECS, large, place=place)
    assert (found.spec, found.deciding) == (LLAMA, "what fits disk and memory here")
    assert "ram" in {one.kind for one in found.near_misses}


def test_an_experimental_status_needs_no_flag_and_is_warned_of() -> None:
    found = asked("llama", "p100", unattended=True)
    assert found.spec.status == "EXPERIMENTAL"
    assert "upstream's status on p100 is EXPERIMENTAL" in found.warnings


def test_a_base_model_is_warned_of_with_the_one_that_answers() -> None:
    [warning] = asked("Llama-3.1-8B", "n150", *SPECS).warnings
    assert "meta-llama/Llama-3.1-8B-Instruct answers" in warning


def test_a_typo_is_guessed_with_its_score_only_where_a_guess_is_wanted() -> None:
    found = asked("Lama-3.1-8B-Instuct", "n150", *SPECS, guesses=True)
    assert (found.spec, found.how) == (LLAMA, "likeness")
    assert 75 <= found.score < 100
    with pytest.raises(UsageError, match="There is no model 'Lama-") as caught:
        asked("Lama-3.1-8B-Instuct", "n150", *SPECS, unattended=True)
    assert caught.value.meant == "Llama-3.1-8B-Instruct"
    assert f"({found.score:.0f})" in caught.value.evidence


def test_the_beginning_of_a_name_is_nearer_than_a_typo_of_another() -> None:
    assert nearest(built_in().specs, "Llama-3.3-70B")[0] == ("Llama-3.3-70B-Instruct", 96.0)


def test_a_fragment_means_every_name_that_it_is_in_and_the_rules_choose() -> None:
    found = asked("8b-inst", "n150", *SPECS, guesses=True)
    assert (found.spec, found.how) == (LLAMA, "likeness")


@pytest.mark.parametrize(
    ("typo", "word"),
    [
        pytest.param("lama", "llama", id="a family that is an alias too"),
        pytest.param("mistrall", "mistral", id="a family"),
        pytest.param("resoning", "reasoning", id="a task"),
        pytest.param("imge", "image", id="another task"),
    ],
)
def test_a_guess_finds_what_the_word_itself_finds(typo: str, word: str) -> None:
    found, plain = (asked(one, "t3k", guesses=True) for one in (typo, word))
    assert (found.spec, found.how) == (plain.spec, "likeness")
    assert found.reasons[0].startswith(f"{typo!r} is like {word!r}")
    assert nearest(built_in().specs, typo)[0][0] == word


@pytest.mark.parametrize(
    ("word", "model"),
    [
        pytest.param("llama 8b", "Llama-3.1-8B-Instruct", id="two words of a name"),
        pytest.param("gemma-3", "gemma-3-27b-it", id="the beginning of several names"),
    ],
)
def test_of_names_that_are_as_like_those_of_this_device_are_taken(word: str, model: str) -> None:
    found = asked(word, "t3k", guesses=True)
    assert (found.spec.model.rpartition("/")[2], found.spec.device) == (model, "t3k")
    name = found.reasons[0].split("'")[3]
    assert any(name in s.model and s.device == "t3k" for s in built_in().specs)


def test_a_script_is_refused_what_no_rule_decides_and_a_person_gets_the_first() -> None:
    other = entry("acme/Other-8B-Instruct", "n150")
    with pytest.raises(UsageError, match="'chat' means several models on 'n150'") as caught:
        asked("chat", "n150", *SPECS, other, unattended=True)
    assert "acme/Other-8B-Instruct, meta-llama/Llama-3.1-8B-Instruct" in caught.value.evidence
    found = asked("chat", "n150", *SPECS, other)
    assert found.spec == other
    assert "several are of equal rank" in found.warnings[0]


def test_a_size_that_nobody_says_is_not_compared_and_comes_behind_by_a_rule_of_its_own() -> None:
    small = entry("acme/Tiny-Instruct", "n150", parameters=1)
    silent = entry("acme/Aaa-Instruct", "n150", parameters=0)
    for order in permutations((small, silent, LLAMA)):
        found = asked("chat", "n150", *order, unattended=True)
        assert found.spec == LLAMA
        assert {one.model: one.rule for one in found.runners_up} == {
            small.model: "the larger one",
            silent.model: "a known size before one that nobody says",
        }


def test_a_preview_of_known_size_is_not_taken_before_finished_models_of_unknown_size() -> None:
    with pytest.raises(UsageError, match="'image' means several models on 't3k'") as caught:
        asked("image", "t3k", unattended=True)
    assert "FLUX.1-dev" in caught.value.evidence
    assert "Motif" not in caught.value.evidence
    assert "schnell" not in caught.value.evidence


def test_a_quick_model_of_another_family_stays_equal() -> None:
    full = entry("acme/Drawer-dev", "n150", type="IMAGE", parameters=0)
    quick = entry("other/Painter-turbo", "n150", type="IMAGE", parameters=0)
    with pytest.raises(UsageError, match="several models"):
        asked("image", "n150", full, quick, unattended=True)
    quicker = replace(quick, model="acme/Drawer-schnell")
    assert asked("image", "n150", quicker, full, unattended=True).spec == full


def test_a_task_narrows_a_family() -> None:
    assert asked("qwen", "t3k", task="code").spec.model == "Qwen/Qwen2.5-Coder-32B-Instruct"
    with pytest.raises(NothingFitsError, match="'whisper' has no model for 'chat'"):
        asked("whisper", "n150", task="chat")


def test_what_stands_in_the_way_of_the_answer_too_tells_nothing_against_another() -> None:
    gates = Advice(gated=(Gated(model="acme/*", reason="a licence", source="a test", date="2026"),))
    best = entry("acme/Near-8B-Instruct", "n150", status="COMPLETE")
    other = entry("acme/Near-3B-Instruct", "n150", status="FUNCTIONAL")
    found = asked("near", "n150", best, other, advice=gates)
    assert [(one.model, one.kind) for one in found.near_misses] == [(other.model, "status")]


def test_what_two_engines_lack_alike_is_said_once() -> None:
    here = entry("acme/Near-8B-Instruct", "n150")
    others = tuple(entry("acme/Near-3B", "t3k", engine=engine) for engine in ("vllm", "forge"))
    found = asked("near", "n150", here, *others)
    assert [(one.model, one.device) for one in found.near_misses] == [("acme/Near-3B", "t3k")]


def test_gated_weights_are_named_and_an_ungated_model_of_the_class_is_offered() -> None:
    found = asked("llama", "n150", unattended=True)
    assert any("gated" in warning for warning in found.warnings)
    [offer] = found.offers
    assert (offer.kind, offer.device) == ("ungated", "n150")
    assert asked(offer.model, "n150", unattended=True).offers == ()


@pytest.mark.parametrize(
    ("device", "place", "kind"),
    [
        pytest.param("t3k", Place(devices=("n300", "cpu"), boards=("n300",)), "boards", id="few"),
        pytest.param("galaxy", Place(devices=("n300", "cpu")), "device", id="another"),
        pytest.param("quad_galaxy", Place(devices=("n300", "cpu")), "multihost", id="hosts"),
        pytest.param("gpu", Place(devices=("n300", "cpu")), "gpu", id="no card of ours"),
    ],
)
def test_an_entry_of_another_device_says_what_it_lacks(
    device: str, place: Place, kind: str
) -> None:
    only = entry("acme/Only-8B", device)
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Only-8B", "n300", only, place=place)
    assert f"{kind}: acme/Only-8B on {device}" in caught.value.evidence
    assert caught.value.exit_code == 7


@pytest.mark.parametrize(
    ("changes", "place", "kind"),
    [
        pytest.param({"memory_mib": 9}, Place(devices=("n150",), memory_mib=8), "ram", id="ram"),
        pytest.param({"disk_mib": 9}, Place(devices=("n150",), disk_mib=8), "disk", id="disk"),
        pytest.param(
            {"requirements": (Requirement(what="firmware", specifier=">=19.2", strict=True),)},
            Place(devices=("n150",), firmware="18.5.0"),
            "firmware",
            id="firmware",
        ),
        pytest.param(
            {"requirements": (Requirement(what="driver", specifier=">=2.5", strict=True),)},
            Place(devices=("n150",), driver="2.1.0"),
            "driver",
            id="driver",
        ),
        pytest.param({"status": "FUNCTIONAL"}, Place(devices=("n150",)), "status", id="status"),
    ],
)
def test_a_near_miss_of_this_device_says_what_it_lacks(
    changes: dict[str, object], place: Place, kind: str
) -> None:
    first = entry("acme/First-9B-Instruct", "n150", memory_mib=1, disk_mib=1, parameters=9)
    other = replace(
        entry("acme/Second-8B-Instruct", "n150", memory_mib=1, disk_mib=1), **changes
    )  # fmt: skip
    found = asked("chat", "n150", first, other, place=place)
    assert found.spec == first
    assert [one.kind for one in found.near_misses] == [kind]


def test_a_suggested_version_is_no_near_miss() -> None:
    wish = Requirement(what="firmware", specifier=">=19.2", strict=False)
    first = entry("acme/First-9B-Instruct", "n150", parameters=9)
    other = entry("acme/Second-8B-Instruct", "n150", requirements=(wish,))
    found = asked("chat", "n150", first, other, place=Place(devices=("n150",), firmware="18.5"))
    assert found.near_misses == ()


def test_what_is_known_not_to_work_is_refused_with_its_source_unless_it_is_wanted() -> None:
    advice = Advice(known_bad=(BAD,))
    with pytest.raises(NothingFitsError, match="known not to work") as caught:
        asked("Llama-3.1-8B-Instruct", "n150", *SPECS, advice=advice)
    assert "a test, 2026-01-31" in caught.value.why
    found = asked("Llama-3.1-8B-Instruct", "n150", *SPECS, advice=advice, experimental=True)
    assert found.spec == LLAMA
    assert "known not to work: it hangs (a test, 2026-01-31)" in found.warnings


def test_a_report_about_one_firmware_only_counts_where_that_is_here() -> None:
    advice = Advice(known_bad=(replace(BAD, firmware="==19.7.0"),))
    for firmware in ("", "19.8.0"):
        place = Place(devices=("n150",), firmware=firmware)
        assert asked("llama", "n150", *SPECS, advice=advice, place=place).spec == LLAMA
    with pytest.raises(NothingFitsError):
        asked(
            "llama",
            "n150",
            *SPECS,
            advice=advice,
            place=Place(devices=("n150",), firmware="19.7.0"),
        )


MANY = ("n300", "p100", "p150", "p150x4", "p150x8", "p300", "p300x2", "gpu")


def test_what_was_set_aside_is_named_with_the_reason() -> None:
    aside = Quarantined(id="id_Only-8B_n150", reason="its commit has a newline")
    used = [entry("acme/Only-8B", device) for device in (*MANY, "t3k")]
    with pytest.raises(NothingFitsError, match="'Only-8B' for 'n150' is set aside") as caught:
        asked("Only-8B", "n150", *used, quarantined=(aside,))
    assert "not used: its commit has a newline." in caught.value.why
    assert "quarantined: id_Only-8B_n150 its commit has a newline" in caught.value.evidence
    with pytest.raises(NothingFitsError, match="No spec of 'Only-8B' is validated on 'galaxy'"):
        asked("Only-8B", "galaxy", *used, quarantined=(replace(aside, id="id_Only-8B_galaxy_t3k"),))


def test_another_device_of_the_machine_is_offered_first() -> None:
    place = Place(devices=("t3k", "n300", "cpu"))
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Only-8B", "t3k", entry("acme/Only-8B", "n300"), place=place)
    assert caught.value.next_step == "ttctl plan acme/Only-8B --device n300"


def test_a_fallback_device_is_offered() -> None:
    known = Fallback(
        device="p150x4", instead="p300x2", engine="vllm", reason="four chips", source="a test",
        date="2026-01-31",
    )  # fmt: skip
    with pytest.raises(NothingFitsError) as caught:
        asked(
            "Only-8B", "p150x4", entry("acme/Only-8B", "p300x2"), advice=Advice(fallbacks=(known,))
        )
    assert caught.value.next_step == "ttctl plan acme/Only-8B --device p300x2"


def test_a_model_of_the_same_class_without_a_token_is_offered() -> None:
    gate = Gated(model="gated/*", reason="a licence", source="a test", date="2026-01-31")
    specs = (
        entry("acme/Only-8B", "t3k"),
        entry("gated/Near-8B", "n150"),
        entry("free/Far-7B", "n150", parameters=7),
        entry("free/Pictures", "n150", type="IMAGE"),
    )
    with pytest.raises(NothingFitsError) as caught:
        asked("Only-8B", "n150", *specs, advice=Advice(gated=(gate,)))
    assert caught.value.next_step == "ttctl plan free/Far-7B --device n150"


def test_only_what_free_boards_make_up_is_offered() -> None:
    place = Place(devices=("t3k", "n300", "n150", "cpu"), held=("t3k", "n300"))
    specs = tuple(entry("acme/Only-8B", device) for device in ("galaxy", "t3k", "n300", "n150"))
    found = asked("acme/Only-8B", "t3k", *specs, place=place)
    assert [one.device for one in found.offers] == ["n150"]
    reasons = {one.device: one.reason for one in found.near_misses}
    assert reasons["n300"] == "is for n300, whose boards here are in use or not healthy"


def test_a_device_that_the_cards_here_do_not_make_up_is_never_offered() -> None:
    place = Place(devices=("n150", "cpu"), boards=("n150",))
    specs = (entry("acme/Only-8B", "galaxy"), entry("acme/Other-8B", "galaxy"))
    assert asked("acme/Only-8B", "galaxy", *specs, place=place).offers == ()
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Only-8B", "n150", *specs, place=place)
    assert caught.value.next_step == "ttctl models ls --fits"


def test_a_machine_without_cards_is_told_of_the_device_that_was_named() -> None:
    specs = (entry("acme/Only-8B", "galaxy"), entry("acme/Pictures", "n150", type="IMAGE"))
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Only-8B", "n150", *specs, place=Place(devices=("cpu",)))
    assert caught.value.next_step == "ttctl models ls --device n150"
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Only-8B", "cpu", *specs, place=Place(devices=("cpu",)))
    assert caught.value.next_step == "ttctl plan acme/Only-8B --device galaxy"


def test_in_place_of_what_reads_images_stands_what_reads_images() -> None:
    specs = (
        entry("acme/Sees-8B", "t3k", type="VLM"),
        entry("free/Text-8B", "n150"),
        entry("free/yolo", "n150", type="CNN"),
        entry("free/Reads-4B", "n150", type="VLM", parameters=4),
    )
    for word in ("acme/Sees-8B", "sees"):
        with pytest.raises(NothingFitsError) as caught:
            asked(word, "n150", *specs)
        assert caught.value.next_step == "ttctl plan free/Reads-4B --device n150"


def test_a_model_that_needs_a_token_is_offered_where_it_uses_the_whole_machine() -> None:
    place = Place(devices=("p150x4", "p150", "cpu"), memory_mib=24_000)
    with pytest.raises(NothingFitsError) as caught:
        asked("Qwen3-32B", "p150x4", place=place)
    step = "ttctl plan meta-llama/Llama-3.1-8B-Instruct --device p150x4"
    assert caught.value.next_step == step
    assert "COMPLETE, a token is needed" in caught.value.evidence


def test_a_device_that_no_card_is_known_by_is_not_said_to_be_here() -> None:
    with pytest.raises(NothingFitsError) as caught:
        asked("acme/Only-8B", "n150", entry("acme/Only-8B", "e150"))
    assert "is for e150, which ttctl does not know" in caught.value.evidence


def follow(next_step: str) -> None:
    """Do what a refusal says to type; nothing may refuse it."""
    words = shlex.split(next_step)
    if words[:2] != ["ttctl", "plan"]:
        assert words[:3] == ["ttctl", "models", "ls"]
        return
    _, _, model, _, device, *flags = words
    asked(model, device, experimental="--experimental" in flags, unattended=True)


@pytest.mark.parametrize("device", ["cpu", "n150", "t3k", "p100", "p150x4", "blackhole_galaxy"])
def test_what_any_refusal_offers_can_be_had(device: str) -> None:
    words = {spec.model for spec in built_in().specs} | set(TASKS) | {"llama", "qwen", "flux"}
    refused = 0
    for word in sorted(words):
        try:
            found = asked(word, device, unattended=True)
        except TtctlError as error:
            refused += 1
            follow(error.next_step)
        else:
            for offer in found.offers:
                follow(offer.command)
    assert refused


@settings(max_examples=150, deadline=None)
@given(word=st.text(max_size=60), device=st.sampled_from(["n150", "cpu", ""]), bold=st.booleans())
@example(word="\udcff", device="n150", bold=True)
@example(word="", device="n150", bold=True)
@example(word="/", device="n150", bold=True)
def test_any_text_finds_an_entry_or_is_refused(*, word: str, device: str, bold: bool) -> None:
    def answer() -> str:
        try:
            found = asked(word, device, *SPECS, guesses=bold, experimental=bold)
        except TtctlError as error:
            return f"{error.message}{error.next_step}"
        return f"{found.spec.model} on {device}: {found.deciding}"

    assert answer() == answer() != ""


def test_an_entry_whose_status_is_not_understood_is_not_called_validated() -> None:
    line = "status 'PERFECT' was not understood: taken as EXPERIMENTAL"
    found = asked("acme/A", "n150", entry("acme/A", "n150", status="EXPERIMENTAL", suspect=(line,)))
    said = " ".join((*found.reasons, *found.warnings))
    assert "validated on" not in said
    assert "upstream's status" not in said
    assert f"suspect value: {line}" in found.warnings


@pytest.mark.parametrize("word", ["llama3", "lama3", "Llama31"])
def test_a_number_that_is_written_to_a_name_is_its_generation(word: str) -> None:
    near = nearest(built_in().specs, word)
    assert near
    assert all(name.rpartition("/")[2].startswith("Llama-3") for name, _ in near)


def test_what_is_far_less_alike_than_the_likest_is_not_named() -> None:
    assert {name.partition("_")[0] for name, _ in nearest(built_in().specs, "yolo")} == {"yolox"}


def test_a_fragment_that_is_too_short_to_be_like_a_name_is_found_in_some() -> None:
    with pytest.raises(UsageError) as caught:
        asked("8b", "n150")
    assert "It is found in" in caught.value.evidence
    assert "8B" in caught.value.evidence
    assert caught.value.next_step == "ttctl models search 8b"


def test_what_stands_in_is_what_the_family_would_give_and_is_not_called_here() -> None:
    with pytest.raises(NothingFitsError) as caught:
        asked("whisper", "p150x4", place=Place(devices=("cpu",)))
    assert caught.value.next_step == "ttctl plan openai/whisper-large-v3 --device p150"
    assert "works here" not in caught.value.evidence
    assert "works there: openai/whisper-large-v3 on p150" in caught.value.evidence


@pytest.mark.parametrize(("word", "near"), [("zit", "Z-Image-Turbo"), ("qi", "Qwen-Image")])
def test_initials_name_what_they_may_mean_and_are_not_taken_for_it(word: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(word, "n150", guesses=True)
    assert near in caught.value.evidence
