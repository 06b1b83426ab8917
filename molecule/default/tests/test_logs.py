"""Log rotation while the processes write."""

from __future__ import annotations

from typing import Any

import testinfra.host

Host = testinfra.host.Host


def test_a_rotated_log_is_kept_and_the_process_writes_to_a_new_one(host: Host, variables: dict[str, Any]) -> None:
    app, user = variables["staging_app_name"], variables["staging_user"]
    log = f"/home/{user}/.pm2/logs/{app}-backend-error.log"
    with host.sudo():
        pid = host.check_output("pgrep -u %s -f app.main:app", user)
        before = host.file(log).content_string
        assert before
        host.check_output("logrotate --force /etc/logrotate.d/pm2-%s-backend", app)
        assert host.file(f"{log}.1").content_string.startswith(before)
        rotated = host.file(f"{log}.1")
        assert (rotated.user, host.file(log).user) == (user, user)
        host.check_output("runuser -u %s -- bash -lc 'pm2 -s restart %s-backend'", user, app)
        assert host.check_output("pgrep -u %s -f app.main:app", user) != pid
        # The process writes its first lines some time after its start.
        host.check_output("timeout 60 sh -c %s", f"until test -s {log}; do sleep 0.2; done")
        fresh = host.file(log).content_string
        assert fresh
        assert "\0" not in fresh
        assert before not in fresh
