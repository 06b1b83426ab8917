from __future__ import annotations

from pathlib import Path

import pytest
from mutation import Survivor, is_pure, kept_on_purpose, pure_modules, sample, survivor

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("source", "pure"),
    [
        pytest.param("", True, id="empty"),
        pytest.param("import re\nfrom urllib.parse import urlsplit\n", True, id="text"),
        pytest.param("from .plan import Plan\n", True, id="relative"),
        pytest.param("import os\nos.path.join('a', 'b')\n", True, id="lexical-path"),
        pytest.param("import os.path\nos.path.join('a', 'b')\n", True, id="module-of-paths"),
        pytest.param("from pathlib import PurePosixPath\n", True, id="pure-path"),
        pytest.param("import os\nos.path.join(os.getcwd(), 'b')\n", False, id="machine-beside-lexical-path"),
        pytest.param("import os\n", False, id="machine"),
        pytest.param("from os import stat\n", False, id="part-of-the-machine"),
        pytest.param("from pathlib import Path\n", False, id="path"),
        pytest.param("import time\n", False, id="clock"),
        pytest.param("from urllib.request import urlopen\n", False, id="network"),
        pytest.param("import http.client\n", False, id="network-in-a-package"),
        pytest.param("from ansible.module_utils.basic import AnsibleModule\n", False, id="ansible"),
    ],
)
def test_code_is_pure_if_it_imports_nothing_that_reads_the_machine(source: str, pure: bool) -> None:
    assert is_pure(source) is pure


def test_the_plans_of_the_collection_are_found_by_what_they_import() -> None:
    found = {str(path) for path in pure_modules(ROOT)}
    assert {f"plugins/module_utils/{name}/plan.py" for name in ("_pm2", "_proxy_manager", "_release")} <= found
    assert "plugins/module_utils/_host/command.py" not in found


def test_a_sample_depends_on_the_seed_and_survives_other_mutants() -> None:
    names = [f"mutant-{number}" for number in range(1000)]
    chosen = sample(names, "1", 100)
    assert len(chosen) == 100
    assert sample(reversed(names), "1", 100) == chosen
    assert sample(names, "2", 100) != chosen
    fewer = [name for name in names if name not in chosen[:5]]
    assert sample(fewer, "1", 95) == chosen[5:]
    assert sample(names[:3], "1", 100) == sample(names[:3], "1", 3)


DIFF = """\
# a.b.x_f__mutmut_1: survived
--- ansible_collections/codeframe/staging/plugins/module_utils/_pm2/plan.py
+++ ansible_collections/codeframe/staging/plugins/module_utils/_pm2/plan.py
@@ -1,3 +1,3 @@
 def f(a):
-    return a <= 1
+    return a < 1
"""


@pytest.mark.parametrize(
    ("name", "function"),
    [("a.plan.x_f__mutmut_1", "f"), ("a.plan.xǁClassǁmethod__mutmut_12", "Class.method")],
    ids=["function", "method"],
)
def test_a_survivor_is_named_by_file_function_and_lines(name: str, function: str) -> None:
    found = survivor(name, DIFF)
    assert found == Survivor("plugins/module_utils/_pm2/plan.py", function, "return a <= 1", "return a < 1")
    assert str(found) == f"plugins/module_utils/_pm2/plan.py, {function}:\n  - return a <= 1\n  + return a < 1"


ENTRY = "- {file: plan.py, function: f, source: return a, mutant: return b"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{ENTRY}}}\n", id="without-a-reason"),
        pytest.param(f"{ENTRY.replace('return a', 'return c')}, reason: equal}}\n", id="whose-source-is-gone"),
        pytest.param(f"{ENTRY.replace('plan.py', 'gone.py')}, reason: equal}}\n", id="whose-file-is-gone"),
    ],
)
def test_an_entry_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/mutation_survivors.yml").write_text(text)
    (tmp_path / "plan.py").write_text("def f():\n    return a\n")
    with pytest.raises(ValueError, match=r"^tests/mutation_survivors.yml: remove or renew the entry of "):
        kept_on_purpose(tmp_path)


def test_the_listed_survivors_exist_and_have_reasons() -> None:
    assert all(kept_on_purpose(ROOT).values())
