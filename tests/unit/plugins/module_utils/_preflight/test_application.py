"""Whether the source has what a deployment needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.frameworks import framework_of
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.application import (
    Application,
    Package,
    judge_application,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

COMPLETE = Package(problem="", has_lock=True)
BACKEND = 'staging_backend_dir is "." by default, but '
FRONTEND = 'staging_frontend_dir is "web-ui" by default, but '


@pytest.mark.parametrize(
    ("facts", "name", "sentence"),
    [
        pytest.param(
            {"page": Package(problem=None)},
            "package-json-missing",
            FRONTEND + "the source has no package.json there; expected the directory of the frontend; write the "
            "directory that has the package.json",
            id="no package.json",
        ),
        pytest.param(
            {"page": Package(problem="contains no object")},
            "package-json",
            FRONTEND + "its package.json contains no object; expected a JSON object; repair the file in the source",
            id="malformed",
        ),
        pytest.param(
            {"page": Package(problem="", has_lock=False, manager="there is no lock file; expected one")},
            "lock-file-missing",
            FRONTEND + "there is no lock file beside its package.json, nor at the root of a workspace with it, "
            "so each build may install other packages; "
            "expected a lock file; commit package-lock.json (npm install --package-lock-only)",
            id="no lock file",
        ),
        pytest.param(
            {"page": replace(COMPLETE, manager="package.json declares pnpm, but there is yarn.lock; correct it")},
            "package-manager",
            FRONTEND + "package.json declares pnpm, but there is yarn.lock; expected a package manager and its lock "
            "file; correct it",
            id="another package manager",
        ),
        pytest.param(
            {"page": replace(COMPLETE, missing_script="build")},
            "build-script-missing",
            FRONTEND + "its package.json has no script build; expected a script that builds the frontend; add it, or "
            "write the command that builds the frontend into staging_frontend_build_command",
            id="no build script",
        ),
        pytest.param(
            {"has_backend_dir": False, "packages": "not looked at"},
            "backend-dir-missing",
            BACKEND + "the source has no such directory; expected the directory of "
            "the backend; write its path inside the project",
            id="no backend",
        ),
        pytest.param(
            {"backend": Package(problem=None)},
            "package-json-missing",
            BACKEND + "the source has no package.json there; expected the directory of the backend; write the "
            "directory that has the package.json",
            id="a backend without package.json",
        ),
        pytest.param(
            {"backend": Package(problem="")},
            "lock-file-missing",
            BACKEND + "there is no lock file beside its package.json, nor at the root of a workspace with it, so each "
            "build may install other packages; expected a lock file; commit package-lock.json (npm install "
            "--package-lock-only)",
            id="a backend without a lock file",
        ),
        pytest.param(
            {"packages": "there is no requirements file requirements.txt in /src; it has uv.lock: set it"},
            "backend-packages",
            'staging_backend_install is "requirements" by default, but there is no requirements file requirements.txt '
            "in /src; expected what installs the backend; it has uv.lock: set it",
            id="no requirements",
        ),
    ],
)
def test_what_is_missing_is_an_error(good: DeploymentInputs, facts: dict[str, Any], name: str, sentence: str) -> None:
    (found,) = judge_application(good, Application(**{"page": COMPLETE, **facts}))
    assert (found.name, found.level, found.sentence) == (name, "error", sentence)


def test_the_command_of_a_build_is_named_where_the_user_set_it() -> None:
    inputs = DeploymentInputs({"staging_backend_build_command": ["npm", "run", "compile"]})
    backend = replace(COMPLETE, missing_script="compile")
    (found,) = judge_application(inputs, Application(COMPLETE, backend=backend))
    assert found.sentence == (
        'staging_backend_build_command is ["npm", "run", "compile"], but its package.json has no script compile; '
        "expected a script that builds the backend; add it, or write the command that builds the backend into "
        "staging_backend_build_command"
    )


def test_a_complete_source_has_no_finding(good: DeploymentInputs) -> None:
    assert judge_application(good, Application(COMPLETE)) == []
    assert judge_application(good, Application(COMPLETE, backend=COMPLETE)) == []


def _of(name: str) -> Application:
    return Application(COMPLETE, framework=framework_of({"dependencies": {name: "1", "@astrojs/node": "1"}}))


def test_the_directories_of_another_framework_must_be_set() -> None:
    output, static = judge_application(DeploymentInputs({}), _of("nuxt"))
    assert (output.level, output.sentence) == (
        "error",
        "staging_frontend_output_dir is not set, but the page is made with Nuxt; expected the directory of the build, "
        "which is .output by default; set staging_frontend_output_dir: .output",
    )
    assert (static.level, static.sentence) == (
        "error",
        "staging_frontend_static_dir is not set, but the page is made with Nuxt; expected where Nuxt has its static "
        "files, so that nginx serves them; set staging_frontend_static_dir: public/_nuxt and staging_static_url_path: "
        "/_nuxt/, or staging_static_publish: false",
    )


@pytest.mark.parametrize(
    ("framework", "given", "names"),
    [
        pytest.param("next", {}, [], id="Next.js"),
        pytest.param("jquery", {}, ["output-dir"], id="unknown"),
        pytest.param("jquery", {"staging_frontend_build_command": []}, [], id="unknown, without a build"),
        pytest.param("jquery", {"staging_frontend_output_dir": "dist"}, [], id="unknown, with its directory"),
        pytest.param("next", {"staging_frontend_serve": "static"}, ["output-dir"], id="whole page of Next.js"),
        pytest.param("@sveltejs/kit", {}, ["output-dir", "static-dir"], id="SvelteKit"),
        pytest.param("vite", {}, ["output-dir", "page-server"], id="nothing serves it"),
        pytest.param(
            "vite",
            {"staging_frontend_output_dir": "dist", "staging_frontend_command": ["server.js"]},
            ["static-dir"],
            id="a server of its own",
        ),
        pytest.param(
            "@angular/core",
            {"staging_frontend_output_dir": "dist/a/browser", "staging_ecosystem_file": "pm2.json"},
            [],
            id="an ecosystem file",
        ),
        pytest.param(
            "vite", {"staging_frontend_output_dir": "dist", "staging_frontend_serve": "static"}, [], id="whole page"
        ),
        pytest.param("vite", {"staging_frontend_serve": "static"}, ["output-dir"], id="whole page of nothing"),
        pytest.param(
            "astro",
            {"staging_frontend_output_dir": "dist", "staging_frontend_static_dir": "client/_astro"},
            ["static-dir"],
            id="no URL path",
        ),
        pytest.param(
            "astro",
            {
                "staging_frontend_output_dir": "dist",
                "staging_frontend_static_dir": "client/_astro",
                "staging_static_url_path": "/_astro/",
            },
            [],
            id="complete",
        ),
        *(
            pytest.param("nuxt", {"staging_frontend_output_dir": ".output", **given}, [], id=name)
            for name, given in (
                ("not published", {"staging_static_publish": False}),
                ("another proxy", {"staging_proxy_provider": "manual"}),
                ("page on its own port", {"staging_proxy_page": False}),
            )
        ),
    ],
)
def test_directories_that_need_not_be_set(framework: str, given: dict[str, Any], names: list[str]) -> None:
    assert [item.name for item in judge_application(DeploymentInputs(given), _of(framework))] == names


def test_the_directory_of_the_whole_page_is_named() -> None:
    (found,) = judge_application(DeploymentInputs({"staging_frontend_serve": "static"}), _of("@react-router/dev"))
    assert found.sentence.endswith("; set staging_frontend_output_dir: build/client")
    (found,) = judge_application(DeploymentInputs({"staging_frontend_serve": "static"}), _of("jquery"))
    assert found.sentence == (
        "staging_frontend_output_dir is not set, but its package.json does not name Next.js; expected the directory of "
        "the build, of which the default is that of Next.js; write the directory that the build makes"
    )


@pytest.mark.parametrize(
    "given", [{"staging_frontend_command": ["serve", "out"]}, {"staging_frontend_output_dir": "out"}, {}]
)
def test_a_static_export_has_no_server(given: dict[str, Any]) -> None:
    found = judge_application(DeploymentInputs(given), replace(_of("next"), exports=True))
    assert [item.sentence for item in found] == (
        []
        if given
        else [
            'staging_frontend_serve is "process" by default, but the page is made with Next.js with output: export, '
            "whose build has no server; expected a server for the page; set staging_frontend_serve: static, so that "
            "nginx serves it, or name a server in staging_frontend_command; then set staging_frontend_output_dir: out"
        ]
    )


def test_an_adapter_that_makes_nothing_is_found_before_the_build() -> None:
    framework = framework_of({"devDependencies": {"@sveltejs/kit": "2", "@sveltejs/adapter-auto": "6"}})
    inputs = DeploymentInputs({"staging_frontend_output_dir": "build"})
    (found,) = judge_application(inputs, Application(COMPLETE, framework=framework))
    assert (found.name, found.sentence) == (
        "page-server",
        'staging_frontend_serve is "process" by default, but the page has @sveltejs/adapter-auto, which makes nothing '
        "for a server of one's own; expected an adapter that makes pages or a server; use @sveltejs/adapter-node, or "
        "@sveltejs/adapter-static with staging_frontend_serve: static",
    )
