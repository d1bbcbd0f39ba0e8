# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api.errors import classify
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS
from ansible_collections.warren.load.plugins.module_utils.phases import probe
from ansible_collections.warren.load.plugins.module_utils.phases.calling import describe
from ansible_collections.warren.load.plugins.plugin_utils.redaction import REMOVED, Secrets, is_secret, values_in
from ansible_collections.warren.load.plugins.plugin_utils.results import cleared, plain

TOKEN = "0123456789abcdef" * 4
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\ndef=\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"Worker Token:\n  {TOKEN}\nready",
        f"rc 1: warren worker start --token {TOKEN} --manager 10.0.0.1:8080",
        "rc 1: warren init --token=abcdefghij",
        "login failed: password=abcdefghij, try again",
        '{"join_token": "abcdefghij"}',
        "ansible_become_password: 'abcdefghij klm'",
        f"the file says {PEM} and so on",
        PEM[:40],
        "Authorization: Bearer abcdefghij.klm",
        "cannot fetch https://me:abcdefghij@10.0.0.1/warren",
    ],
)
def test_what_looks_secret_is_taken_out(text):
    found = Secrets().out_of(text)
    assert REMOVED in found
    for secret in (TOKEN, "abcdefghij", "MIIE", "klm"):
        assert secret not in found


@pytest.mark.parametrize(
    "text",
    [
        "invalid join token for role worker",
        "the token has expired",
        f"registry.k8s.io/pause@sha256:{TOKEN}",
        f"sha256 {TOKEN}",
        "3e010082-36fd-4c3e-b6cc-b51fd3ecc6bc",
        "dial tcp 10.0.0.1:8080: connection refused",
        "set warren_load_ca_file to the cluster's CA certificate.",
        "go tool pprof http://127.0.0.1:9090/debug/pprof/heap",
    ],
)
def test_what_does_not_is_kept(text):
    assert Secrets().out_of(text) == text


def test_a_digest_is_kept_where_it_is_called_one():
    assert Secrets().out_of(TOKEN, "sha256") == TOKEN
    assert Secrets().out_of(TOKEN, "pin") == TOKEN
    assert Secrets().out_of(TOKEN, "name") == REMOVED


def test_known_values_are_taken_out_wherever_they_stand():
    secrets = Secrets(["correct horse", "short", "correct horse battery"])
    assert secrets.out_of("xcorrect horse batteryx, correct horse") == f"x{REMOVED}x, {REMOVED}"
    assert secrets.out_of("a short answer", "sha256") == "a short answer"


@pytest.mark.parametrize("name", ["ansible_password", "ansible_ssh_pass", "vault_token", "db_passwd", "API_KEY"])
def test_names_that_are_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["warren_load_client_key_file", "ansible_ssh_private_key_file", "passes", "compass", "warren_load_seed"]
)
def test_names_that_are_not(name):
    assert not is_secret(name)


@pytest.mark.parametrize("method", METHODS)
def test_names_of_calls_are_not(method):
    assert not is_secret(method)
    error = describe(classify("UNKNOWN", "not the leader, current leader is at: 10.0.0.2:7946", method))
    assert Secrets().out_of(f"12,{error}") == f"12,{error}"
    assert not is_secret(error)


@pytest.mark.parametrize("text", ["DeleteSecret: password=abcdefghij", f"GenerateJoinToken: {TOKEN} is no token"])
def test_an_error_of_a_call_may_hold_a_secret(text):
    found = Secrets().out_of(text)
    assert found.partition(":")[0] == text.partition(":")[0]
    assert "abcdefghij" not in found
    assert TOKEN not in found


def test_the_errors_of_probes_are_told_and_counted():
    """As results.json and the samples get them: the write of a probe is DeleteSecret."""
    errors = {
        describe(classify("UNKNOWN", "not the leader, current leader is at: 10.0.0.2:7946", probe.WRITE)): 812,
        describe(classify("UNAVAILABLE", "connection refused", probe.WRITE)): 40,
        describe(classify("UNKNOWN", "invalid join token", "JoinCluster")): 2,
    }
    told = {"writes": {"probes": 1000, "errors": errors}}
    assert plain({"probe": told}) == {"probe": told}
    samples = "\n".join(f"{position},{text}" for position, text in enumerate(errors)).encode()
    assert cleared("probe-samples.csv", samples, Secrets()) == samples
    # What is no error's text is the name of a secret, whatever it holds.
    assert plain({"token": 5, "api_key": "abc", "Worker Token": "abc", "a token": 5}) == {
        "token": REMOVED,
        "api_key": REMOVED,
        "Worker Token": REMOVED,
        "a token": REMOVED,
    }


def test_values_of_variables():
    def template(value):
        if value == "{{ missing }}":
            raise ValueError(value)
        return value

    variables = {
        "ansible_password": "abcdefgh",
        "my_secret": "{{ missing }}",
        "tokens": {"a": ["one-token"], "b": 3},
        "other": "x",
    }
    assert values_in(variables, template) == ["abcdefgh", "one-token"]


@given(st.text(max_size=200), st.text(min_size=6, max_size=20))
def test_no_known_value_is_ever_left(text, value):
    found = Secrets([value]).out_of(f"{text}{value}{text}")
    assert value not in found or value in REMOVED
