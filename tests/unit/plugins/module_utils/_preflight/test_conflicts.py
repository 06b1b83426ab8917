"""What a manual deployment has on the host that a deployment would replace."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.name_length import LongName
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.conflicts import (
    NameClaim,
    UncommittedFiles,
    by_kind,
    judge_checkout,
    judge_merge,
    judge_name_lengths,
    judge_names,
    judge_processes,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.listeners import PortHolder
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import GOOD

CLAIM = NameClaim("api.example.com", 80, "/etc/nginx/sites-enabled/codeframe-api:5")
SHARED = NameClaim(
    "api.example.com", 80, "/etc/nginx/conf.d/all.conf:9", "it also answers for x.example.com on port 80"
)
NAMES = ["app-backend", "app-backend-green", "app-frontend"]
PORTS = {"staging_backend_port": 14200, "staging_frontend_port": 14100}
DIRTY = UncommittedFiles(("uv.lock",), ("package.json", "package-lock.json"), ("app.py",))


@pytest.fixture(params=[True, "true"])
def taking_over(request: pytest.FixtureRequest) -> DeploymentInputs:
    """As an inventory sets it, and as the command line does."""
    return DeploymentInputs({**GOOD, "staging_take_over": request.param})


def test_another_file_that_answers_for_a_name_is_named_with_its_line(good: DeploymentInputs) -> None:
    (found,) = judge_names(good, [CLAIM])
    assert (found.name, found.level) == ("nginx-name-claimed", "error")
    assert found.sentence == (
        "staging_take_over is false by default, but /etc/nginx/sites-enabled/codeframe-api:5 answers for "
        "api.example.com on port 80; expected no other file of nginx that answers for it; set staging_take_over: true, "
        "which keeps that file aside until a rollback or a removal restores it, or remove the name there"
    )


def test_a_name_that_is_too_long_for_nginx_is_named_with_the_directive(good: DeploymentInputs) -> None:
    (found,) = judge_name_lengths(good, [LongName("a" * 47, 46, 64, None, 128)])
    assert (found.name, found.level) == ("nginx-name-length", "error")
    assert found.sentence == (
        f'staging_proxy_provider is "nginx" by default, but {"a" * 47} has 47 characters, and nginx takes at most 46 '
        "with server_names_hash_bucket_size 64, the default; expected a host name of at most 46 characters; set "
        "server_names_hash_bucket_size 128 in the http block of nginx.conf, or choose a shorter name"
    )


def test_a_take_over_resolves_it_unless_the_file_serves_others(taking_over: DeploymentInputs) -> None:
    (found,) = judge_names(taking_over, [CLAIM, SHARED])
    assert found.name == "nginx-name-shared"
    assert (
        "/etc/nginx/conf.d/all.conf:9 answers for api.example.com on port 80 and cannot be taken over, because it also "
        "answers for x.example.com on port 80; expected a file that answers for names of this deployment alone; "
        "remove the name there, or move what else is in that file to another one"
    ) in found.sentence


@pytest.mark.parametrize(
    ("port", "variables"),
    [
        (14200, "staging_backend_process_name"),
        (14100, "staging_frontend_process_name"),
    ],
)
def test_a_process_of_another_name_in_the_project_is_found(good: DeploymentInputs, port: int, variables: str) -> None:
    holder = PortHolder(port, 4711, "python3", "/srv/app", managed=True, pm2_name="my-api", user="deploy")
    (found,) = judge_processes(good, PORTS, NAMES, [holder], "deploy")
    assert (found.name, found.level) == ("pm2-other-name", "error")
    assert found.sentence == (
        f"staging_take_over is false by default, but the pm2 process my-api of deploy listens on port {port}; expected "
        "one of the names app-backend, app-backend-green, app-frontend; set staging_take_over: true, which replaces "
        f"that process, or write its name into {variables}"
    )


def test_a_take_over_replaces_it(taking_over: DeploymentInputs) -> None:
    holder = PortHolder(14200, 4711, "python3", "/srv/app", managed=True, pm2_name="my-api", user="deploy")
    assert judge_processes(taking_over, PORTS, NAMES, [holder], "deploy") == []


def test_a_process_in_another_users_pm2_is_not_taken_over(taking_over: DeploymentInputs) -> None:
    holder = PortHolder(14200, 4711, "python3", "/srv/app", managed=True, pm2_name="app-backend", user="root")
    (found,) = judge_processes(taking_over, PORTS, NAMES, [holder], "deploy")
    assert (found.name, found.level) == ("pm2-of-another-user", "error")
    assert (
        "but the pm2 process app-backend of root listens on port 14200; expected a port that no other user's pm2 has; "
        "run sudo -iu root pm2 delete app-backend (and pm2 save as that user), or set staging_user: root, or write "
        "another port into staging_backend_port"
    ) in found.sentence


@pytest.mark.parametrize(
    "holder",
    [
        pytest.param(
            PortHolder(14200, 1, "node", "/srv/app", managed=True, pm2_name="app-backend", user="deploy"), id="our name"
        ),
        pytest.param(PortHolder(14200, 1, "node", "/srv/app", managed=True, user="deploy"), id="not in pm2"),
        pytest.param(PortHolder(14200, 1, "node", "/else", pm2_name="x", user="deploy"), id="another application"),
        pytest.param(
            PortHolder(80, 1, "node", "/srv/app", managed=True, pm2_name="x", user="deploy"), id="another port"
        ),
    ],
)
def test_other_processes_are_no_conflict(good: DeploymentInputs, holder: PortHolder) -> None:
    assert judge_processes(good, PORTS, NAMES, [holder], "deploy") == []


def test_uncommitted_files_are_sorted_by_kind() -> None:
    changes = [(" M", "uv.lock"), ("??", "web-ui/package-lock.json"), ("MM", "web-ui/yarn.lock"), (" D", "app.py")]
    assert by_kind(changes) == UncommittedFiles(
        ("uv.lock", "web-ui/yarn.lock"), ("web-ui/package-lock.json",), ("app.py",)
    )


def test_each_kind_of_uncommitted_work_is_named_with_what_resolves_it(good: DeploymentInputs) -> None:
    found = judge_checkout(good, "/srv/app", DIRTY)
    assert [item.name for item in found] == ["checkout-lock-files", "checkout-untracked", "checkout-edits"]
    assert [item.sentence for item in found] == [
        "staging_take_over is false by default, but in /srv/app, a tool has rewritten uv.lock; expected lock files as "
        "they were committed; restore them (git -C /srv/app checkout -- uv.lock), or set staging_take_over: true, "
        "which keeps them in the first release",
        "staging_take_over is false by default, but /srv/app has files that are in no commit (package.json, "
        "package-lock.json); expected a checkout without untracked files; add data among them to staging_shared_paths "
        "and what may be lost to staging_leave_behind, delete what is not needed, or set staging_take_over: true, "
        "which keeps them in the first release",
        "staging_take_over is false by default, but in /srv/app, files were edited (app.py); expected edits that are "
        "committed, because the deployed source does not contain them; commit and push them, or set "
        "staging_take_over: true, which keeps them in the first release",
    ]


def test_a_take_over_keeps_uncommitted_work(taking_over: DeploymentInputs) -> None:
    assert judge_checkout(taking_over, "/srv/app", DIRTY) == []


def test_a_long_list_of_files_is_cut_and_a_name_cannot_break_the_message(good: DeploymentInputs) -> None:
    (found,) = judge_checkout(good, "/srv/app", UncommittedFiles(edited=("a\nb", *(f"{n}.py" for n in range(7)))))
    assert "files were edited ('a\\nb', 0.py, 1.py, 2.py, 3.py and 3 more)" in found.sentence


def test_a_clean_checkout_is_no_conflict(good: DeploymentInputs) -> None:
    assert judge_checkout(good, "/srv/app", UncommittedFiles()) == []


def test_a_process_at_the_socket_is_judged_like_one_at_a_port(good: DeploymentInputs) -> None:
    places = {"staging_backend_socket": "/srv/app.sock"}
    holder = PortHolder("/srv/app.sock", 1, "python3", "/srv/app", managed=True, pm2_name="my-api", user="deploy")
    (found,) = judge_processes(good, places, NAMES, [holder], "deploy")
    assert "the pm2 process my-api of deploy listens on the socket /srv/app.sock" in found.sentence
    assert found.sentence.endswith("or write its name into staging_backend_process_name")
    (found,) = judge_processes(good, places, NAMES, [holder], "other")
    assert "expected a socket that no other user's pm2 has" in found.sentence
    assert found.sentence.endswith("or write another socket into staging_backend_socket")


def test_a_merge_that_stopped_is_refused_with_its_files_and_the_commands(good: DeploymentInputs) -> None:
    (found,) = judge_merge(good, "/srv/app", ["uv.lock", "web-ui/page.tsx"])
    assert (found.name, found.level) == ("checkout-conflicts", "error")
    assert found.sentence == (
        'staging_project_dir is "/home/deploy/projects/app", but a merge in /srv/app has left conflicts in uv.lock, '
        "web-ui/page.tsx; expected files without conflict markers; correct them and commit, or go back to the "
        "commit before the merge (git -C /srv/app merge --abort, or git -C /srv/app rebase --abort)"
    )


def test_without_conflicts_no_merge_is_judged(good: DeploymentInputs) -> None:
    assert judge_merge(good, "/srv/app", []) == []
