"""The callback in real runs of ansible-playbook, on the controller alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
ROLE = """
- name: look | Look at the host
  ansible.builtin.command: "true"
  changed_when: false
- name: Wait for it
  ansible.builtin.command: "sleep {{ pause }}"
  changed_when: false
  when: pause is defined
- name: site | Install the site
  ansible.builtin.command: "true"
- name: Predict the package
  ansible.builtin.debug:
    msg: The package nginx would be installed
  changed_when: true
"""
PLAY = """
- name: Deploy the application
  hosts: all
  gather_facts: false
  tasks:
    - name: Configure the proxy
      ansible.builtin.import_role:
        name: site
    - name: Leave this out
      ansible.builtin.include_role:
        name: site
      when: false
    - name: Verify
      block:
        - name: Verify the WebSocket
          ansible.builtin.include_role:
            name: verify
      rescue:
        - name: Print the summary
          ansible.builtin.debug:
            msg: "Page: http://app.example.com\\nVerdict: {{ ansible_failed_result.msg }}"
        - name: Fail the run
          ansible.builtin.fail:
            msg: "{{ ansible_failed_result.msg if loud is not defined else 'nothing serves' }}"
"""
VERIFY = """
- name: Ask the application
  ansible.builtin.fail:
    msg: the WebSocket was refused with status 404
  when: broken is defined
"""


@pytest.fixture(name="run")
def fixture_run(tmp_path: Path):
    for role, tasks in (("site", ROLE), ("verify", VERIFY)):
        (tmp_path / f"roles/{role}/tasks").mkdir(parents=True)
        (tmp_path / f"roles/{role}/tasks/main.yml").write_text(tasks)
    (tmp_path / "play.yml").write_text(PLAY)

    def run(*arguments: str) -> tuple[int, str]:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "ansible", "playbook", "-i", "app,", "-c", "local"),
                *("-e", f"ansible_python_interpreter={sys.executable}", *arguments, str(tmp_path / "play.yml")),
            ],
            cwd=tmp_path,
            env={
                # A loaded machine names tasks that take longer.
                "CODEFRAME_STAGING_HEARTBEAT": "600",
                **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_STDOUT_CALLBACK": "codeframe.staging.steps",
                "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
                "ANSIBLE_NOCOLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr

    return run


def without_times(output: str) -> list[str]:
    return [re.sub(r"\s+(in )?[0-9]+\.[0-9] s$", "", line) for line in output.splitlines() if line.strip()]


def test_a_run_shows_a_line_for_each_step_and_why_it_changed(run) -> None:
    code, output = run()
    assert code == 0
    assert without_times(output) == [
        "Deploy the application: app",
        f"{'Configure the proxy':<48} changed",
        "    - Install the site",
        "    - The package nginx would be installed",
        "app : ok=4 changed=2 unreachable=0 failed=0 skipped=3 rescued=0 ignored=0",
    ]


def test_a_failure_that_the_summary_says_comes_once(run) -> None:
    code, output = run("-e", "broken=1")
    assert code == 2
    assert output.count("the WebSocket was refused with status 404") == 1
    lines = without_times(output)
    assert lines[4:8] == [
        f"{'Verify the WebSocket':<48} FAILED",
        "    - Ask the application",
        "Page: http://app.example.com",
        "Verdict: the WebSocket was refused with status 404",
    ]


def test_a_failure_that_no_text_says_comes_at_the_end(run) -> None:
    code, output = run("-e", "broken=1", "-e", "loud=1")
    assert code == 2
    assert "FAILED on app: nothing serves" in without_times(output)[-2]


def test_check_mode_predicts(run) -> None:
    code, output = run("--check")
    assert code == 0
    assert "Deploy the application (check mode): app" in output
    assert "would change" in output


def test_verbose_runs_show_what_the_default_callback_shows(run) -> None:
    _code, output = run("-v")
    assert "TASK [site : site | Install the site]" in output
    assert "PLAY RECAP" in output


def test_a_task_that_takes_long_is_named_meanwhile(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEFRAME_STAGING_HEARTBEAT", "1")
    _code, output = run("-e", "pause=4")
    seconds = [int(each) for each in re.findall(r"^    Wait for it, (\d+) s$", output, re.MULTILINE)]
    assert len(seconds) >= 2
    assert seconds == sorted(set(seconds)), "not more often than once a second"


@pytest.mark.usefixtures("run")
def test_on_a_terminal_the_running_task_is_a_line_that_the_next_output_replaces(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text(
        f"cd {tmp_path}; exec {sys.executable} -m ansible playbook -i app, -c local -e pause=4"
        f" -e ansible_python_interpreter={sys.executable} play.yml"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "codeframe.staging.steps",
        "CODEFRAME_STAGING_HEARTBEAT": "1",
        "TERM": "xterm",
    }
    command = ["script", "--quiet", "--return", "--command", f"sh {tmp_path}/start.sh", "/dev/null"]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    output = done.stdout.decode()
    assert output.count("\r\x1b[2K    Wait for it, ") >= 2
    # What is left of each line on the screen.
    screen = [line.rpartition("\x1b[2K")[2] for line in output.split("\n")]
    assert [line for line in screen if "Wait for it" in line] == []
    assert sum("Configure the proxy" in line for line in screen) == 1


def test_steps_that_change_nothing_share_a_line(run, tmp_path: Path) -> None:
    steps = "".join(
        f"    - name: Look {n}\n      ansible.builtin.command: 'true'\n      changed_when: false\n" for n in "123"
    )
    (tmp_path / "play.yml").write_text(
        "- name: Look\n  hosts: all\n  gather_facts: false\n  tasks:\n" + steps + "    - name: Act\n      "
        "ansible.builtin.command: 'true'\n    - name: Tell\n      ansible.builtin.debug: {msg: done}\n" + steps
    )
    _code, output = run()
    assert without_times(output)[1:-1] == [
        f"{'Look 3 and 2 steps before':<48} ok",
        f"{'Act':<48} changed",
        "    - Act",
        "done",
        f"{'Look 3 and 2 steps before':<48} ok",
    ]


def test_a_warning_is_shown_once_and_not_if_it_is_no_news(run, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library/warn.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "module = AnsibleModule({})\n"
        "module.warn('Module remote_tmp /root/.ansible/tmp did not exist and was created with a mode of 0700, this')\n"
        "module.warn('look here')\n"
        "module.exit_json()\n"
    )
    tasks = "- name: Warn\n  warn:\n- name: Warn again\n  warn:\n"
    (tmp_path / "roles/site/tasks/main.yml").write_text(tasks)
    _code, output = run()
    assert output.count("warning: look here") == 1
    assert "remote_tmp" not in output


def test_a_play_of_one_step_without_news_has_no_heading(run, tmp_path: Path) -> None:
    play = "- name: Read\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: Look\n      ansible.builtin."
    (tmp_path / "play.yml").write_text(
        f"{play}debug: {{msg: news}}\n{play}command: 'true'\n      changed_when: false\n{PLAY}"
    )
    _code, output = run()
    lines = without_times(output)
    assert lines[:3] == ["Read: app", "news", "Deploy the application: app"]


def test_a_run_in_batches_ends_with_what_became_of_each_host(run, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(
        """
