# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""release with the state ``removed``: what deployments have made is deleted, and data stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from release_site import SOURCE, Site, write

ENV = ".env.staging"


@pytest.fixture
def site(tmp_path, run_module):
    return Site(tmp_path, run_module)


def tree(root: Path) -> dict[str, str]:
    """All files and links below a directory."""
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def deployed(site: Site) -> None:
    """Two releases with data, an env file, a virtual environment and generated secrets."""
    site.deploy(SOURCE)
    write(site.project, {ENV: "KEY=mine\n", "data/app.db": "rows\n"})
    site.deploy({**SOURCE, "backend/main.py": "2\n"})
    write(site.releases, {"venvs/0123/bin/python": "x", "generated.env": "S=1\n"})


def test_data_and_keys_stay_and_all_else_is_deleted(site):
    deployed(site)
    first, second = (each["id"] for each in site.info()["releases"])
    before = tree(site.home)
    predicted = site.ok("removed", check=True)
    assert tree(site.home) == before
    result = site.ok("removed")
    assert (predicted["changed"], predicted["reasons"]) == (True, result["reasons"])
    assert tree(site.releases) == {
        "generated.env": "S=1\n",
        f"kept/{ENV}": "KEY=mine\n",
        "shared/data/app.db": "rows\n",
    }
    assert not os.path.lexists(site.project)
    assert result["remaining"] == [str(site.releases / name) for name in ("shared/data", "kept", "generated.env")]
    assert any(first in reason and second in reason for reason in result["reasons"])
    again = site.ok("removed")
    assert (again["changed"], again["reasons"], again["remaining"]) == (False, [], result["remaining"])
    assert not site.ok("removed", check=True)["changed"]


def test_without_data_nothing_is_left(site):
    site.deploy(SOURCE, shared_paths=[])
    assert site.ok("removed")["remaining"] == []
    assert sorted(site.home.iterdir()) == []
    assert not site.ok("removed")["changed"]


def test_what_the_application_has_written_outside_of_the_shared_paths_stays(site):
    deployed(site)
    write(site.project, {"backend/found.db": "rows\n"})
    active = site.info()["active"]
    result = site.ok("removed")
    assert result["kept_for_data"] == {active: ["backend/found.db"]}
    assert (site.releases / active / "backend/found.db").read_text() == "rows\n"
    assert str(site.releases / active) in result["remaining"]
    assert not os.path.lexists(site.project)
    assert not site.ok("removed")["changed"]


def test_a_directory_that_was_taken_over_is_the_project_again(site):
    write(site.project, {**SOURCE, ENV: "KEY=old\n", "data/app.db": "rows\n", "notes": "x"})
    site.deploy({**SOURCE, "backend/main.py": "1\n"}, exclude=["notes"])
    write(site.project, {"data/app.db": "more rows\n"})
    taken = next(each["id"] for each in site.info()["releases"] if each["taken_over"])
    assert site.info()["active"] != taken
    result = site.ok("removed")
    assert site.project.resolve() == site.releases / taken
    assert (site.project / "data/app.db").read_text() == "more rows\n"
    assert (site.project / ENV).read_text() == "KEY=old\n"
    assert (result["active"], result["committed"]) == (taken, None)
    assert [each["id"] for each in result["releases"]] == [taken]
    assert not site.ok("removed")["changed"]
    # And it can be deployed again.
    site.deploy({**SOURCE, "backend/main.py": "2\n"}, exclude=["notes"])
    assert (site.project / "data/app.db").read_text() == "more rows\n"


def test_the_checkout_of_a_source_in_place_stays_active(site):
    write(site.project, {**SOURCE, ENV: "A=1\n"})
    for content in ("1\n", "2\n"):
        write(site.project, {"backend/main.py": content})
        site.ok("prepared", source_type="in_place", env_files=[ENV], shared_paths=["data"])
        site.ok("candidate")
        site.ok("activated")
        site.ok("committed")
    active = site.info()["active"]
    site.ok("removed")
    assert site.project.resolve() == site.releases / active
    assert (site.project / "backend/main.py").read_text() == "2\n"
    assert not site.ok("removed")["changed"]


def test_a_release_in_which_a_process_runs_is_not_deleted(site):
    deployed(site)
    before = tree(site.home)
    process = subprocess.Popen(["sleep", "60"], cwd=site.project)
    try:
        predicted, result = site.ok("removed", check=True), site.call("removed")
    finally:
        process.kill()
        process.wait()
    assert predicted["changed"], "a prediction is made before processes are stopped"
    assert result["failed"]
    assert result["msg"] == (
        f"a process still runs in release {site.info()['active']}; stop it, and remove the deployment again; nothing "
        "was deleted"
    )
    assert tree(site.home) == before


def test_a_manual_deployment_is_not_touched(site):
    write(site.project, SOURCE)
    result = site.call("removed")
    assert result["failed"]
    assert "was deployed manually" in result["msg"]
    assert tree(site.project) == dict(sorted(SOURCE.items()))


def test_a_host_without_the_project_needs_no_change(site):
    assert site.ok("removed")["remaining"] == []
    assert not site.ok("removed", check=True)["changed"]


def test_a_link_that_leads_elsewhere_stays(site, tmp_path):
    (tmp_path / "other").mkdir()
    site.project.symlink_to(tmp_path / "other")
    site.call("removed")
    assert site.project.is_symlink()
    assert (tmp_path / "other").is_dir()


def test_a_link_in_the_place_of_a_release_is_not_followed(site, tmp_path):
    """Whoever runs the module has the rights of the deploy user alone, and yet nothing outside is deleted."""
    deployed(site)
    write(tmp_path / "outside", {"file": "x"})
    (site.releases / "venvs/link").symlink_to(tmp_path / "outside")
    (site.project / "backend/link").symlink_to(tmp_path / "outside")
    site.ok("removed")
    assert tree(tmp_path / "outside") == {"file": "x"}
