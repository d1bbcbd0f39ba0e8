# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long 100 hosts on AWS take to come up, to be listed, and to go, where moto answers for AWS on loopback.

    python -m ansible_collections.warren.load.tests.benchmark.bench_clouds

Moto boots nothing, and Ansible does not wait for hosts to answer: this is what the playbooks themselves cost.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
from pathlib import Path

from ansible_collections.warren.load.tests.benchmark.playbooks import machine
from ansible_collections.warren.load.tests.support.clouds import Cloud, aws_environment, moto

LIMIT_S = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100)
    options = parser.parse_args()
    print(machine())
    total = 0.0
    with tempfile.TemporaryDirectory() as made, moto(Path(made)) as address:
        cloud = Cloud(Path(made), "aws", aws_environment(address))
        size = {"managers": 3, "workers": options.hosts - 4, "generators": 1}
        for playbook in ("hosts-up", "hosts-list", "hosts-down"):
            with contextlib.redirect_stdout(io.StringIO()):
                ran = cloud.play(playbook, confirm="yes", **size)
            if ran.returncode:
                sys.exit(f"{playbook} ended with {ran.returncode}:\n{ran.output[-3000:]}")
            if playbook == "hosts-list" and f"{options.hosts} hosts (" not in ran.output:
                sys.exit(f"hosts-list does not list {options.hosts} hosts:\n{ran.output[-3000:]}")
            print(f"{playbook}: {ran.seconds:.1f} s")
            total += ran.seconds
    good = total <= LIMIT_S
    print(
        f"{'met' if good else 'MISSED'}: {options.hosts} hosts up, listed, down in {total:.1f} s, limit {LIMIT_S:.0f} s"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
