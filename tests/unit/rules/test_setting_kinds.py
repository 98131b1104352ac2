# SPDX-License-Identifier: Apache-2.0
"""Does each kind of setting take what it should, and refuse the rest with what is allowed?"""

from __future__ import annotations

from typing import get_args

import pytest

from ttctl.model.device import DEVICE_NAMES
from ttctl.model.plan import PullPolicy
from ttctl.model.settings import SETTINGS
from ttctl.rules.images import REFERENCE
from ttctl.rules.recipe import UIDS
from ttctl.rules.resolve import BLOCK_SIZES, LARGEST_MODEL_LEN, LARGEST_NUM_SEQS
from ttctl.rules.setting_kinds import (
    UnfitError,
    allowed_text,
    anchored,
    for_file,
    from_text,
    from_toml,
    parts,
    written_as,
)
from ttctl.rules.stack import NAME

GOOD = [
    ("up.model", "HuggingFaceTB/SmolLM2-360M-Instruct", "HuggingFaceTB/SmolLM2-360M-Instruct"),
    ("up.name", "my-stack", "my-stack"),
    ("up.device", "n150", "n150"),
    ("up.device", "N150", "n150"),
    ("up.device", "p150X4", "p150x4"),
    ("up.device", " P300x2 ", "p300x2"),
    ("up.device", "TG", "galaxy"),
    ("up.device", "BH-Galaxy", "blackhole_galaxy"),
    ("up.device", "T3K", "t3k"),
    ("up.device", "(8,8)", "dual_galaxy"),
    ("up.port", " 8001 ", 8001),
    ("up.block_size", "32", 32),
    ("up.image_uid", "15863", 15863),
    ("up.pull", "never", "never"),
    ("up.boot_reset", "true", True),
    ("up.lock_timeout", "1.5", 1.5),
    ("chat.temperature", "2", 2.0),
    ("chat.system", "Say it\nin verse.", "Say it\nin verse."),
    ("site.offline", "On", True),
    ("site.offline", "no", False),
    ("site.https_proxy", "proxy:3128", "proxy:3128"),
    ("site.https_proxy", "http://me:a/b@c@proxy:3128", "http://me:a/b@c@proxy:3128"),
    ("site.https_proxy", "socks5h://[::1]:1080/", "socks5h://[::1]:1080/"),
    (
        "site.no_proxy",
        "*, localhost,10.0.0.0/8, .example.org,[::1]",
        "*, localhost,10.0.0.0/8, .example.org,[::1]",
    ),
    ("site.pip_trusted_hosts", "a.example.org b:8080", "a.example.org b:8080"),
    (
        "site.apt_sources",
        "deb [trusted=yes arch=amd64] https://me:x@h/debian bookworm main\n# why\ndeb file:/d ./",
        "deb [trusted=yes arch=amd64] https://me:x@h/debian bookworm main\n# why\ndeb file:/d ./",
    ),
    (
        "site.git_mirror",
        "https://me:x@m/ https://h.example.org/=https://m/",
        "https://me:x@m/ https://h.example.org/=https://m/",
    ),
    ("site.registry", "[::1]:5000/mirror", "[::1]:5000/mirror"),
    ("site.registry", "r.example.org", "r.example.org"),
    ("site.base_image", "a/b:1@sha256:" + "0" * 64, "a/b:1@sha256:" + "0" * 64),
    ("site.wheelhouses", "/a:/b", "/a:/b"),
    ("site.pip_extra_index_urls", "https://a/x  file:///b", "https://a/x  file:///b"),
]


@pytest.mark.parametrize(("key", "text", "value"), GOOD)
def test_a_text_becomes_a_value(key: str, text: str, value: object) -> None:
    found = from_text(SETTINGS[key], text)
    assert found == value
    assert type(found) is type(value)


