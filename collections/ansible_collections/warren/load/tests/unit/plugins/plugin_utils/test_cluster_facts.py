# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.plugin_utils.cluster_facts import SCALES, Public, Surroundings, derive

MANAGERS = [f"manager-{number}" for number in range(1, 6)]


def facts(
    values: dict[str, Any] | None = None,
    *,
    groups: dict[str, list[str]] | None = None,
    running: list[dict[str, Any]] | None = None,
    host_vars: dict[str, dict[str, Any]] | None = None,
    host: str = "localhost",
    local: bool = True,
    files: tuple[str, ...] = (),
) -> dict[str, Any]:
    around = Surroundings(
        host=host,
        local=local,
        groups=groups or {"managers": MANAGERS, "workers": [], "generators": ["localhost"]},
        host_vars=host_vars or {},
        environment={"HOME": "/home/me"},
        playbook_python="/usr/bin/python3",
        requirements=["grpcio>=1.62"],
        results_home="/repo/results",
        running=lambda directory: running or [],
        is_file=lambda path: path in files,
    )
    return derive(Public({"warren_load_sandbox": True, **(values or {})}), around)


def manager(labels: dict[str, str]) -> dict[str, Any]:
    return {"node": "manager-1", "name": "manager-1", "pid": 7, "labels": {"role": "manager", **labels}}


@pytest.mark.parametrize(
    ("scale", "managers", "workers", "dialect", "tls"),
    [
        ("small", 1, 2, "containers", "tls"),
        ("medium", 3, 5, "tasks", "plaintext"),
        ("large", 3, 10, "tasks", "plaintext"),
        ("massive", 3, 100, "tasks", "plaintext"),
    ],
)
def test_sandbox_follows_the_scale(scale: str, managers: int, workers: int, dialect: str, tls: str) -> None:
    found = facts({"scale": scale})
    assert found["errors"] == []
    assert [len(found["manager_hosts"]), found["hollow_workers"], found["dialect"], found["tls"]] == [
        managers,
        workers,
        dialect,
        tls,
    ]


def test_more_calls_from_medium_on() -> None:
    found = [facts({"scale": scale}) for scale in ("small", "medium", "large", "massive")]
    assert [one["latency_calls"] for one in found] == [1000, 3000, 3000, 3000]
    assert [one["latency_rate"] for one in found] == [250, 100, 100, 100]
    given = facts({"scale": "large", "warren_load_latency_calls": 5, "warren_load_latency_rate": 7.5})
    assert [given["latency_calls"], given["latency_rate"]] == [5, 7.5]


@pytest.mark.parametrize(
    ("given", "methods"),
    [
        (None, ["ListServices:1"]),
        ("ListServices:8, GetService,UpdateService:1", ["ListServices:8", "GetService:1", "UpdateService:1"]),
        (["ListNodes", "DeleteSecret:2"], ["ListNodes:1", "DeleteSecret:2"]),
    ],
)
def test_methods(given: Any, methods: list[str]) -> None:
    found = facts({"warren_load_latency_methods": given})
    assert (found["errors"], found["latency_methods"]) == ([], methods)


@pytest.mark.parametrize("given", ["CreateService", "ListNodes:0", ["ListNodes", "ListNodes"], {"ListNodes": 3}, 7])
def test_methods_that_are_none(given: Any) -> None:
    (error,) = facts({"warren_load_latency_methods": given})["errors"]
    assert error.startswith("warren_load_latency_methods: ")


def test_a_slow_creation_has_the_time_it_takes() -> None:
    assert facts({"warren_load_create_rate": 0.1})["create_deadline"] == 120 + 10 * 50
    assert facts({"warren_load_create_rate": 100})["create_deadline"] == facts()["create_deadline"] == 120 + 2 * 50


def test_custom_has_no_size_of_its_own() -> None:
    (error,) = facts({"scale": "custom"})["errors"]
    assert "warren_load_services" in error
    assert "-e services=500" in error
    found = facts({"scale": "custom", "services": 500, "replicas": 5})
    assert (found["errors"], found["services"], found["replicas"]) == ([], 500, 5)
    assert facts({"scale": "custom", "replicas": 7})["errors"] == []