- name: Deploy
  hosts: all
  gather_facts: false
  serial: [2, 1]
  tasks:
    - name: Show the summary
      codeframe.staging.deployment_report:
        application: sample
        host: "{{ inventory_hostname }}"
        kind: deployment
        directory: reports
        write: false
        verification: "{{ {} }}"
        failure: "{{ 'nginx does not start' if inventory_hostname in ['b', 'long-name'] else '' }}"
    - name: Report the failure
      ansible.builtin.fail:
        msg: The deployment failed.
      when: inventory_hostname in ['b', 'long-name']
"""
    )
    code, output = run("-i", "b,long-name,c,d,e,")
    assert code == 2
    lines = without_times(output)
    end = lines[lines.index("Hosts: 1 succeeded, 2 failed, 3 not begun") :]
    assert end[1:7] == [
        "  app        none, the verification was left out",
        "  b          FAILED, the deployment stopped",
        "  long-name  FAILED, the deployment stopped",
        "  c          not begun",
        "  d          not begun",
        "  e          not begun",
    ]


def test_a_quiet_run_prints_only_what_failed(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEFRAME_STAGING_QUIET", "1")
    assert run() == (0, "")
    code, output = run("-e", "broken=1", "-e", "loud=1")
    assert code == 2
    assert without_times(output)[:3] == [
        "Page: http://app.example.com",
        "Verdict: the WebSocket was refused with status 404",
        "FAILED on app: nothing serves",
    ]


def test_many_short_tasks_are_not_silent(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODEFRAME_STAGING_HEARTBEAT", "1")
    short = "- name: Wait a little\n  ansible.builtin.command: sleep 0.3\n  changed_when: false\n"
    (tmp_path / "roles/site/tasks/main.yml").write_text(short * 8)
    _code, output = run()
    assert output.count("    Wait a little, ") >= 2


def test_no_colour_and_no_cursor_movement_without_a_terminal(run) -> None:
    _code, output = run("-e", "broken=1")
    assert "\x1b" not in output
    assert "\r" not in output
