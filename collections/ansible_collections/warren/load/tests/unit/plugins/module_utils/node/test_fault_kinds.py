# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each kind does, undoes, and says that it cannot do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import (
    commands,
    fault_kinds,
    faults,
    process_table,
    supervision,
)
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import Ask, FaultError

PYTHON = sys.executable
SERVER = """
import socket, sys, threading
def echo(peer):
    while data := peer.recv(9):
        peer.sendall(data)
def serve(listener):
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=echo, args=(peer,), daemon=True).start()
for listener in [socket.create_server(("0.0.0.0", port)) for port in (7946, 2222)]:
    threading.Thread(target=serve, args=(listener,)).start()
print("listening", flush=True)
"""
CLIENT = """
import socket, sys
host, port = sys.argv[1:3]
try:
    with socket.create_connection((host, int(port)), timeout=1.0) as peer:
        peer.settimeout(1.0)
        peer.sendall(b"ping")
        print(peer.recv(9).decode())
except OSError as error:
    print(type(error).__name__)
"""
CUT = """
import json, sys
from ansible_collections.warren.load.plugins.module_utils.node import fault_kinds
kind, ask = fault_kinds.Cut(), fault_kinds.Ask("cut", "manager-1", addresses=["10.99.0.1:7946"])
verb = sys.argv[1]
if verb == "refuse":
    sys.exit(print(kind.refusal(ask)))
if verb == "apply":
    print(kind.refusal(ask) or "")
    kind.apply(kind.prepare(ask))
else:
    print(kind.undo(kind.prepare(ask)))
"""


def refusal(kind, **more):
    return fault_kinds.KINDS[kind]().refusal(Ask(kind, "worker-1", **more))


# --- network ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program of that name, a shell script, in the place of the host's."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    def put(name, script):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put