def test_every_node_has_its_ports() -> None:
    found = facts({"warren_load_managers": 3, "warren_load_port_base": "18000"}, host="manager-2")
    assert found["me"]["api_address"] == "127.0.0.1:18010"
    assert [row["raft_address"] for row in found["managers"]] == [
        "127.0.0.1:18001",
        "127.0.0.1:18011",
        "127.0.0.1:18021",
    ]
    assert found["raft_map"].startswith("127.0.0.1:18001=127.0.0.1:18000,")
    assert found["node_dir"] == "/home/me/.local/state/warren-load/sandbox/manager-2"


def test_the_ca_is_the_first_managers_own() -> None:
    assert facts()["ca_file"].endswith("/sandbox/manager-1/home/.warren/certs/manager-manager-1/ca.crt")
    assert facts({"scale": "medium"})["ca_file"] == ""
    assert facts({"warren_load_ca_file": "/x.crt"})["connection"]["ca_file"] == "/x.crt"


def test_what_runs_decides_where_nothing_is_asked_for() -> None:
    running = [
        manager({"managers": "3", "dialect": "tasks", "port_base": "19000"}),
        {"node": "hollow-workers", "name": "h", "pid": 8, "labels": {"workers": "7"}},
    ]
    found = facts(running=running)
    assert found["errors"] == []
    assert len(found["managers"]) == 3
    assert found["managers"][0]["api_address"] == "127.0.0.1:19000"
    assert [found["dialect"], found["hollow_workers"], found["running_managers"]] == ["tasks", 7, ["manager-1"]]


def test_a_setting_that_contradicts_what_runs_is_refused() -> None:
    running = [manager({"managers": "1", "dialect": "containers", "costs": "ideal", "clock_factor": "1.0"})]
    assert facts({"warren_load_clock_factor": "1"}, running=running)["errors"] == []
    (sentence,) = facts({"warren_load_costs": "measured"}, running=running)["errors"]
    assert "warren_load_costs is measured" in sentence
    assert "cluster-down" in sentence


def test_three_managers_in_containers_are_refused() -> None:
    (sentence,) = facts({"warren_load_managers": 3, "warren_load_dialect": "containers"})["errors"]
    assert "manager join" in sentence
    real = {"manager-1": {"binary_program": {"dialect": "containers"}}}
    for managers, errors in ((3, [sentence]), (1, [])):
        values = {"warren_load_managers": managers, "warren_load_binary": "/warren"}
        assert facts(values, host_vars=real, files=("/warren",))["errors"] == errors


def test_an_endpoint_is_used_and_never_ours() -> None:
    found = facts({"warren_load_endpoint": "10.0.0.1:8080"})
    assert found["errors"] == []
    assert [found["sandbox"], found["ours"], found["hollow_workers"], found["dialect"]] == [False, False, 0, "auto"]
    assert found["connection"]["managers"] == [
        {"name": "10.0.0.1:8080", "api_address": "10.0.0.1:8080", "raft_address": None}
    ]
    assert found["manager_hosts"] == []
    assert found["name"] == "10.0.0.1_8080"


def test_a_static_inventory_has_warrens_ports() -> None:
    found = facts(
        {"warren_load_sandbox": False},
        groups={"managers": ["a", "b"], "generators": []},
        host_vars={
            "a": {"ansible_host": "h", "warren_load_node_address": "10.0.0.1"},
            "b": {"warren_load_raft_address": "10.0.0.9:1"},
        },
    )
    assert found["errors"] == []
    assert found["managers"][0] == {
        "name": "a",
        "api_address": "10.0.0.1:8080",
        "raft_address": "10.0.0.1:7946",
        "http_address": "127.0.0.1:9090",
    }
    assert found["managers"][1]["raft_address"] == "10.0.0.9:1"
    assert [found["ours"], found["generator"], found["hollow_prefix"]] == [False, "localhost", "wl-hollow-"]


