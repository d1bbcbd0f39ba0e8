# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees beside progress and banner: changes, failures once, and a sign of life for slow tasks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[6]

PLAYBOOK = """
- name: Output
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Fast
      ansible.builtin.set_fact: {fast: true}
    - name: Not run
      ansible.builtin.command: sleep 9
      when: false
    - name: Slow
      ansible.builtin.command: sleep 4
    - name: Break
      block:
        - name: First
          ansible.builtin.fail: {msg: the same sentence}
      rescue:
        - name: Again
          ansible.builtin.fail: {msg: the same sentence}
"""

DELEGATED = """
- name: Hosts
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Two more
      ansible.builtin.add_host: {name: "{{ item }}", ansible_connection: local}
      loop: [node-1, node-2]
- name: Output
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Elsewhere
      ansible.builtin.command: "true"
      delegate_to: node-1
    - name: On each
      ansible.builtin.command: "true"
      loop: [node-1, node-2]
      delegate_to: "{{ item }}"
    - name: Here
      ansible.builtin.command: "true"
      delegate_to: "{{ inventory_hostname }}"
    - name: Broken
      ansible.builtin.command: "{{ item.run }}"
      loop: [{host: node-1, run: "true"}, {host: node-2, run: "false"}]
      loop_control: {label: "{{ item.host }}"}
      delegate_to: "{{ item.host }}"
"""


ENDED = """
import atexit, signal, sys
sys.path[:0] = ["plugins/callback", "collections"]
import quiet
shown = quiet.CallbackModule()
signal.setitimer(signal.ITIMER_REAL, 60)  # as a task does that has just begun
atexit._run_exitfuncs()
print(signal.getitimer(signal.ITIMER_REAL)[0])
"""


def test_no_alarm_rings_when_python_ends() -> None:
    """It would kill ansible-playbook, whose exit code would no longer be that of the run."""
    done = subprocess.run([sys.executable, "-c", ENDED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "0.0\n"


def output(playbook: Path, text: str) -> list[str]:
    """What is shown of a playbook that fails, without the recap."""
    playbook.write_text(text, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        ["ansible-playbook", str(playbook)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    return done.stdout.split("PLAY RECAP")[0].strip().splitlines()


def test_a_delegated_task_says_where_it_ran(tmp_path: Path) -> None:
    lines = [line for line in output(tmp_path / "play.yml", DELEGATED) if re.match(r"changed|FAILED|failed", line)]
    assert "{{" not in str(lines)
    assert lines[:4] == [
        "changed   localhost: Two more",
        "changed   localhost -> node-1: Elsewhere",
        "changed   localhost: On each",
        "changed   localhost: Here",
    ]
    assert "localhost -> node-2" in lines[4]
    assert "node-1" not in lines[4]


def test_quiet_output(tmp_path: Path) -> None:
    lines = output(tmp_path / "play.yml", PLAYBOOK)
    signs = [line for line in lines if re.match(r"\d+ s +localhost: ", line)]
    assert signs
    assert all(line.endswith("localhost: Slow") for line in signs)
    assert [line for line in lines if line not in signs] == [
        "changed   localhost: Slow",
        "FAILED    localhost: First",
        "  the same sentence",
        "FAILED    localhost: Again",
        "  as above",
    ]