@pytest.fixture
def two_hosts():
    """Two network namespaces with a wire between; run(host, *words) gives what a command prints there."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2")
    names = [f"wlf{os.getpid()}{side}" for side in "ab"]
    children = []
    environment = os.environ | {"PYTHONPATH": str(fault_kinds.__file__.partition("/ansible_collections/")[0])}

    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def run(host, *words):
        done = subprocess.run(
            ["ip", "netns", "exec", names[host], *words], check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout.strip()

    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("link", "add", "wlf0", "netns", names[0], "type", "veth", "peer", "name", "wlf0", "netns", names[1])
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.99.0.{number}/24", "dev", "wlf0")
            ip("-n", name, "link", "set", "wlf0", "up")
        server = subprocess.Popen(
            ["ip", "netns", "exec", names[0], PYTHON, "-c", SERVER], stdout=subprocess.PIPE, text=True
        )
        children.append(server)
        assert server.stdout.readline() == "listening\n"
        yield run
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no namespaces here: {error.stderr}")
    finally:
        for child in children:
            child.kill()
            child.wait()
            child.stdout.close()
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def asked(run, host, address, port):
    return run(host, PYTHON, "-c", CLIENT, address, str(port))


def test_a_host_is_cut_off_on_warrens_ports_alone_and_reached_again(two_hosts):
    assert asked(two_hosts, 1, "10.99.0.1", 7946) == "ping"
    assert two_hosts(0, PYTHON, "-c", CUT, "apply") == ""
    assert asked(two_hosts, 1, "10.99.0.1", 7946) == "TimeoutError"
    assert asked(two_hosts, 1, "10.99.0.1", 2222) == "ping"  # such as SSH
    assert asked(two_hosts, 0, "127.0.0.1", 7946) == "ping"  # itself
    assert two_hosts(0, PYTHON, "-c", CUT, "refuse").startswith("Fault cut needs the preference 1913 of routing rules")
    assert two_hosts(0, PYTHON, "-c", CUT, "undo") == "manager-1 reaches the others again"
    assert asked(two_hosts, 1, "10.99.0.1", 7946) == "ping"
    assert two_hosts(0, PYTHON, "-c", CUT, "undo") == "manager-1 was not cut off any more"
    assert str(fault_kinds.RULE) not in two_hosts(0, "ip", "rule", "show")


def test_a_rule_of_others_that_has_the_preference_of_the_trial_stays(two_hosts):
    theirs = str(fault_kinds.RULE + 1)
    two_hosts(0, "ip", "rule", "add", "pref", theirs, "to", "10.98.0.0/24", "blackhole")
    assert two_hosts(0, PYTHON, "-c", CUT, "refuse") == "None"
    assert [line for line in two_hosts(0, "ip", "rule", "show").splitlines() if line.startswith(theirs)] == [
        f"{theirs}:\tfrom all to 10.98.0.0/24 blackhole"
    ]


def test_what_the_host_asks_of_others_is_cut_off_too(two_hosts):
    two_hosts(0, PYTHON, "-c", CUT, "apply")
    children = two_hosts(1, "ip", "-o", "addr")
    assert "10.99.0.2" in children
    # Nobody listens there, which a host that is reached would say at once.
    assert asked(two_hosts, 0, "10.99.0.2", 7946) != "ConnectionRefusedError"
    assert asked(two_hosts, 0, "10.99.0.2", 2223) == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        ([], "addresses: fault cut needs the addresses"),
        (["10.0.0.1"], "addresses: '10.0.0.1' is not an address"),
        (["127.0.0.1:8080"], "Fault cut needs hosts of their own: worker-1 talks over loopback"),
        (["10.0.0.1:22"], "Fault cut on port 22 would cut off the login"),
        (["10.0.0.1:2200"], "Fault cut on port 2200 would cut off the login"),
    ],
)
def test_a_cut_that_cannot_be_is_a_sentence(addresses, sentence, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 51000 10.0.0.1 2200")
    assert refusal("cut", addresses=addresses).startswith(sentence)


@pytest.mark.parametrize("kind", ["cut", "packet_loss", "clock_step"])
def test_who_is_not_root_is_told(kind, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = refusal(kind, addresses=["10.0.0.1:8080"], loss=5, offset=5)
    assert "root on the host: set ansible_become to true" in told


def test_packet_loss_says_what_it_lacks(monkeypatch):
    assert refusal("packet_loss", loss=0).startswith("loss is 0: ")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/sbin/{name}")
    monkeypatch.setattr(fault_kinds, "_run", lambda *words: "Error: Specified qdisc kind is unknown")
    assert "which this one lacks (Error: Specified qdisc kind is unknown): load module sch_netem" in refusal(
        "packet_loss", loss=5
    )
    monkeypatch.setattr(fault_kinds, "_run", lambda *words: None)
    monkeypatch.setattr(commands, "output", lambda words: "qdisc netem 8001: root limit 1000 delay 1ms")
    assert refusal("packet_loss", loss=5, interface="eth0").startswith(
        "Fault packet_loss would replace what shapes eth0 already (netem)"
    )
    monkeypatch.setattr(commands, "output", lambda words: "")
    assert refusal("packet_loss", loss=5, interface="eth9").startswith("interface: there is no eth9")


def test_packet_loss_is_told_to_tc_and_taken_back(program, tmp_path):
    record = f'echo "$*" >> {tmp_path}/ran'
    program("tc", f"case $2 in show) echo qdisc netem 8001: root loss 2.5%;; *) {record};; esac")
    kind = fault_kinds.PacketLoss()
    plan = kind.prepare(Ask("packet_loss", "worker-1", interface="lo", loss=2.5))
    kind.apply(plan)
    assert kind.undo(plan) == "worker-1 loses no packets any more"
    program("tc", f"case $2 in show) echo qdisc noqueue 0: root;; *) {record};; esac")
    assert kind.undo(plan) == "worker-1 lost no packets any more"
    assert (tmp_path / "ran").read_text().splitlines() == [
        "qdisc add dev lo root netem loss 2.5%",
        "qdisc del dev lo root",
    ]


def test_packet_loss_of_a_host_that_cannot_be_asked_is_not_undone(program):
    program("tc", "echo Cannot open netlink socket >&2; exit 1")
    kind = fault_kinds.PacketLoss()
    with pytest.raises(FaultError, match=r"^Whether worker-1 still loses packets .* \(Cannot open netlink socket\)"):
        kind.undo({"name": "worker-1", "interface": "lo", "loss": 5})
    # With the interface went what was done to it.
    plan = {"name": "worker-1", "interface": "wlf-gone", "loss": 5}
    assert kind.undo(plan) == "worker-1 lost no packets any more"


PLAN = {"name": "manager-1", "ports": [7946], "preference": fault_kinds.RULE}
SHOWN = {"-4": '"-4 rule show"|"rule show"', "-6": '"-6 rule show"'}
NO_SUCH_RULE = "echo RTNETLINK answers: No such file or directory >&2; exit 2"


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_a_cut_of_a_host_that_cannot_be_asked_is_not_undone(family, program, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program("ip", f'case "$*" in *del*) {NO_SUCH_RULE};; {SHOWN[family]}) echo Killed >&2; exit 1;; esac')
    kind = fault_kinds.Cut()
    sentence = f"The host does not show its routing rules (ip {family} rule show: Killed)"
    with pytest.raises(FaultError, match=f"^{re.escape(sentence)}"):
        kind.undo(PLAN)
    assert refusal("cut", addresses=["10.0.0.1:7946"]).startswith(sentence)


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_rules_that_stay_are_noticed(family, program):
    program("ip", f'case "$*" in *del*) {NO_SUCH_RULE};; {SHOWN[family]}) echo "1913: from all blackhole";; esac')
    with pytest.raises(FaultError, match=f"^manager-1 is still cut off: .* ip {family} rule del pref 1913"):
        fault_kinds.Cut().undo(PLAN)


def test_a_kernel_without_ipv6_can_be_cut_off(program, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    cases = {
        "-6*show": "echo RTNETLINK answers: Address family not supported by protocol >&2; exit 1",
        "-6*": "echo Error: Rule family not supported. >&2; exit 2",
        "*del*": NO_SUCH_RULE,
        "*show": "",
        "*": f'echo "$*" >> {tmp_path}/ran',
    }
    program("ip", f'case "$*" in {" ".join(f"{words}) {what};;" for words, what in cases.items())} esac')
    kind, ask = fault_kinds.Cut(), Ask("cut", "manager-1", addresses=["10.0.0.1:7946"])
    assert kind.refusal(ask) is None
    kind.apply(kind.prepare(ask))
    assert len((tmp_path / "ran").read_text().splitlines()) == 3  # one to try, one for each side
    assert kind.undo(PLAN) == "manager-1 was not cut off any more"


def test_a_cut_of_half_a_host_is_an_error(program):
    program("ip", 'case "$*" in -6*) echo RTNETLINK answers: Operation not permitted >&2; exit 2;; esac')
    with pytest.raises(FaultError, match=r"^manager-1 could not be cut off: ip: .*Operation not permitted"):
        fault_kinds.Cut().apply(PLAN)


# --- the host ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock of this module's own, and how far it is off."""
    state = {"off": 0.0}
    monkeypatch.setattr(fault_kinds, "_now", lambda: time.time() + state["off"])
    monkeypatch.setattr(fault_kinds, "_difference", lambda: 1000.0 + state["off"])

    def set_clock(seconds):
        state["off"] = seconds - time.time()

    monkeypatch.setattr(fault_kinds, "_set_clock", set_clock)
    return state