def test_no_cluster_is_an_error_with_its_remedy() -> None:
    (sentence,) = facts({"warren_load_sandbox": False}, groups={"managers": []})["errors"]
    assert "warren_load_endpoint=host:port" in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("services", "0"),
        ("services", "-3"),
        ("warren_load_services", "many"),
        ("replicas", 1.5),
        ("scale", "huge"),
        ("warren_load_managers", 6),
        ("warren_load_workers", -1),
        ("warren_load_dialect", "pods"),
        ("warren_load_tls", "ssl"),
        ("warren_load_costs", "free"),
        ("warren_load_fail_at", "never"),
        ("keep", "perhaps"),
        ("warren_load_endpoint", "no-port"),
        ("warren_load_latency_rate", 0),
        ("warren_load_clock_factor", "nan"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(name: str, value: Any) -> None:
    errors = facts({name: value})["errors"]
    assert len(errors) == 1
    assert errors[0].startswith(name if name.startswith("warren_load_") else f"warren_load_{name} ")


def test_a_number_that_is_too_large_is_told_so() -> None:
    assert facts({"warren_load_profile_seconds": "1e9"})["errors"] == [
        "warren_load_profile_seconds is '1e9': it must be a number, less than 1000000000."
    ]


def test_python_is_the_generators_own_or_the_venv_that_is_there() -> None:
    venv = facts()["venv"]
    assert facts()["python"] == "/usr/bin/python3"
    assert facts(files=(f"{venv}/.ready",))["python"] == f"{venv}/bin/python"
    assert facts(host_vars={"localhost": {"generator_python": "/opt/python"}})["python"] == "/opt/python"


def test_other_hosts_have_their_own_state_directory() -> None:
    assert facts(local=False)["dir"] == "/var/tmp/warren-load/sandbox"
    assert facts({"warren_load_state_dir": "~/x"})["dir"] == "/home/me/x/sandbox"
    assert facts({"warren_load_state_dir": "/x/"})["dir"] == "/x/sandbox"


def test_hosts_may_share_the_folder_that_was_given() -> None:
    """As network namespaces do, and hosts with a common home."""
    groups = {"managers": ["m1"], "workers": ["w1", "again"], "generators": ["gen"]}
    groups["all"] = ["m1", "w1", "again", "gen"]
    host_vars: dict[str, dict[str, Any]] = {
        "m1": {"ansible_host": "10.0.0.1"},
        "w1": {"ansible_host": "10.0.0.2", "ansible_port": 2222},
        "again": {"ansible_host": "10.0.0.2", "ansible_port": 2222},
        "gen": {"ansible_connection": "local"},
    }
    values = {"warren_load_sandbox": False, "warren_load_state_dir": "/shared", "warren_load_cluster": "blue"}
    own = {
        host: facts(values, groups=groups, host_vars=host_vars, host=host, local=host == "gen")["dir"]
        for host in groups["all"]
    }
    assert own == {
        "m1": "/shared/10.0.0.1-22/blue",
        "w1": "/shared/10.0.0.2-2222/blue",
        "again": "/shared/10.0.0.2-2222/blue",  # the same machine
        "gen": "/shared/blue",
    }
    for asking in ("gen", "m1"):
        found = facts(values, groups=groups, host_vars=host_vars, host=asking, local=asking == "gen")
        assert {row["host"]: row["dir"] for row in found["samplers"]} == {
            "m1": f"{own['m1']}/runs/sampler",
            "w1": f"{own['w1']}/runs/sampler",
            "gen": f"{own['gen']}/runs/sampler",
        }


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.text(max_size=3), max_size=3),
)
NAMES = st.sampled_from(
    [
        *(
            f"warren_load_{name}"
            for name in (
                "services",
                "replicas",
                "managers",
                "workers",
                "scale",
                "dialect",
                "tls",
                "endpoint",
                "port_base",
                "latency_calls",
                "latency_methods",
                "latency_concurrency",
                "create_rate",
                "defects",
                "keep",
                "seed",
                "binary",
                "cluster",
            )
        ),
        "scale",
        "services",
        "keep",
    ]
)


@given(st.dictionaries(NAMES, VALUES))
def test_nothing_that_can_be_typed_breaks_it(values: dict[str, Any]) -> None:
    found = facts(values)
    assert found["scale"] in SCALES
    assert found["services"] >= 1
    assert all(sentence.endswith(".") for sentence in found["errors"])


