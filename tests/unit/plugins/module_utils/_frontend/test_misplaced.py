"""What is told of a build that left nothing in its output directory."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.misplaced import (
    outputs_since,
    why_no_output,
)

AUTO = "Could not detect a supported production environment. See https://svelte.dev/docs/kit/adapters"


def make(base: Path, *names: str) -> None:
    for name in names:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("")


@pytest.mark.parametrize(
    "name", ["dist/index.html", "build/BUILD_ID", ".output/nitro.json", "dist/web/browser/index.html"]
)
def test_the_directory_that_was_written_is_found(tmp_path: Path, name: str) -> None:
    # Sources are no output, and neither are packages.
    make(tmp_path, "index.html", "apps/web/index.html", "apps/web/package.json", "public/index.html")
    make(tmp_path, "node_modules/a/index.html", name)
    assert outputs_since(str(tmp_path), time.time()) == [str(tmp_path / name.rpartition("/")[0])]


def test_what_an_earlier_build_wrote_does_not_count(tmp_path: Path) -> None:
    make(tmp_path, "dist/index.html")
    os.utime(tmp_path / "dist/index.html", (1, 1))
    assert outputs_since(str(tmp_path), time.time()) == []


def test_the_directory_is_named_as_the_variable_has_it() -> None:
    assert why_no_output({}, ["/app/dist"], "/app/web", "").endswith(
        "it wrote ../dist: set staging_frontend_output_dir to that directory"
    )


def test_what_the_build_said_is_quoted_without_colours() -> None:
    said = "vite v6\n\x1b[33mwarn: no entry found\x1b[0m\n\n✓ done\n"
    assert why_no_output({}, [], "/app/web", said).endswith("it said: warn: no entry found")
    assert why_no_output({}, [], "/app/web", "one\ntwo\n").endswith("it said: one / two")
    assert why_no_output({}, [], "/app/web", "").endswith("(staging_frontend_output_dir)?")


def test_an_adapter_that_makes_nothing_here_is_named() -> None:
    package = {"devDependencies": {"@sveltejs/kit": "2", "@sveltejs/adapter-auto": "6"}}
    told = why_no_output(
        package, ["/app/web/.svelte-kit/output"], "/app/web", f"> Using @sveltejs/adapter-auto\n{AUTO}\n"
    )
    assert "use @sveltejs/adapter-node, or @sveltejs/adapter-static" in told
    assert AUTO in told
    both = {"devDependencies": {**package["devDependencies"], "@sveltejs/adapter-node": "5"}}
    assert "adapter-node, or" not in why_no_output(both, [], "/app/web", "")