def test_a_clock_goes_wrong_and_right_again(clock):
    kind = fault_kinds.ClockStep()
    plan = kind.prepare(Ask("clock_step", "worker-1", offset=-45.0))
    kind.apply(plan)
    assert clock["off"] == pytest.approx(-45, abs=0.1)
    assert kind.undo(plan) == "the clock of worker-1 is right again"
    assert clock["off"] == pytest.approx(0, abs=0.1)
    assert kind.undo(plan) == "the clock of worker-1 was right already"
    assert clock["off"] == pytest.approx(0, abs=0.1)


def test_a_clock_that_a_time_service_put_right_is_left_alone(clock):
    kind = fault_kinds.ClockStep()
    plan = kind.prepare(Ask("clock_step", "worker-1", offset=45.0))
    kind.apply(plan)
    clock["off"] = 0.4
    assert kind.undo(plan) == "the clock of worker-1 was right already"
    assert clock["off"] == 0.4


def test_what_is_shared_with_other_hosts_is_refused(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(fault_kinds, "_memory_free", lambda: 500)
    assert refusal("clock_step", offset=5, shares_kernel=True).startswith("Fault clock_step needs a host with a clock")
    assert refusal("clock_step", offset=5, shares_kernel=True, anyway=True) is None
    assert refusal("memory_pressure", memory=5, shares_kernel=True, anyway=True) is None
    assert "warren_load_fault_anyway" in refusal("clock_step", offset=5, shares_kernel=True)
    assert "warren_load_fault_anyway" in refusal("memory_pressure", memory=5, shares_kernel=True)
    assert refusal("memory_pressure", memory=5, shares_kernel=True).startswith("Fault memory_pressure needs a host wi")
    assert refusal("clock_step").startswith("offset is 0: ")
    assert refusal("memory_pressure").startswith("memory is 0: ")


def test_memory_that_is_not_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(fault_kinds, "_memory_free", lambda: 500)
    assert refusal("memory_pressure", memory=436) is None
    assert refusal("memory_pressure", memory=437).startswith("Fault memory_pressure of 437 MB leaves less than 64 MB")
    monkeypatch.setattr(fault_kinds, "_memory_free", lambda: None)
    assert refusal("memory_pressure", memory=1).startswith("Fault memory_pressure needs Linux")


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """A process in a control group, and a disk; the options for a slow one."""
    process = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(60)"])
    group = tmp_path / "cgroup/unit.service"
    group.mkdir(parents=True)
    (group / "io.max").write_text("")
    (group / "cgroup.procs").write_text(f"{process.pid}\n")
    device = tmp_path / "block/vda"
    (device / "vda1").mkdir(parents=True)
    (device / "dev").write_text("254:0\n")
    (device / "vda1/partition").write_text("1\n")
    (device / "vda1/dev").write_text("254:1\n")
    status = os.stat(tmp_path)
    (tmp_path / "block" / f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}").symlink_to(device / "vda1")
    monkeypatch.setattr(fault_kinds, "BLOCK_DEVICES", str(tmp_path / "block"))
    monkeypatch.setattr(fault_kinds, "_control_group", lambda pid: str(group))
    record = supervision.Record("worker-1", process.pid, process_table.start_time(process.pid), "", {})
    supervision._write_record(str(tmp_path / "pid.json"), record)
    yield group, {"pid_file": str(tmp_path / "pid.json"), "path": str(tmp_path)}
    process.kill()
    process.wait()


def test_the_control_group_of_a_process(tmp_path, monkeypatch):
    """Of version 2, as /proc names it; with version 1 alone there is none."""
    told = {"/proc/7/cgroup": "1:name=systemd:/x\n0::/system.slice/w.service\n", "/proc/8/cgroup": "4:memory:/x\n"}
    monkeypatch.setattr(process_table, "read_text", lambda path: told.get(path, ""))
    monkeypatch.setattr(fault_kinds, "CGROUPS", str(tmp_path))
    assert fault_kinds._control_group(7) is None
    (tmp_path / "cgroup.controllers").write_text("io memory\n")
    assert fault_kinds._control_group(7) == str(tmp_path / "system.slice/w.service")
    assert fault_kinds._control_group(8) is None
    assert fault_kinds._control_group(9) is None


def test_a_program_that_is_not_there_is_said():
    assert fault_kinds._run("no-such-program-here") == "there is no program no-such-program-here"
    assert fault_kinds._run("true") is None


@pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
def test_a_slow_disk_gets_the_limit_of_its_whole_disk_and_the_old_one_back(slow):
    group, options = slow
    kind, ask = fault_kinds.SlowDisk(), Ask("slow_disk", "worker-1", bytes_per_second=100000, iops=20, **options)
    (group / "io.max").write_text("254:0 rbps=max wbps=5 riops=max wiops=max\n")
    assert kind.refusal(ask) is None
    plan = kind.prepare(ask)
    kind.apply(plan)
    assert (group / "io.max").read_text() == "254:0 rbps=100000 wbps=100000 riops=20 wiops=20"
    assert kind.undo(plan) == "the disk of worker-1 is as fast as before"
    assert (group / "io.max").read_text() == "254:0 rbps=max wbps=5 riops=max wiops=max"
    shutil.rmtree(group)
    assert kind.undo(plan) == "the control group of worker-1 is gone"


@pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
def test_a_disk_that_cannot_be_slowed_is_a_sentence(slow, monkeypatch, tmp_path):
    group, options = slow
    assert refusal("slow_disk", **options).startswith("Fault slow_disk needs a limit: ")
    limited = {**options, "iops": 20}
    (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    assert refusal("slow_disk", **limited).startswith(f"Fault slow_disk would also slow process {os.getpid()}")
    (group / "cgroup.procs").write_text("")
    assert "knows no disk behind /proc" in refusal("slow_disk", **{**limited, "path": "/proc"})
    (group / "io.max").unlink()
    assert "in a control group with io.max" in refusal("slow_disk", **limited)
    monkeypatch.setattr(fault_kinds, "_control_group", lambda pid: None)
    assert "needs control groups of version 2" in refusal("slow_disk", **limited)
    assert refusal("slow_disk", iops=5, pid_file=str(tmp_path / "none")).startswith("No such process: ")


# --- signals ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not process_table.has_proc(), reason="needs /proc")
def test_only_the_very_process_is_signalled():
    process = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(60)"])
    try:
        start = process_table.start_time(process.pid)
        assert fault_kinds.send(process.pid, "1", signal.SIGKILL) is False
        assert process.poll() is None
        assert fault_kinds.send(process.pid, start, signal.SIGKILL) is True
        assert process.wait(10) == -9
        assert fault_kinds.send(process.pid, start, signal.SIGKILL) is False
    finally:
        process.kill()
        process.wait()


def test_what_another_user_runs_is_a_sentence(tmp_path, monkeypatch):
    record = supervision.Record("worker-1", os.getpid(), process_table.start_time(os.getpid()), "", {})
    supervision._write_record(str(tmp_path / "pid.json"), record)
    assert refusal("kill", pid_file=str(tmp_path / "pid.json")) is None

    def refuse(*_arguments):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert refusal("kill", pid_file=str(tmp_path / "pid.json")).startswith("Fault kill needs the rights of who runs")


def test_a_kind_that_does_not_exist_is_a_sentence():
    with pytest.raises(FaultError, match=r"^warren_load_fault is 'flood': say one of kill, pause, cut"):
        faults.kind_of("flood")
