# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the process of the deploy user answers is data of that user, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._deployment import look
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.layer import Layer, to_data

RELEASES: dict[str, Any] = {"releases_dir": "/srv/app.releases", "releases": [{"id": "0001-a"}]}
SAID = Layer("env_file", reasons=("keys PASSWORD",), diff=({"before": "drifted", "after": ""},))


def answered(monkeypatch: pytest.MonkeyPatch, answer: Any) -> tuple[Any, list[Layer]]:
    monkeypatch.setattr(look, "find_account", lambda _user: None)
    monkeypatch.setattr(look, "call_as", lambda *_asked, **_options: json.loads(json.dumps(answer)))
    layers = [Layer("proxy", reasons=("drifted",))]
    return look._ask("deploy", lambda: None, 0.0, layers, meanwhile=lambda: None), layers


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="list"),
        pytest.param({"layers": 1}, id="layers"),
        pytest.param({"layers": [], "release": []}, id="release"),
        pytest.param({"layers": [], "server": "x"}, id="server"),
        pytest.param({"layers": [], "secrets": 1}, id="secrets"),
        pytest.param({"layers": [], "release": {"releases_dir": 1, "releases": []}}, id="directory"),
        pytest.param({"layers": [], "release": {**RELEASES, "releases": 5}}, id="number of releases"),
        pytest.param({"layers": [], "release": {**RELEASES, "releases": [{"id": 1}]}}, id="names"),
        pytest.param({"layers": [{"name": "nonsense"}]}, id="name of a layer"),
    ],
)
def test_an_answer_of_another_form_is_no_knowledge(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    found, layers = answered(monkeypatch, answer)
    assert found == {}
    assert [(layer.name, layer.state) for layer in layers] == [("proxy", "drifted"), ("release", "unknown")]


def test_secrets_of_the_deploy_user_hide_neither_states_nor_what_root_has_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = ["drifted", "PASSWORD", "env_file", "proxy", ""]
    _found, layers = answered(monkeypatch, {"layers": to_data([SAID]), "release": RELEASES, "secrets": secrets})
    assert layers == [
        Layer("proxy", reasons=("drifted",)),
        Layer("env_file", reasons=("keys ********",), diff=({"before": "********", "after": ""},)),
    ]


def test_a_fault_in_a_comparison_of_root_is_not_taken_for_an_answer_of_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call(*_asked: Any, meanwhile: Callable[[], None], **_options: Any) -> Any:
        meanwhile()

    def compare() -> None:
        raise ValueError("no such directive")

    monkeypatch.setattr(look, "find_account", lambda _user: None)
    monkeypatch.setattr(look, "call_as", call)
    with pytest.raises(ValueError, match="no such directive"):
        look._ask("deploy", lambda: None, 0.0, [], meanwhile=compare)
