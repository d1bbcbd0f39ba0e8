# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot end well is refused beforehand: one sentence with the remedy, an exit code, and nothing touched."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.node import lock
from ansible_collections.warren.load.plugins.plugin_utils.planning import room
from ansible_collections.warren.load.tests.support.worlds import Program, World, real, simulator

from .conftest import ROOT, Sandbox

ROW: dict[str, Any] = {
    "id": "failed-creations",
    "sentence": "Every service is created.",
    "source": "this test",
    "statistic": "count",
    "path": "create.failed",
    "unit": "creations",
    "direction": "equal",
    "limits": {"target": 0},
}


@dataclass
class Refused:
    """What a playbook printed that ended with exit code 2 and left everything as it was."""

    stdout: str

    @property
    def sentences(self) -> list[str]:
        """The lines of the first failure."""
        lines = self.stdout[self.stdout.index("FAILED ") :].splitlines()[1:]
        return [line.strip() for line in itertools.takewhile(lambda line: line.startswith("  "), lines)]


def files(folder: Path) -> set[str]:
    """What lies in a folder, besides what a look at a cluster leaves: guards of locks, and pinned certificates."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.endswith((".guard", "pin"))}


def play(
    sandbox: Sandbox,
    playbook: str,
    *arguments: str,
    inventory: Path | str = "sandbox",
    environment: dict[str, str] | None = None,
    **variables: Any,
) -> subprocess.CompletedProcess[str]:
    """Runs a playbook to its end, with no terminal to ask on."""
    found = inventory if isinstance(inventory, Path) else ROOT / "inventories" / inventory
    said = {**sandbox.variables, **variables}
    done = subprocess.run(
        [
            f"{Path(sys.executable).parent}/ansible-playbook",
            f"--inventory={found}",
            str(ROOT / "playbooks" / f"{playbook}.yml"),
            f"--extra-vars={json.dumps(said)}",
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    print(f"--- {playbook} {variables} ({done.returncode})\n{done.stdout}")
    return done


def refused(sandbox: Sandbox, playbook: str = "load-small", *arguments: str, **how: Any) -> Refused:
    """Runs a playbook that must end with exit code 2, and leave every process and file as they were.

    A report for CI (junit.xml) is written all the same, but no folder for the run.
    """
    processes, state = sandbox.processes(), files(sandbox.state)
    done = play(sandbox, playbook, *arguments, **how)
    assert done.returncode == 2
    assert "Traceback" not in done.stdout
    assert "is undefined" not in done.stdout
    assert sandbox.processes() == processes
    assert files(sandbox.state) == state
    if sandbox.results.is_dir():
        assert {path.name for path in sandbox.results.iterdir()} <= {"junit.xml"}
    return Refused(done.stdout)


# --- without a cluster ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        ({"scale": "huge"}, ["warren_load_scale is 'huge': choose one of small, medium, large, massive, custom."]),
        ({"services": 0}, ["warren_load_services is '0': it must be a whole number, 1 or more."]),
        ({"services": -5}, ["warren_load_services is '-5': it must be a whole number, 1 or more."]),
        ({"replicas": "many"}, ["warren_load_replicas is 'many': it must be a whole number, 1 or more."]),
        (
            {"warren_load_servcies": 5},
            ["There is no variable warren_load_servcies: did you mean warren_load_services?"],
        ),
        ({"service": 5}, ["There is no variable service: did you mean services?"]),
        (
            {"replicas": 0, "services": "x", "warren_load_tls": "yes please"},
            [
                "warren_load_tls is 'yes please': choose one of auto, plaintext, tls.",
                "warren_load_services is 'x': it must be a whole number, 1 or more.",
                "warren_load_replicas is '0': it must be a whole number, 1 or more.",
            ],
        ),
    ],
)
def test_wrong_settings(sandbox: Sandbox, variables: dict[str, Any], sentences: list[str]) -> None:
    """All of them at once; with --check too."""
    arguments = ("--check",) if len(sentences) > 1 else ()
    assert refused(sandbox, "load-small", *arguments, **variables).sentences == sentences


def test_an_image_that_real_workers_could_never_pull(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the inventory has workers, nobody has to be asked."""
    inventory = tmp_path / "hosts.json"
    hosts = {"manager-1": {"ansible_host": "192.0.2.1"}}
    groups = {"managers": {"hosts": hosts}, "workers": {"hosts": {"worker-1": {}}}}
    inventory.write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    (sentence,) = refused(sandbox, inventory=inventory, warren_load_image="nginx:alpine").sentences
    assert sentence == (
        "warren_load_image is 'nginx:alpine', which names no registry: Warren completes no names, so workers could "
        "never pull it; say it in full, such as docker.io/library/nginx:alpine."
    )