def test_a_program_that_is_not_there_is_refused() -> None:
    (sentence,) = facts({"warren_load_binary": "/no/warren"})["errors"]
    assert "warren_load_binary is '/no/warren'" in sentence


def test_all_wrong_settings_are_named_at_once() -> None:
    errors = facts({"services": 0, "warren_load_replicas": "many", "warren_load_scale": "huge"})["errors"]
    assert len(errors) == 3
    assert [name for name in ("services", "replicas", "scale") if f"warren_load_{name} is" in " ".join(errors)] == [
        "services",
        "replicas",
        "scale",
    ]


def test_an_inventory_of_a_provider_without_hosts_says_how_to_make_them() -> None:
    (sentence,) = facts({"warren_load_sandbox": False, "warren_load_provider": "lima"}, groups={"managers": []})[
        "errors"
    ]
    assert sentence.startswith("None of this inventory's managers is there: playbook hosts-up makes its hosts")


KNOWN = ("warren_load_services", "warren_load_replicas", "warren_load_scale", "warren_load_sandbox")


@pytest.mark.parametrize(
    ("values", "said", "sentence"),
    [
        (
            {"warren_load_servcies": 1},
            (),
            "There is no variable warren_load_servcies: did you mean warren_load_services?",
        ),
        ({"warren_load_x": 1}, (), "There is no variable warren_load_x: the README of role warren.load.cluster lists"),
        ({"service": 5}, ("service",), "There is no variable service: did you mean services?"),
    ],
)
def test_a_misspelt_variable_is_refused(values: dict[str, Any], said: tuple[str, ...], sentence: str) -> None:
    (found,) = Public(values, KNOWN, said).errors
    assert found.startswith(sentence)


def test_a_variable_of_somebody_else_is_none_of_ours() -> None:
    assert Public({"service": 5, "region": "x"}, KNOWN, ("region",)).errors == []


def test_what_the_command_line_says_wins() -> None:
    values = {"warren_load_services": 100, "services": 5}
    assert Public(values).given("warren_load_services") == 100
    assert Public(values, KNOWN, ("services",)).given("warren_load_services") == 5
    assert Public(values, KNOWN, ("services", "warren_load_services")).given("warren_load_services") == 100


def test_real_workers_need_a_whole_image_name() -> None:
    groups = {"managers": ["m1"], "workers": ["w1"], "generators": ["localhost"]}
    (sentence,) = facts({"warren_load_sandbox": False, "warren_load_image": "nginx:alpine"}, groups=groups)["errors"]
    assert "such as docker.io/library/nginx:alpine" in sentence
    assert facts({"warren_load_image": "nginx:alpine"})["errors"] == []


# --- samplers ---------------------------------------------------------------------------------------------------------


def test_all_processes_of_the_sandbox_have_one_sampler() -> None:
    (sampler,) = facts({"warren_load_managers": 3, "warren_load_workers": 2})["samplers"]
    assert (sampler["host"], sampler["dir"]) == ("localhost", "/home/me/.local/state/warren-load/sandbox/runs/sampler")
    assert [(row["name"], row["kind"]) for row in sampler["processes"]] == [
        ("manager-1", "manager"),
        ("manager-2", "manager"),
        ("manager-3", "manager"),
        ("hollow-workers", "other"),
    ]
    first = sampler["processes"][0]
    assert first["pid_file"] == "/home/me/.local/state/warren-load/sandbox/manager-1/pid.json"
    assert first["log_file"] == "/home/me/.local/state/warren-load/sandbox/manager-1/log"
    assert first["metrics_url"] == "http://127.0.0.1:17002/metrics"
    (real,) = facts({"warren_load_managers": 3, "warren_load_binary": "/warren", "warren_load_dialect": "tasks"})[
        "samplers"
    ]
    assert {row["metrics_url"] for row in real["processes"] if row["kind"] == "manager"} == {
        "http://127.0.0.1:9090/metrics"
    }


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("/opt/warren cluster init --node-id manager-1 --api-addr 127.0.0.1:17000 --data-dir /x", True),
        ("/usr/bin/python3 /x/warren-simulator.pyz manager join --api-addr 127.0.0.1:17000", True),
        ("/opt/warren cluster init --api-addr 127.0.0.1:170001", False),
        ("/opt/warren cluster init --api-addr 127.0.0.1:17010", False),
        ("ssh node warren cluster init --api-addr 127.0.0.1:17000", False),
        ("/opt/warren worker start --manager 127.0.0.1:17000", False),
    ],
)
def test_a_manager_is_known_by_its_command_line(command: str, found: bool) -> None:
    (sampler,) = facts({"warren_load_managers": 1})["samplers"]
    assert bool(re.search(sampler["processes"][0]["match"], command)) is found


