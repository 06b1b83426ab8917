#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: deployment_report
short_description: Write the report of a deployment or verification, and show its summary
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Writes C(report.html), C(report.json), C(junit.xml) and C(metrics.prom) to
    C(<directory>/<application>/<host>/<time>/), and C(<directory>/index.html) over all reports that are kept.
  - The page needs no script and nothing from elsewhere. C(docs/report.md) describes the files, and
    C(docs/report.schema.json) is the schema of the document.
  - Prints a summary as text, whatever the stdout callback, but for those whose output a program reads.
  - Runs on the controller alone, as an action plugin. Nothing is sent to the host.
attributes:
  check_mode:
    description: Writes nothing and runs no command. The summary is shown.
    support: full
  diff_mode:
    description: A report is new each time.
    support: none
options:
  application:
    description: Name of the application. Together with O(host) it names the directory of the reports.
    type: str
    required: true
  host:
    description: Name of the host in the inventory.
    type: str
    required: true
  kind:
    description: What kind of run is reported.
    type: str
    choices: [deployment, verification, rollback, diagnosis]
    default: deployment
  write:
    description: Whether the files are written and O(notify_command) is run.
    type: bool
    default: true
  show:
    description: Whether the summary is printed.
    type: bool
    default: true
  directory:
    description:
      - Directory of all reports on the controller, which is created. A relative path starts at the directory in which
        Ansible was started.
    type: path
    required: true
  keep:
    description: Number of reports of this application and host to keep; 0 keeps all.
    type: int
    default: 30
  metrics_directory:
    description:
      - Existing directory that the textfile collector of node_exporter reads. The metrics are written there too, as
        C(codeframe_staging_<application>_<host>.prom).
    type: path
  notify_command:
    description:
      - Command on the controller, as a list of arguments, that is run without a shell when the verdict is another one
        than in the latest report, and for the first one. It gets the document as JSON on its standard input. A failure
        of the command is a warning.
    type: list
    elements: str
    default: []
  notify_timeout:
    description: Seconds after which the command is ended.
    type: int
    default: 60
  verification:
    description: Result of the role websocket_verify; after a rollback, that of the state that failed.
    type: dict
    default: {}
  restored:
    description: Result of the role websocket_verify after a rollback.
    type: dict
    default: {}
  release:
    description: The active release, with C(id) and C(revision).
    type: dict
    default: {}
  changes:
    description: By layer, the reasons of what was changed.
    type: dict
    default: {}
  downtime_s:
    description: By part of the application, the seconds for which it refused connections.
    type: dict
    default: {}
  kept_for_data:
    description: Old releases that were not deleted, each with the paths that the application has written in it.
    type: dict
    default: {}
  shared_data:
    description: Where on the host the data are that outlive releases.
    type: list
    elements: str
    default: []
  failed_task:
    description:
      - Name of the task that failed first; used where the callback P(codeframe.staging.steps#callback) names no step.
    type: str
    default: ""
  failure:
    description: Why the run failed; empty if it did not.
    type: str
    default: ""
  outcome:
    description: What is active after a failure.
    type: str
    default: ""
  page_url:
    description: Public URL of the page, where O(verification) holds none.
    type: str
    default: ""
  websocket_url:
    description: Public URL of the WebSocket, where O(verification) holds none.
    type: str
    default: ""
  findings:
    description: What a diagnosis has seen on the host, as lists of lines by subject.
    type: dict
    default: {}
  proxy_evidence:
    description: What in the configuration of the proxy breaks or endangers the WebSocket.
    type: str
    default: ""
  proxy_tls:
    description: Where TLS ends, and which authority devices must trust, as sentences.
    type: list
    elements: str
    default: []
  diffs:
    description:
      - The changes of texts by layer, each as a list of what modules return in diff mode. The report shows them as a
        unified diff.
    type: dict
    default: {}
  proxy_directives:
    description: RV(codeframe.staging.nginx_effective_info#module:effective).
    type: dict
    default: {}
  secrets:
    description: Values that are replaced by stars wherever they occur. Values of fewer than four characters are not.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Write the report
  codeframe.staging.deployment_report:
    application: codeframe
    host: "{{ inventory_hostname }}"
    kind: verification
    directory: reports
    verification: "{{ websocket_verify_result }}"
"""

RETURN = r"""
path:
  description: The page of the report; empty if none was written.
  returned: always
  type: str
  sample: /home/user/project/reports/codeframe/staging/20260101T120000Z/report.html
notified:
  description: Whether O(notify_command) was run and succeeded.
  returned: always
  type: bool
verdict:
  description: C(passed), C(failed) or C(not_verified).
  returned: always
  type: str
summary:
  description: The summary of the run, in lines that fit the terminal, or 120 columns without one.
  returned: always
  type: list
  elements: str
"""