BAD = [
    ("up.model", "-x", "a model's name"),
    ("up.name", "My_Stack", "lower-case letters"),
    ("up.device", "n15", "one of cpu, n150"),
    ("up.device", "(2, 4)", "or what MESH_DEVICE can hold, such as TG"),
    ("up.device", "E150", "one of cpu, n150"),
    ("up.port", "0", "a whole number from 1 to 65535"),
    ("up.port", "65536", "a whole number from 1 to 65535"),
    ("up.port", "80.5", "a whole number"),
    ("up.port", "http", "a whole number"),
    ("up.max_model_len", "15", "from 16 to 1048576"),
    ("up.max_num_seqs", "1025", "from 1 to 1024"),
    ("up.image_uid", "999", "a whole number from 1000 to 59999"),
    ("up.block_size", "48", "one of 16, 32, 64, 128"),
    ("up.block_size", "big", "one of 16, 32, 64, 128"),
    ("up.pull", "sometimes", "one of always, missing, never"),
    ("up.lock_timeout", "-1", "a number from 0"),
    ("up.lock_timeout", "nan", "a number from 0"),
    ("up.lock_timeout", "inf", "a number from 0"),
    ("up.wait_timeout", "0", "from 1 to 86400"),
    ("output.color", "yes", "one of auto, always, never"),
    ("chat.max_tokens", "0", "from 1"),
    ("chat.temperature", "2.1", "from 0 to 2"),
    ("chat.system", "a\0b", "a text"),
    ("chat.role", "a role", "a word"),
    ("site.offline", "maybe", "true or false"),
    ("site.https_proxy", "a b", "an address, or HOST:PORT"),
    ("site.https_proxy", "/proxy", "an address, or HOST:PORT"),
    ("site.http_proxy", "garb?", "an address, or HOST:PORT"),
    ("site.no_proxy", "https://h/x", "hosts, domains or networks"),
    ("site.pip_trusted_hosts", "http://h", "HOST or HOST:PORT"),
    ("site.apt_sources", "garb?", "deb https://MIRROR/debian bookworm main"),
    ("site.apt_sources", "deb http://u:pa ss@h/debian bookworm main", "deb https://"),
    ("site.git_mirror", "garb?", "https://MIRROR/"),
    ("site.git_mirror", "https://u:pa ss@h/", "https://MIRROR/"),
    ("site.base_image", "https://h/x", "[HOST/]NAME"),
    ("site.ca_bundle", "a\nb", "the path of a file"),
    ("up.tls", "a\nb", "generated, none, or the path of a certificate"),
    ("site.catalog", "a\nb", "a file, an address, a release such as 0.20.0, or built-in"),
    ("site.pip_index_url", "m.example.org/simple", "begins with https://"),
    ("site.pip_extra_index_urls", "https://a b", "begin with https://"),
    ("site.hub_endpoint", "ftp://hub", "begins with https://"),
    ("site.registry", "https://r.example.org", "HOST[:PORT][/PATH]"),
    ("site.engine_image", "a b", "[HOST/]NAME"),
]


@pytest.mark.parametrize(("key", "text", "allowed"), BAD)
def test_a_text_that_does_not_fit_is_refused_with_what_is_allowed(
    key: str, text: str, allowed: str
) -> None:
    with pytest.raises(UnfitError) as caught:
        from_text(SETTINGS[key], text)
    assert allowed in str(caught.value)
    assert str(caught.value) == allowed_text(SETTINGS[key])


def test_every_kind_has_a_text_that_is_refused() -> None:
    kinds = {SETTINGS[key].kind for key, _, _ in BAD}
    free = {"paths"}
    assert {setting.kind for setting in SETTINGS.values()} - kinds == free


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("up.port", 8001, 8001),
        ("up.lock_timeout", 3, 3.0),
        ("chat.temperature", 0.5, 0.5),
        ("site.offline", True, True),
        ("site.offline", "1", True),
        ("site.offline", "", ""),
        ("site.registry", "", ""),
        ("chat.system", "", ""),
        ("site.wheelhouses", ["/a", "/b"], "/a\n/b"),
        ("site.wheelhouses", [], ""),
        ("site.pip_trusted_hosts", "a b", "a b"),
    ],
)
def test_a_value_of_a_file_keeps_its_type(key: str, value: object, expected: object) -> None:
    found = from_toml(SETTINGS[key], value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("up.port", "8001"),
        ("up.port", True),
        ("up.port", 80.5),
        ("up.port", [8001]),
        ("up.block_size", 48),
        ("up.block_size", 32.0),
        ("up.model", 5),
        ("up.model", ""),
        ("up.model", ["llama"]),
        ("output.color", False),
        ("site.offline", 1),
        ("site.registry", True),
        ("site.wheelhouses", ["/a", 5]),
        ("site.wheelhouses", ["/a", " "]),
        ("site.wheelhouses", {"a": 1}),
        ("chat.system", 5),
    ],
)
def test_a_value_of_another_type_is_refused(key: str, value: object) -> None:
    with pytest.raises(UnfitError):
        from_toml(SETTINGS[key], value)


def test_an_empty_text_says_nothing_save_where_it_is_a_value() -> None:
    said = {key for key, setting in SETTINGS.items() if from_text(setting, " ") is not None}
    assert said == {
        *(key for key in SETTINGS if key.startswith("site.")),
        "chat.system",
        "chat.role",
    }