@pytest.mark.parametrize(
    ("address", "command", "found"),
    [
        ("127.0.0.1:1", "/opt/warren cluster init --api-addr 127.0.0.1:1", True),
        ("127.0.0.1:1", "/opt/warren cluster init --api-addr 127.0.0.1:17000", False),  # somebody's sandbox
        ("127.0.0.1:8080", "/opt/warren cluster init --data-dir /x", True),  # it listens there unless told
        ("127.0.0.1:8080", "/opt/warren cluster init --api-addr 127.0.0.1:17000", False),
        ("10.0.0.1:8080", "/opt/warren cluster init --api-addr 0.0.0.0:8080", True),  # a host of its own
    ],
)
def test_a_manager_of_an_inventory_is_known_by_its_address_where_others_may_be(
    address: str, command: str, found: bool
) -> None:
    groups = {"managers": ["m1"], "workers": [], "generators": ["localhost"], "all": ["m1", "localhost"]}
    host_vars = {"m1": {"ansible_connection": "local", "warren_load_api_address": address}}
    known = facts({"warren_load_sandbox": False}, groups=groups, host_vars=host_vars, host="m1")
    (row,) = known["node_processes"]
    assert bool(re.search(row["match"], command)) is found


def test_every_machine_has_its_own_sampler() -> None:
    groups = {"managers": ["m1", "m2"], "workers": ["w1", "m1"], "generators": ["gen"]}
    groups["all"] = ["m1", "m2", "w1", "gen"]
    host_vars = {
        "m1": {"ansible_host": "10.0.0.1"},
        "m2": {"ansible_host": "10.0.0.2", "warren_load_log_file": "/var/log/warren.log"},
        "w1": {"ansible_host": "10.0.0.2"},  # another name of the same machine
        "gen": {"ansible_host": "10.0.0.9"},
    }
    found = facts({"warren_load_sandbox": False}, groups=groups, host_vars=host_vars, host="gen", local=False)
    told = {sampler["host"]: [row["name"] for row in sampler["processes"]] for sampler in found["samplers"]}
    assert told == {"m1": ["m1", "m1"], "m2": ["m2", "w1"], "gen": []}
    first, second, _generator = found["samplers"]
    assert first["dir"] == "/var/tmp/warren-load/m1/runs/sampler"
    assert [row["kind"] for row in first["processes"]] == ["manager", "worker"]
    assert second["processes"][0]["log_file"] == "/var/log/warren.log"
    assert second["processes"][1]["pprof_url"].startswith("http://127.0.0.1:6060/")


@pytest.mark.parametrize(
    ("values", "host_vars", "shared"),
    [
        ({}, {"m1": {"ansible_connection": "local"}}, True),  # the sandbox
        ({"warren_load_endpoint": "127.0.0.1:8080"}, {}, True),
        ({"warren_load_endpoint": "10.0.0.1:8080"}, {}, False),
        ({"warren_load_sandbox": False}, {"m1": {"ansible_host": "10.0.0.1"}}, False),
        (
            {"warren_load_sandbox": False},
            {"m1": {"ansible_host": "10.0.0.1", "ansible_connection": "warren.load.netns"}},
            True,
        ),
    ],
)
def test_who_shares_a_machine_with_the_load(
    values: dict[str, Any], host_vars: dict[str, dict[str, Any]], shared: bool
) -> None:
    groups = {"managers": ["m1"], "workers": [], "generators": ["localhost"], "all": ["m1", "localhost"]}
    host_vars = {"localhost": {"ansible_connection": "local"}, **host_vars}
    assert facts(values, groups=groups, host_vars=host_vars)["shares_host"] is shared


