"""The number of clients that nginx can serve."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.capacity import too_small


@pytest.mark.parametrize(
    ("main", "files", "clients", "expected"),
    [
        pytest.param("worker_processes 2; events { worker_connections 100; }", None, 100, None, id="just-enough"),
        pytest.param(
            "worker_processes 2; events { worker_connections 100; }",
            None,
            101,
            "2 worker processes with worker_connections 100 serve 100 clients of the 101 wanted (2 connections each); "
            "set worker_connections to 101 or more",
            id="one-too-many",
        ),
        pytest.param(
            "events { worker_connections 4000; }",
            1024,
            1000,
            "a worker may open 1024 files and needs 2000 for its share of 1000 clients; "
            "set worker_rlimit_nofile to 2000 or more",
            id="files",
        ),
        pytest.param("events { worker_connections 4000; }", 2000, 1000, None, id="just-enough-files"),
        pytest.param("worker_rlimit_nofile 9999; events { worker_connections 4000; }", 1024, 1000, None, id="rlimit"),
        pytest.param(
            "worker_rlimit_nofile 10; events { worker_connections 4000; }",
            9999,
            1000,
            "a worker may open 10 files and needs 2000 for its share of 1000 clients; "
            "set worker_rlimit_nofile to 2000 or more",
            id="rlimit-below-that-of-the-system",
        ),
        pytest.param("worker_processes x; events { worker_connections y; }", None, 256, None, id="malformed-numbers"),
        pytest.param(
            "worker_processes x; events {}",
            None,
            257,
            "1 worker processes with worker_connections 512 serve 256 clients of the 257 wanted (2 connections each); "
            "set worker_connections to 514 or more",
            id="a-malformed-number-counts-as-the-default",
        ),
        pytest.param("worker_processes auto; events {}", None, 1024, None, id="processors-and-defaults"),
        pytest.param(
            "",
            None,
            257,
            "1 worker processes with worker_connections 512 serve 256 clients of the 257 wanted (2 connections each); "
            "set worker_connections to 514 or more",
            id="defaults-alone",
        ),
    ],
)
def test_a_client_needs_two_connections(main: str, files: int | None, clients: int, expected: str | None) -> None:
    tree = load_tree("/n/nginx.conf", lambda _path: main, lambda _pattern: [])
    assert too_small(tree, 4, files, clients) == expected
