"""Reading the output of ``nginx -T``."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.dump import split_dump, tree_of_files

DUMP = (
    "# configuration file /n/nginx.conf:\nhttp { include s/*; }\n\n"
    "# configuration file /n/s/b:\nserver { listen 2; }\n\n"
    "# configuration file /n/s/a:\n\nserver { listen 1; }\n\n"
)


def test_a_dump_is_split_into_its_files() -> None:
    assert split_dump("# configuration file /n/nginx.conf:\na;\n\n# configuration file /n/b:\n\nb;\n\n") == {
        "/n/nginx.conf": "a;\n",
        "/n/b": "\nb;\n",
    }


def test_a_file_that_is_included_twice_is_taken_once() -> None:
    assert split_dump("# configuration file /n/a:\n1;\n\n# configuration file /n/a:\n2;\n\n") == {"/n/a": "1;\n"}


def test_a_text_that_is_not_a_dump_is_refused() -> None:
    with pytest.raises(ValueError, match="no '# configuration file PATH:' line in the dump of nginx -T"):
        split_dump("a;")


def test_the_files_of_a_dump_are_a_configuration() -> None:
    tree = tree_of_files(split_dump(DUMP))
    assert [each.where for each in tree.servers()] == ["/n/s/a:2", "/n/s/b:1"]
    assert tree.files == ("/n/nginx.conf", "/n/s/a", "/n/s/b")


def test_an_included_file_that_the_dump_lacks_is_listed_as_unreadable() -> None:
    tree = tree_of_files({"/n/nginx.conf": "include gone;"})
    assert tree.unreadable == ("/n/gone",)