def test_a_generator_of_its_own_shares_nothing_and_a_manager_does() -> None:
    groups = {"managers": ["m1", "m2"], "workers": [], "all": ["m1", "m2", "gen"]}
    for generator, shared in (("gen", False), ("m1", True)):
        found = facts(
            {"warren_load_sandbox": False, "warren_load_binary": "/opt/warren", "warren_load_fault_target": "leader"}
            | {"warren_load_fault": "cut", "warren_load_managers": 2},
            groups=groups | {"generators": [generator]},
            host_vars={"m1": {"ansible_host": "10.0.0.1"}, "m2": {"ansible_host": "10.0.0.2"}},
            host=generator,
            local=False,
            files=("/opt/warren",),
        )
        assert found["shares_host"] is shared
        assert any("The load is sent from the host of m1" in error for error in found["errors"]) is shared


def test_profiles_are_of_warrens_processes_alone() -> None:
    values = {"warren_load_binary": "/opt/warren", "profile": "yes", "warren_load_profile_seconds": 5}
    groups = {"managers": ["m1"], "workers": ["w1"], "generators": ["g1"], "all": ["m1", "w1", "g1"]}
    found = facts({"warren_load_sandbox": False, **values}, groups=groups, host="g1", files=("/opt/warren",))
    assert (found["profile"], found["profile_seconds"], found["profile_interval"]) == (True, 5, 30)
    first, second = found["profilers"]
    assert (first["host"], first["managers"], second["host"], second["managers"]) == ("m1", True, "w1", False)
    assert [row["name"] for row in first["processes"]] == ["m1"]
    assert second["processes"][0]["pprof_url"].startswith("http://127.0.0.1:6060/debug/pprof/")
    assert second["dir"].endswith("/runs/profiles")
    assert found["profile_note"] == ""


def test_simulated_managers_have_no_profiles() -> None:
    found = facts({"warren_load_profile": True})
    assert found["profilers"] == []
    assert found["profile_note"].startswith("Simulated managers have no profiles: ")


def test_local_hosts_share_the_generators_sampler() -> None:
    groups = {"managers": ["m1"], "workers": [], "generators": ["localhost"], "all": ["m1"]}
    host_vars = {"m1": {"ansible_connection": "local"}}
    (sampler,) = facts({"warren_load_sandbox": False}, groups=groups, host_vars=host_vars)["samplers"]
    assert sampler["host"] == "localhost"
    assert [row["name"] for row in sampler["processes"]] == ["m1"]


def test_of_an_address_only_the_page_is_known() -> None:
    (far,) = facts({"warren_load_endpoint": "10.0.0.1:8080"})["samplers"][0]["processes"]
    assert far == {"name": "10.0.0.1:8080", "kind": "manager", "metrics_url": "http://10.0.0.1:9090/metrics"}
    (near,) = facts({"warren_load_endpoint": "127.0.0.1:8080"})["samplers"][0]["processes"]
    assert near["metrics_url"] == "http://127.0.0.1:9090/metrics"
    assert re.search(near["match"], "/warren cluster init --api-addr=127.0.0.1:8080")


def test_the_processes_that_each_host_is_asked_about() -> None:
    def asked(host: str, **more: Any) -> list[tuple[str, str]]:
        return [(row["name"], row["kind"]) for row in facts(host=host, **more)["node_processes"]]

    sandbox = {"warren_load_managers": 3, "warren_load_workers": 2}
    assert asked("localhost", values=sandbox) == [(name, "manager") for name in MANAGERS[:3]] + [
        ("hollow-workers", "other")
    ]
    real = {"warren_load_sandbox": False}
    groups = {"managers": ["m-1", "m-2"], "workers": ["m-2", "w-1"], "generators": ["gen"]}
    assert asked("gen", values=real, groups=groups) == []
    assert asked("m-1", values=real, groups=groups) == [("m-1", "manager")]
    assert asked("m-2", values=real, groups=groups) == [("m-2", "manager"), ("m-2", "worker")]
    found = facts(real, groups=groups, host="w-1", local=False)
    (row,) = found["node_processes"]
    assert row["pid_file"] == f"{found['node_dir']}/pid.json"
    assert re.match(row["match"], "/usr/local/bin/warren worker start --node-id w-1")


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [
        (None, 3600),
        (900, 900),
        ("900", 900),
        ("90s", 90),
        ("15m", 900),
        ("15 min", 900),
        ("1h30m", 5400),
        ("2d", 172800),
    ],
)
def test_how_long_a_load_is_held(given_: Any, seconds: float) -> None:
    found = facts({"hold": given_})
    assert found["errors"] == []
    assert found["hold"] == seconds


