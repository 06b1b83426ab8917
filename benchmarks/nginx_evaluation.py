# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that nginx_effective_info takes for many sites, compared with ``nginx -t``.

Usage: ``python benchmarks/nginx_evaluation.py [sites]``

The sites (1,000 by default) are like those of the role, with three locations each. Both run in turn, and the
fastest of five counts. TEST_NGINX names the program of another nginx than the system's. The exit status is 1 if the
module takes more than twice the time of ``nginx -t``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "collections"))

from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.inspection import inspect_host
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import HttpRequest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.program import Nginx, find

SITES, ROUNDS, MOST, PORT = 1000, 5, 2.0, 18392
MAIN = """pid {root}/nginx.pid;
error_log {root}/error.log;
events {{ worker_connections 128; }}
http {{
    server_names_hash_max_size 8192;
    server_names_hash_bucket_size 128;
    variables_hash_max_size 8192;
    proxy_headers_hash_bucket_size 128;
    access_log off;
    client_body_temp_path {root}/run;
    proxy_temp_path {root}/run;
    fastcgi_temp_path {root}/run;
    uwsgi_temp_path {root}/run;
    scgi_temp_path {root}/run;
    include sites/*;
}}
"""
SITE = """map $http_upgrade $site{number}_upgrade {{ default ""; websocket websocket; }}
map $http_upgrade $site{number}_connection {{ default ""; websocket upgrade; }}
server {{
    listen 127.0.0.1:{port};
    server_name site{number}.example.com www.site{number}.example.com;
    client_max_body_size 100m;
{locations}}}
"""
LOCATION = """    location {match} {{
        proxy_pass http://127.0.0.1:{upstream};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $site{number}_upgrade;
        proxy_set_header Connection $site{number}_connection;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 86400s;
    }}
"""


def write(root: Path, sites: int) -> None:
    for name in ("sites", "run"):
        (root / name).mkdir()
    (root / "nginx.conf").write_text(MAIN.format(root=root))
    for number in range(sites):
        locations = "".join(
            LOCATION.format(match=match, number=number, upstream=20000 + number) for match in ("= /ws", "/api/", "/")
        )
        (root / f"sites/{number:05}").write_text(SITE.format(number=number, port=PORT, locations=locations))


def seconds(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def main() -> int:
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else SITES
    program = os.environ.get("TEST_NGINX") or find("nginx")
    if program is None:
        print("nginx is not installed")
        return 1
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write(root, sites)
        config = str(root / "nginx.conf")
        request = HttpRequest(f"site{sites // 2}.example.com", PORT, False, "/ws")

        def tested() -> None:
            subprocess.run([program, "-p", directory, "-c", config, "-t"], check=True, capture_output=True)

        def evaluated() -> None:
            result = inspect_host(Nginx(program, config, directory), request)
            assert result["location"]["match"] == "= /ws", result["message"]

        tests, evaluations = [], []
        for _round in range(ROUNDS):
            tests.append(seconds(tested))
            evaluations.append(seconds(evaluated))
    ratio = min(evaluations) / min(tests)
    print(f"{sites} sites: nginx -t {min(tests):.2f} s, nginx_effective_info {min(evaluations):.2f} s")
    print(f"ratio {ratio:.2f}, at most {MOST:g}")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
