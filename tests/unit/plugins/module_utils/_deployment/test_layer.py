"""What a look tells of a layer."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.layer import (
    LAYERS,
    Layer,
    compared,
    from_data,
    in_order,
    to_data,
    unknown,
    without_secrets,
)


@pytest.mark.parametrize(
    ("layer", "state"),
    [
        (compared("proxy", {"changed": False, "reasons": ["not read"]}), "in_sync"),
        (compared("proxy", {"changed": True, "reasons": ["/etc/nginx/x does not exist"]}), "drifted"),
        (compared("proxy", {"changed": False}, ["nginx was not running or not enabled"]), "drifted"),
        (unknown("proxy", "nginx refuses the configuration"), "unknown"),
        (Layer("proxy", ("one thing differs",), ("another cannot be known",)), "drifted"),
    ],
)
def test_a_layer_has_drifted_is_unknown_or_is_in_sync(layer: Layer, state: str) -> None:
    assert layer.state == state
    assert layer.as_result()["state"] == state
    assert bool(layer.reasons) == (state == "drifted")


def test_reasons_are_told_once_and_a_diff_only_with_a_change() -> None:
    result = {"changed": True, "reasons": ["a", "b"], "diff": [{"before": "", "after": "x"}]}
    layer = compared("build", result, ["b", "c"], ["look here"])
    assert (layer.reasons, layer.diff, layer.warnings) == (("a", "b", "c"), tuple(result["diff"]), ("look here",))  # type: ignore[arg-type]
    assert compared("build", {**result, "changed": False}).diff == ()


def test_layers_are_told_in_the_order_of_a_deployment() -> None:
    names = ["proxy", "release", "runtime"]
    assert [layer.name for layer in in_order([Layer(name) for name in names])] == ["runtime", "release", "proxy"]
    assert len(set(LAYERS)) == 10


def test_layers_survive_the_way_between_two_processes() -> None:
    layers = [
        Layer("release", ("a",), ("b",), ({"before": "", "after": "c"},), ("d",)),
        Layer("build"),
        unknown("backend", "e", refused=True),
    ]
    as_json = [{**each, **{k: list(v) for k, v in each.items() if isinstance(v, tuple)}} for each in to_data(layers)]
    assert from_data(as_json) == layers


def test_a_layer_for_which_a_deployment_is_refused_says_so() -> None:
    refused = unknown("backend", "it belongs to token", refused=True)
    assert (refused.state, refused.as_result()["refused"]) == ("unknown", True)
    assert without_secrets(refused, ["token"]).refused
    assert not unknown("backend", "its source is new").as_result()["refused"]


GOOD: dict[str, Any] = {"name": "build", "reasons": [], "unknown": [], "warnings": [], "diff": []}


@pytest.mark.parametrize(
    "found",
    [
        None,
        "text",
        ["text"],
        [{}],
        [{**GOOD, "name": "ansible_facts"}],
        [{**GOOD, "reasons": "text"}],
        [{**GOOD, "reasons": [{"a": 1}]}],
        [{**GOOD, "unknown": None}],
        [{**GOOD, "warnings": [1]}],
        [{**GOOD, "diff": {}}],
        [{**GOOD, "diff": ["text"]}],
    ],
)
def test_what_is_no_layer_is_refused(found: Any) -> None:
    assert from_data([GOOD]) == [Layer("build")]
    with pytest.raises(ValueError, match="layer"):
        from_data(found)
