# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.static_files import (
    Generation,
    PublicationPlan,
    StaticFilesError,
    from_json,
    plan_publication,
    to_json,
)

OLD = Generation("/r/1/static", {"chunks/a.js": "a1", "css/s.css": "s1"})
NEW = Generation("/r/2/static", {"chunks/b.js": "b1", "css/s.css": "s1"})
AGAIN = Generation("/r/1/static", {"chunks/c.js": "c1"})
OLD_FILES = {"chunks/a.js": "a1", "css/s.css": "s1"}
ALL_FILES = {**OLD_FILES, "chunks/b.js": "b1"}


def test_a_previous_unpublished_build_is_published_only_together_with_another() -> None:
    assert plan_publication((), NEW, {}, set(), [OLD]) == PublicationPlan(
        (OLD, NEW), ALL_FILES, (), (), ("3 files of another build",)
    )
    assert plan_publication((NEW,), NEW, NEW.files, {NEW.source}, [OLD]) == PublicationPlan((NEW,), {}, (), (), ())


@pytest.mark.parametrize(
    ("published", "wanted", "present", "existing", "expected"),
    [
        pytest.param(
            (),
            OLD,
            {},
            set(),
            PublicationPlan((OLD,), OLD_FILES, (), (), ("2 files of another build",)),
            id="nothing-published-yet",
        ),
        pytest.param((OLD,), OLD, OLD_FILES, {"/r/1/static"}, PublicationPlan((OLD,), {}, (), (), ()), id="no-change"),
        pytest.param(
            (OLD,),
            NEW,
            OLD_FILES,
            {"/r/1/static"},
            PublicationPlan((OLD, NEW), {"chunks/b.js": "b1"}, (), (), ("1 files of another build",)),
            id="the-files-of-the-previous-build-stay",
        ),
        pytest.param(
            (OLD, NEW),
            OLD,
            ALL_FILES,
            {"/r/1/static", "/r/2/static"},
            PublicationPlan((NEW, OLD), {}, (), (), ("another build, with published files",)),
            id="a-rollback-writes-nothing",
        ),
        pytest.param(
            (OLD, NEW),
            NEW,
            ALL_FILES,
            {"/r/2/static"},
            PublicationPlan((OLD, NEW), {}, (), (), ()),
            id="a-deleted-release-alone-changes-nothing",
        ),
        pytest.param(
            (OLD,),
            NEW,
            OLD_FILES,
            set(),
            PublicationPlan(
                (NEW,),
                {"chunks/b.js": "b1"},
                ("chunks/a.js",),
                (),
                ("1 files of another build", "1 files of deleted builds"),
            ),
            id="files-of-a-deleted-release-are-removed-with-the-next-build",
        ),
        pytest.param(
            (OLD,),
            OLD,
            {"chunks/a.js": "x", "mine.txt": "m"},
            {"/r/1/static"},
            PublicationPlan((OLD,), OLD_FILES, (), ("mine.txt",), ("edited: chunks/a.js", "missing: css/s.css")),
            id="edited-missing-and-unmanaged-files",
        ),
        pytest.param(
            (Generation("/r/1/static", {"x.js": "x"}), OLD),
            AGAIN,
            {"x.js": "x", **OLD_FILES},
            {"/r/1/static"},
            PublicationPlan(
                (OLD, AGAIN),
                {"chunks/c.js": "c1"},
                ("x.js",),
                (),
                ("1 files of another build", "1 files of deleted builds"),
            ),
            id="a-directory-built-again-keeps-one-previous-build",
        ),
        pytest.param(
            (Generation("/r/1/static", {"id/m.js": "one"}),),
            Generation("/r/2/static", {"id/m.js": "two"}),
            {"id/m.js": "one"},
            {"/r/1/static"},
            PublicationPlan(
                (Generation("/r/1/static", {"id/m.js": "one"}), Generation("/r/2/static", {"id/m.js": "two"})),
                {"id/m.js": "two"},
                (),
                (),
                ("another build, with published files",),
            ),
            id="of-two-contents-of-one-path-the-active-one-counts",
        ),
    ],
)
def test_the_plan_compares_what_is_published_with_what_should_be(published, wanted, present, existing, expected):
    assert plan_publication(published, wanted, present, existing) == expected


def test_a_manifest_survives_writing_and_reading():
    assert from_json(to_json((OLD, NEW), "a/b")) == ("a/b", (OLD, NEW))


@pytest.mark.parametrize("document", [[], {}, {"version": 2, "generations": []}, {"version": 1, "generations": [{}]}])
def test_another_document_is_refused(document):
    with pytest.raises(StaticFilesError):
        from_json(document)