def test_results_that_could_not_be_written(sandbox: Sandbox) -> None:
    (sandbox.folder / "a-file").touch()
    where = f"{sandbox.folder}/a-file/results"
    (sentence,) = refused(sandbox, warren_load_results_dir=where).sentences
    assert sentence.startswith(f"warren_load_results_dir is {where}, but nothing can be written to")
    assert sentence.endswith("choose another folder, or make that one writable.")


def test_results_that_would_fill_the_disk(sandbox: Sandbox) -> None:
    """More containers than any disk could hold the results of."""
    services = 900_000_000
    if shutil.disk_usage(sandbox.folder).free // (1 << 20) > room(services, 1, 1000):
        pytest.skip("this disk is larger than the test can ask for")
    (sentence, _state) = refused(sandbox, services=services, replicas=1).sentences
    assert sentence.startswith(f"warren_load_results_dir is {sandbox.results}, whose disk has ")
    assert sentence.endswith("make room, or choose a folder on another disk.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "which is no file: correct the path, or leave it out."),
        ("- id: [", "which is not YAML: "),
        ("id: alone", "which is not a list: write one '- id: ...' entry for each objective."),
        ([{**ROW, "path": "create.["}], "Objective 'failed-creations': 'path' is not a JMESPath expression: "),
        (
            [{**ROW, "path": "create.faild"}],
            "Objective 'failed-creations': 'path' is 'create.faild', but there is no 'faild' in the measurements (did "
            "you mean 'failed'?).",
        ),
        ([{**ROW, "unit": "furlongs"}], "Objective 'failed-creations': unit 'furlongs' is unknown: use one of "),
    ],
)
def test_objectives_that_cannot_be_judged_by(sandbox: Sandbox, text: Any, sentence: str) -> None:
    path = sandbox.folder / "objectives.yml"
    if text is not None:
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    (told,) = refused(sandbox, warren_load_objectives_file=str(path)).sentences
    assert told.removeprefix(f"warren_load_objectives_file is {path}, ").startswith(sentence)


def test_a_generator_that_lacks_its_libraries_and_has_no_way_to_them(sandbox: Sandbox) -> None:
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": ""}
    (sentence,) = refused(sandbox, generator_probe="import a_library_that_nobody_has", environment=nowhere).sentences
    assert sentence.startswith(
        "The generator localhost lacks the libraries that send the load (grpcio and others), and"
    )
    assert "give it a way to a package index (PIP_INDEX_URL)" in sentence


# --- a cluster in use -------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(sandbox: Sandbox) -> lock.Lock:
    """The lock of a run that this very process holds on the sandbox."""
    held = lock.new_lock("sandbox", "20261123-120102-4f1a", 600, time.time(), os.getpid())
    lock.acquire(f"{sandbox.state}/sandbox/locks/sandbox.json", held, time.time())
    return held


def test_a_cluster_that_somebody_tests(sandbox: Sandbox, locked: lock.Lock) -> None:
    """Before anything of it is started or used."""
    (sentence,) = refused(sandbox).sentences
    assert sentence.startswith(f"Cluster sandbox is in use by {locked.owner} (run {locked.run_id}, since ")
    assert sentence.endswith("wait for it to end, or run the cleanup playbook if it is dead.")