@pytest.mark.parametrize("given_", ["0", "0s", "soon", "-5", "15 minutes"])
def test_a_time_that_is_none(given_: str) -> None:
    (sentence,) = facts({"warren_load_hold": given_})["errors"]
    assert sentence.startswith("warren_load_hold is ")


def test_churn_is_a_percentage() -> None:
    assert facts({"churn": 101})["errors"] == [
        "warren_load_churn is 101: give the percentage of services to replace, 0 to 100."
    ]
    found = facts({"churn": 10, "hold": "15m"})
    assert (found["churn"], found["replaced"]) == (10, 70)
    assert facts({"hold": "15m"})["replaced"] == 0


@pytest.mark.parametrize(("hold", "interval"), [(30, None), (60, 60), ("1h", "90m")])
def test_a_churn_that_would_never_come(hold: Any, interval: Any) -> None:
    values = {"hold": hold, "warren_load_churn_interval": interval}
    (sentence,) = facts({**values, "churn": 10})["errors"]
    for word in ("warren_load_churn ", "(warren_load_churn_interval)", "(warren_load_hold)", "give a shorter"):
        assert word in sentence
    assert facts(values)["errors"] == []


def test_a_load_that_is_held_has_a_dozen_heaps() -> None:
    assert facts({"hold": "1h"})["hold_profile_interval"] == 300
    assert facts({"hold": 60})["hold_profile_interval"] == 30
    assert facts({"hold": "1h", "warren_load_profile_interval": 10})["hold_profile_interval"] == 10


def test_warren_is_started_with_finer_heap_profiles_only_where_asked() -> None:
    assert facts()["environment"] == {}
    assert facts({"warren_load_memory_profile_rate": "4096"})["environment"] == {"GODEBUG": "memprofilerate=4096"}
    (sentence,) = facts({"warren_load_memory_profile_rate": -1})["errors"]
    assert "warren_load_memory_profile_rate" in sentence


def test_a_sandbox_for_faults_has_somebody_to_take_over():
    found = facts({"warren_load_fault_target": "leader"})
    assert (len(found["manager_hosts"]), found["dialect"], found["workers_apart"]) == (3, "tasks", [])
    assert [row["name"] for row in found["fault"]["candidates"]] == ["manager-1", "manager-2", "manager-3"]
    assert found["create_rate"] == 1.0
    assert found["create_concurrency"] == 16
    found = facts({"warren_load_fault_target": "worker"})
    assert found["workers_apart"] == ["worker-1", "worker-2"]
    assert [row["name"] for row in found["fault"]["candidates"]] == ["worker-1", "worker-2"]
    assert facts()["fault"] == {}
    assert facts({"warren_load_fault_target": "the boss"})["errors"][0].endswith(
        "choose one of leader, follower, worker."
    )


def test_one_process_of_all_workers_cannot_lose_one():
    fleet = {"node": "hollow-workers", "name": "hollow-workers", "labels": {"workers": "2"}}
    found = facts({"warren_load_fault_target": "worker"}, running=[fleet])
    assert found["workers_apart"] == []
    assert any(error.startswith("One process is all workers of the sandbox that runs") for error in found["errors"])
    apart = [{**fleet, "node": f"worker-{n}", "labels": {"workers": "2", "workers_apart": "yes"}} for n in (1, 2)]
    found = facts({}, running=apart)  # as cluster-down finds them
    assert found["workers_apart"] == ["worker-1", "worker-2"]
    assert facts({"warren_load_fault_target": "worker"}, running=apart)["errors"] == []
