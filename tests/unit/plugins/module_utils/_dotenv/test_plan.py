"""What has to happen to an env file, decided from texts alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.document import ParseError
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.options import EnvFileOptions
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.plan import (
    EXAMPLE_HEADER,
    GENERATED_HEADER,
    FilePlan,
    Refusal,
    RefusedKeysError,
    Texts,
    plan_file,
)
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.secret import Recipe

RECIPE = Recipe(20, "hex")


def planned(texts: Texts | None = None, *, with_example: bool = False, **request: Any) -> FilePlan:
    return plan_file(
        EnvFileOptions("/app/.env", **request),
        texts or Texts(),
        with_example=with_example,
        make=lambda recipe: f"made-{recipe.length}-{recipe.alphabet}",
    )


def refused(texts: Texts | None = None, **request: Any) -> list[Refusal]:
    with pytest.raises(RefusedKeysError) as caught:
        planned(texts, **request)
    return list(caught.value.refusals)


@pytest.mark.parametrize(
    ("texts", "text", "writes", "restores"),
    [
        pytest.param(Texts(), "# template\nA=1\n", True, False, id="a new file starts with the content"),
        pytest.param(Texts(live="B=2\n"), "B=2\nA=1\n", True, False, id="an existing file stays"),
        pytest.param(Texts(snapshot="C=3\nA=1\n"), "C=3\nA=1\n", True, True, id="a lost file is restored"),
        pytest.param(Texts(live="A=0\n", snapshot="A=1\n"), "A=1\n", True, True, id="a drifted file is restored"),
        pytest.param(Texts(live="A=0\n", snapshot="A=0\n"), "A=1\n", True, False, id="a new value"),
        pytest.param(Texts(live="", snapshot="A=1\n"), "A=1\n", True, True, id="an empty file exists"),
        pytest.param(Texts(live="A=1\n"), "A=1\n", False, False, id="nothing to do"),
        pytest.param(Texts(live="A=1\n", snapshot="A='open\n"), "A=1\n", False, False, id="a damaged snapshot"),
    ],
)
def test_the_text_starts_from_the_file_the_snapshot_or_the_content(
    texts: Texts, text: str, writes: bool, restores: bool
) -> None:
    plan = planned(texts, plain={"A": "1"}, content="# template\nA=\n")
    assert (plan.change.text, plan.writes, plan.restores) == (text, writes, restores)


@pytest.mark.parametrize(("snapshot", "restores"), [("A=1\n", True), ("A=1\nOLD=1\n", False)])
def test_a_snapshot_that_has_an_absent_key_is_not_what_is_restored(snapshot: str, restores: bool) -> None:
    plan = planned(Texts(live="A=0\nOLD=1\n", snapshot=snapshot), plain={"A": "1"}, absent=("OLD",))
    assert (plan.change.text, plan.restores) == ("A=1\n", restores)


def test_every_key_of_a_new_file_is_added() -> None:
    plan = planned(plain={"A": "1"}, content="B=\nA=\n")
    assert (plan.change.added, plan.change.changed) == (("B", "A"), ())


@pytest.mark.parametrize(
    ("texts", "given", "value", "new"),
    [
        pytest.param(Texts(), {}, "made-20-hex", True, id="nowhere yet"),
        pytest.param(Texts("S=live\n", "S=snap\n", "S=kept\n"), {}, "live", False, id="the file counts first"),
        pytest.param(Texts("S=changeme\n", "S=snap\n", "S=kept\n"), {}, "snap", False, id="then the snapshot"),
        pytest.param(Texts("A=1\n", "S=\n", "S=kept\n"), {}, "kept", False, id="then the file of generated secrets"),
        pytest.param(Texts("S=live\n"), {"S": ""}, "live", False, id="an empty given value is none"),
    ],
)
def test_a_secret_is_generated_only_if_no_file_has_one(
    texts: Texts, given: dict[str, str], value: str, new: bool
) -> None:
    plan = planned(texts, generate={"S": RECIPE}, secret=given)
    assert (plan.secrets, plan.new_secrets) == ({"S": value}, ("S",) if new else ())
    assert f"S={value}\n" in plan.change.text
    assert plan.generated == (f"{GENERATED_HEADER}S={value}\n" if new else None)


def test_a_damaged_file_of_generated_secrets_is_not_overwritten() -> None:
    with pytest.raises(ParseError):
        planned(Texts(generated="S='open\n"), generate={"S": RECIPE})


def test_a_given_value_is_not_generated() -> None:
    plan = planned(generate={"S": RECIPE}, secret={"S": "given"})
    assert (plan.secrets, plan.new_secrets, plan.generated) == ({}, (), None)


def test_new_secrets_join_those_of_earlier_runs() -> None:
    plan = planned(Texts(generated="OLD=1\n"), generate={"OLD": RECIPE, "NEW": RECIPE})
    assert plan.generated == "OLD=1\nNEW=made-20-hex\n"
    assert plan.change.text == "OLD=1\nNEW=made-20-hex\n"


def test_a_plan_is_represented_without_its_secrets() -> None:
    assert "made-20-hex" not in repr(planned(generate={"S": RECIPE}))


@pytest.mark.parametrize(
    ("request_", "texts", "expected"),
    [
        pytest.param(
            {"plain": {"A": "x\r"}}, Texts(), [Refusal("A", "contains a carriage return", ("bash",))], id="form"
        ),
        pytest.param(
            {"plain": {"UID": "1"}},
            Texts(),
            [Refusal("UID", "is a variable of bash itself, which a file cannot set", ("bash",))],
            id="name",
        ),
        pytest.param(
            {"plain": {"A": "changeme"}}, Texts(), [Refusal("A", "has a placeholder as its value")], id="placeholder"
        ),
        pytest.param({"required": ("A",)}, Texts("A=\n"), [Refusal("A", "is required but has no value")], id="missing"),
        pytest.param(
            {"required": ("A",)},
            Texts("A=xxxx\n"),
            [Refusal("A", "is required but has a placeholder as its value")],
            id="required placeholder",
        ),
    ],
)
def test_keys_that_cannot_be_written_or_have_no_value_are_refused(
    request_: dict[str, Any], texts: Texts, expected: list[Refusal]
) -> None:
    assert refused(texts, **request_) == expected


def test_all_refused_keys_are_named_in_one_sentence() -> None:
    with pytest.raises(RefusedKeysError) as caught:
        planned(plain={"A": "changeme", "B": "p$HOME"})
    assert str(caught.value) == (
        '/app/.env was not written: A has a placeholder as its value; B contains a "$" before a name, which next would '
        "read differently; give it another value, or leave out of staging_env_readers (readers) those that do not "
        "read this "
        "file"
    )


def test_a_placeholder_is_allowed_by_its_key() -> None:
    plan = planned(plain={"A": "changeme"}, placeholders=frozenset(("A",)), required=("A",))
    assert plan.change.text == "A=changeme\n"


@pytest.mark.parametrize(
    ("existing", "written"),
    [
        pytest.param(None, True, id="none yet"),
        pytest.param(f"{EXAMPLE_HEADER}OLD=\n", True, id="outdated"),
        pytest.param(f"{EXAMPLE_HEADER}# c\nB=\nA=\n", False, id="up to date"),
        pytest.param("# the source's own\n", False, id="one of the source"),
    ],
)
def test_an_example_lists_the_keys_without_values(existing: str | None, written: bool) -> None:
    texts = Texts(live="A=1\nB=2\n", example=existing)
    plan = planned(texts, with_example=True, secret={"A": "1"}, content="# c\nB=2\n")
    assert plan.example == (f"{EXAMPLE_HEADER}# c\nB=\nA=\n" if written else None)
    assert planned(texts, secret={"A": "1"}, content="# c\nB=2\n").example is None