def test_a_question_without_a_terminal(sandbox: Sandbox, locked: lock.Lock) -> None:
    """Whether to take down what somebody tests: nobody can say yes, so the answer is no."""
    (sandbox.state / "sandbox/manager-1").mkdir()
    (sandbox.state / "sandbox/manager-1/log").touch()
    (sentence,) = refused(sandbox, "cluster-down").sentences
    assert sentence.startswith(f"Cluster sandbox is in use by {locked.owner}")
    assert sentence.endswith("where there is no terminal to ask on, -e confirm=yes.")

    assert play(sandbox, "cluster-down", warren_load_confirm=True).returncode == 0
    assert not (sandbox.state / "sandbox").exists()


# --- a cluster that is there ------------------------------------------------------------------------------------------


def program_of(kind: str, dialect: Dialect) -> Program:
    """The simulator, or the real Warren that WARREN_BINARY names if it is of that dialect."""
    if kind == "simulator":
        return simulator(dialect)
    path = os.environ.get("WARREN_BINARY")
    if not path:
        pytest.skip("WARREN_BINARY does not name a real Warren")
    program = real(path)
    if program.dialect is not dialect:
        pytest.skip("WARREN_BINARY is of the other dialect")
    return program


@pytest.fixture(scope="module", params=["simulator", "real"])
def secure(request: pytest.FixtureRequest) -> Iterator[World]:
    """A cluster of one manager that speaks TLS, with two workers."""
    with World(program_of(request.param, Dialect.CONTAINERS)) as world, world.fleet(2, "--prefix", "node-") as fleet:
        fleet.wait_registered()
        yield world


@pytest.fixture(scope="module", params=["simulator", "real"])
def plain(request: pytest.FixtureRequest) -> Iterator[World]:
    """A cluster of three managers that speaks plaintext, without workers."""
    with World(program_of(request.param, Dialect.TASKS)) as world:
        yield world


def refused_by(world: World, sandbox: Sandbox, **how: Any) -> list[str]:
    """The sentences with which a run on the cluster's first manager is refused; its services stay as they are."""

    def services() -> list[str]:
        return [service.name for service in world.api.call(world.first.name, "ListServices").services]

    before = services()
    how = {"inventory": "static", "warren_load_endpoint": world.first.api_address, **how}
    told = refused(sandbox, **how).sentences
    assert services() == before
    return told


def listing(world: World, folder: Path, **groups: dict[str, Any]) -> Path:
    """An inventory that lists the cluster's managers, all on this host, and more."""
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    managers = {
        node.name: {"warren_load_api_address": node.api_address, "warren_load_raft_address": node.raft_address, **here}
        for node in world.nodes.values()
    }
    listed = {"managers": {"hosts": managers}, "generators": {"hosts": {"localhost": here}}}
    for group, hosts in groups.items():
        held = listed.setdefault(group, {"hosts": {}})["hosts"]
        held.update({name: {**here, **own} for name, own in hosts.items()})
    path = folder / "listed.json"
    path.write_text(json.dumps({"all": {"children": listed}}), encoding="utf-8")
    return path


def test_nobody_answers(sandbox: Sandbox) -> None:
    """Only an address is known."""
    told = refused(sandbox, inventory="static", warren_load_endpoint="127.0.0.1:1").sentences
    assert told == [
        "No manager can be reached: nobody answers at 127.0.0.1:1 (Connection refused); start the cluster, or correct "
        "warren_load_endpoint or the managers' addresses in the inventory."
    ]


