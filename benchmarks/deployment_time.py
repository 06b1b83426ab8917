# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment costs beyond the build that it contains.

Usage, as root: ``python benchmarks/deployment_time.py``

Time from the first task to the switch of the release, for another public URL, against a bare ``npm run build`` of the
same sources with a copy of the same warm cache in the same container. The exit status is 1 if it is more than 1.2 times
the bare build plus 10 s, or if a run without a change builds or restarts anything.
"""

from __future__ import annotations

import sys
import time

from staging_host import Line, StagingHost, staging_host

PORT, SSH_PORT = 18392, 14392
FACTOR, ALLOWANCE_S = 1.2, 10.0
SWITCH = "Switch | Make the candidate the current release"

BARE_BUILD = """
set -e
rm -rf /tmp/bare && mkdir /tmp/bare && chown deploy: /tmp/bare
runuser -u deploy -- cp -a /home/deploy/projects/sample/web-ui /tmp/bare/web-ui
cd /tmp/bare/web-ui
rm -f .next/BUILD_ID
before=$(date +%s.%N)
export HOME=/home/deploy NEXT_TELEMETRY_DISABLED=1 NEXT_PUBLIC_WS_URL="$URL"
runuser -u deploy -- npm run build >/dev/null 2>&1
after=$(date +%s.%N)
test -s .next/BUILD_ID
rm -rf /tmp/bare
echo "$before $after"
"""


def until_switch_s(lines: list[Line]) -> float:
    """Seconds from the first task to the end of the switch."""
    tasks = [line for line in lines if line.text.startswith("TASK [")]
    switch = next(index for index, line in enumerate(tasks) if SWITCH in line.text)
    return tasks[switch + 1].at_s - tasks[0].at_s


def bare_build_s(host: StagingHost, url: str) -> float:
    before, after = host.shell(f"URL={url}\n{BARE_BUILD}").split()[-2:]
    return float(after) - float(before)


def main() -> int:
    with staging_host("codeframe-staging-deployment-time", PORT, SSH_PORT) as host:
        print("deploying for the first time ...", flush=True)
        first = host.deployment.run()
        if first.exit_code:
            raise SystemExit(first.output)

        bare_s = bare_build_s(host, host.ws_url("bare"))
        code, lines = host.timed("deploy_staging.yml", [f"staging_public_ws_url={host.ws_url('live')}"])
        if code:
            raise SystemExit("\n".join(line.text for line in lines))
        switched_s, limit_s = until_switch_s(lines), FACTOR * bare_s + ALLOWANCE_S
        print(f"bare build                        {bare_s:6.1f} s")
        print(f"another URL, first task to switch {switched_s:6.1f} s  (limit {limit_s:.1f} s)")
        print(f"another URL, the whole run        {lines[-1].at_s:6.1f} s")

        started = time.monotonic()
        unchanged = host.deployment.run(variables=[f"staging_public_ws_url={host.ws_url('live')}"])
        print(f"nothing to do, the whole run      {time.monotonic() - started:6.1f} s, changed={unchanged.changed}")
    return 0 if switched_s <= limit_s and unchanged.exit_code == unchanged.changed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