def test_several_values_are_parted_as_the_site_parts_them() -> None:
    assert parts(SETTINGS["site.pip_trusted_hosts"], "a b\nc") == ["a", "b", "c"]
    assert parts(SETTINGS["site.wheelhouses"], "/a:/b") == ["/a", "/b"]
    assert parts(SETTINGS["site.wheelhouses"], "https://a:1/\n/b") == ["https://a:1/", "/b"]
    assert parts(SETTINGS["site.apt_sources"], "deb a b\n\ndeb c d") == ["deb a b", "deb c d"]


def test_a_path_of_a_file_starts_in_its_folder() -> None:
    bundle = SETTINGS["site.ca_bundle"]
    here = {"folder": "/etc/t", "home": "/h"}
    assert anchored(bundle, "ca.pem", **here) == "/etc/t/ca.pem"
    assert anchored(bundle, "/ca.pem", **here) == "/ca.pem"
    assert anchored(bundle, "~/ca.pem", **here) == "/h/ca.pem"
    assert anchored(bundle, "", **here) == ""
    assert anchored(SETTINGS["up.port"], 5, **here) == 5
    assert anchored(SETTINGS["site.registry"], "r", **here) == "r"


def test_what_was_typed_is_stored_whole_or_beside_the_projects_file() -> None:
    bundle, houses = SETTINGS["site.ca_bundle"], SETTINGS["site.wheelhouses"]
    assert for_file(bundle, "../ca.pem", folder="/w/a") == "/w/ca.pem"
    assert for_file(bundle, "ca.pem", folder="/w/a", beside="/w") == "a/ca.pem"
    assert for_file(bundle, "/else/ca.pem", folder="/w/a", beside="/w") == "/else/ca.pem"
    assert for_file(bundle, "", folder="/w") == ""
    assert for_file(houses, "a:~/b", folder="/w") == ("/w/a", "~/b")
    assert for_file(houses, "", folder="/w") == ()
    assert for_file(houses, "https://w.example.org/x", folder="/w") == ("https://w.example.org/x",)
    assert for_file(SETTINGS["up.port"], 5, folder="/w") == 5
    assert for_file(SETTINGS["site.pip_trusted_hosts"], "a b", folder="/w") == ("a", "b")


def test_the_registry_allows_what_the_rest_of_the_product_does() -> None:
    assert SETTINGS["up.block_size"].allowed == BLOCK_SIZES
    assert SETTINGS["up.image_uid"].allowed == (UIDS[0], UIDS[-1])
    assert SETTINGS["up.max_model_len"].allowed == (16, LARGEST_MODEL_LEN)
    assert SETTINGS["up.max_num_seqs"].allowed == (1, LARGEST_NUM_SEQS)
    assert SETTINGS["up.pull"].allowed == get_args(PullPolicy)
    for name in ("a", "a" * 48, "a" * 49, "A", "-a", "a_b"):
        fits = NAME.fullmatch(name) is not None
        try:
            assert (from_text(SETTINGS["up.name"], name) == name) is fits
        except UnfitError:
            assert not fits
    for name in ("a/b:1", "-a", "a b", "a" * 511, "a" * 512):
        fits = REFERENCE.fullmatch(name) is not None
        try:
            assert (from_text(SETTINGS["site.base_image"], name) == name) is fits
        except UnfitError:
            assert not fits
    for device in DEVICE_NAMES:
        assert from_text(SETTINGS["up.device"], device) == device


@pytest.mark.parametrize(
    ("word", "written"), [("TG", "TG"), ("N150", ""), ("(8, 8)", "(8, 8)"), (3, "")]
)
def test_a_device_is_told_as_it_was_written_where_it_has_another_name_here(
    word: object, written: str
) -> None:
    assert written_as(SETTINGS["up.device"], word) == written
    assert written_as(SETTINGS["up.model"], word) == ""


@pytest.mark.parametrize(
    ("value", "in_file", "typed"),
    [
        pytest.param("a.json", "/etc/ttctl/a.json", "/project/a.json", id="a file"),
        pytest.param("~/a.json", "/srv/me/a.json", "~/a.json", id="a file of the user's"),
        pytest.param("built-in", "built-in", "built-in", id="the shipped one"),
        pytest.param("0.19.0", "0.19.0", "0.19.0", id="a release"),
        pytest.param("./0.19.0", "/etc/ttctl/0.19.0", "/project/0.19.0", id="a file called so"),
        pytest.param("https://m.example.org/a", *["https://m.example.org/a"] * 2, id="an address"),
    ],
)
def test_a_catalog_in_a_file_is_a_path_only_where_it_names_one(
    value: str, in_file: str, typed: str
) -> None:
    setting = SETTINGS["site.catalog"]
    assert anchored(setting, value, folder="/etc/ttctl", home="/srv/me") == in_file
    assert for_file(setting, value, folder="/project") == typed