@pytest.mark.parametrize(
    ("own", "remedy"),
    [
        (
            {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            "and no manager process runs for manager-9: start it (warren cluster init, or playbook cluster-up with "
            "warren_load_binary;",
        ),
        (
            {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
            "and Ansible cannot log in to manager-9 either: start the machine (a Lima VM: limactl start manager-9), or "
            "correct its ansible_host.",
        ),
    ],
)
def test_nobody_answers_of_an_inventory(sandbox: Sandbox, own: dict[str, Any], remedy: str) -> None:
    """What the guide calls 'Warren manager process not running' and 'Manager VM not running'."""
    if own["ansible_connection"] == "ssh" and not shutil.which("ssh"):
        pytest.skip("there is no ssh here")
    inventory = sandbox.folder / "hosts.json"
    hosts = {"manager-9": {"warren_load_api_address": "127.0.0.1:1", **own}}
    inventory.write_text(json.dumps({"all": {"children": {"managers": {"hosts": hosts}}}}), encoding="utf-8")
    (sentence,) = refused(sandbox, inventory=inventory).sentences
    assert remedy in sentence


def test_a_wrong_ca(secure: World, sandbox: Sandbox) -> None:
    with World(simulator(Dialect.CONTAINERS)) as other:
        (sentence,) = refused_by(secure, sandbox, warren_load_ca_file=str(other.first.ca_file))
    assert sentence.startswith(f"The certificate of {secure.first.api_address} does not fit the CA file ")
    assert "for warren_load_ca_file" in sentence


def test_plaintext_to_a_server_with_tls(secure: World, sandbox: Sandbox) -> None:
    (sentence,) = refused_by(secure, sandbox, warren_load_tls="plaintext")
    address = secure.first.api_address
    assert sentence == f"{address} speaks TLS, but plaintext was asked for: set warren_load_tls to tls or auto."


def test_everything_that_is_wrong_with_a_cluster_at_once(secure: World, sandbox: Sandbox) -> None:
    """Foreign services, an image that nobody could pull, and a worker less than the inventory has."""
    inventory = listing(secure, sandbox.folder, workers={"node-1": {}, "node-2": {}, "node-3": {}})
    variables = {"warren_load_endpoint": "", "warren_load_ca_file": str(secure.first.ca_file)}
    with secure.service(1) as service:
        told = refused_by(secure, sandbox, inventory=inventory, **variables)
        assert told == [
            "Only 2 of the 3 workers that were asked for are ready (node-3 is missing): start the others, take them "
            "out of the inventory's group workers or of warren_load_workers, or raise warren_load_missing_workers.",
            f"1 service is there that no run of ours made ({service.name}): a load test would disturb them; set "
            "warren_load_allow_foreign to run all the same.",
        ]
        (_foreign, sentence) = refused_by(secure, sandbox, warren_load_image="nginx")
        assert sentence.startswith("warren_load_image is 'nginx', which names no registry")


def test_a_manager_of_another_cluster(secure: World, sandbox: Sandbox) -> None:
    with World(simulator(Dialect.CONTAINERS)) as other:
        address = other.first.api_address
        stranger = {"warren_load_api_address": address, "warren_load_raft_address": other.first.raft_address}
        inventory = listing(secure, sandbox.folder, managers={"stranger": stranger})
        # Both are called manager-1 by default, so that only what they know of each other tells them apart.
        told = refused_by(secure, sandbox, inventory=inventory, warren_load_endpoint="")
    assert any(sentence.startswith(f"Manager stranger ({address}) belongs to another cluster") for sentence in told)


def test_no_worker(plain: World, sandbox: Sandbox) -> None:
    """What the guide calls 'No workers registered'."""
    assert refused_by(plain, sandbox) == [
        "No worker is registered, so containers would never run: start workers (warren worker start), or hollow ones "
        "that need no container runtime (warren_load_workers)."
    ]


def test_tls_to_a_server_with_plaintext(plain: World, sandbox: Sandbox) -> None:
    (sentence,) = refused_by(plain, sandbox, warren_load_tls="tls")
    address = plain.first.api_address
    assert sentence == f"{address} speaks plaintext, but TLS was asked for: set warren_load_tls to plaintext or auto."


def test_no_leader(plain: World, sandbox: Sandbox) -> None:
    """Last of these, since it costs the cluster two of its three managers."""
    for node in list(plain.nodes.values())[1:]:
        node.process.stop(9)
    (sentence,) = refused_by(plain, sandbox)
    assert sentence.startswith("The cluster has no leader: no manager named one within 15 s, and of its 3 managers ")
    assert sentence.endswith("see that a majority of its managers runs.")
