# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The duration of a deployment compared with the build that it contains.

Usage, as root: ``python benchmarks/deployment_time.py``

Measures the time from the first task to the activation of a release with another public URL, and a plain
``npm run build`` of the same sources with a copy of the same warm cache in the same container. The exit status is 1 if
the deployment takes more than 1.2 times the plain build plus 10 s, or if a run without changes builds or restarts
anything.
"""

from __future__ import annotations

import sys
import time

from staging_host import Line, StagingHost, staging_host

PORT, SSH_PORT = 18392, 14392
FACTOR, ALLOWANCE_S = 1.2, 10.0
ACTIVATION = "activate | Activate the candidate"

PLAIN_BUILD = """
set -e
rm -rf /tmp/plain && mkdir /tmp/plain && chown deploy: /tmp/plain
runuser -u deploy -- cp -a /home/deploy/projects/sample/web-ui /tmp/plain/web-ui
cd /tmp/plain/web-ui
rm -f .next/BUILD_ID
before=$(date +%s.%N)
export HOME=/home/deploy NEXT_TELEMETRY_DISABLED=1 NEXT_PUBLIC_WS_URL="$URL"
runuser -u deploy -- npm run build >/dev/null 2>&1
after=$(date +%s.%N)
test -s .next/BUILD_ID
rm -rf /tmp/plain
echo "$before $after"
"""


def until_activation_s(lines: list[Line]) -> float:
    """Seconds from the first task to the end of the activation."""
    tasks = [line for line in lines if line.text.startswith("TASK [")]
    activation = next(index for index, line in enumerate(tasks) if ACTIVATION in line.text)
    return tasks[activation + 1].at_s - tasks[0].at_s


def plain_build_s(host: StagingHost, url: str) -> float:
    before, after = host.shell(f"URL={url}\n{PLAIN_BUILD}").split()[-2:]
    return float(after) - float(before)


def main() -> int:
    with staging_host("codeframe-staging-deployment-time", PORT, SSH_PORT) as host:
        print("first deployment ...", flush=True)
        first = host.deployment.run()
        if first.exit_code:
            raise SystemExit(first.output)

        plain_s = plain_build_s(host, host.ws_url("plain"))
        code, lines = host.timed("deploy_staging.yml", [f"staging_public_ws_url={host.ws_url('live')}"])
        if code:
            raise SystemExit("\n".join(line.text for line in lines))
        activated_s, limit_s = until_activation_s(lines), FACTOR * plain_s + ALLOWANCE_S
        print(f"plain build                           {plain_s:6.1f} s")
        print(f"another URL, first task to activation {activated_s:6.1f} s  (limit {limit_s:.1f} s)")
        print(f"another URL, complete run             {lines[-1].at_s:6.1f} s")

        started = time.monotonic()
        unchanged = host.deployment.run(variables=[f"staging_public_ws_url={host.ws_url('live')}"])
        print(f"no change, complete run               {time.monotonic() - started:6.1f} s, changed={unchanged.changed}")
    return 0 if activated_s <= limit_s and unchanged.exit_code == unchanged.changed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
