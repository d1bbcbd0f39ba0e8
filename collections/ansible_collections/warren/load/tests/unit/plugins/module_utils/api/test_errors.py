# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every text of facts/warren.md 3.7, and what a client may conclude from it."""

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.api import errors

TEXTS = [
    ("not the leader, current leader is at: 10.0.0.2:7946", errors.NotLeader),
    ("not leader, forward to leader", errors.NotLeader),
    ("failed to update node: failed to apply command: node is not the leader", errors.NotLeader),
    ("no leader elected yet", errors.NoLeader),
    (
        "failed to create service: failed to apply command: leadership lost while committing log",
        errors.OutcomeUnknown,
    ),
    ("failed to create service: failed to apply command: timed out enqueuing operation", errors.OutcomeUnknown),
    ("failed to create service: failed to apply command: raft is already shutdown", errors.OutcomeUnknown),
    ("service not found: service not found: web", errors.NotFound),
    ("task not found: task not found: 1", errors.NotFound),
    ("failed to get secret: secret not found: s", errors.NotFound),
    ("invalid token: token expired", errors.InvalidToken),
    ("invalid join token: invalid token", errors.InvalidToken),
    ("WatchContainers not yet implemented", errors.Unimplemented),
    ("either id or name must be specified", errors.Rejected),
    ("ingress web already exists", errors.Rejected),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_warrens_texts(text: str, kind: type[errors.WarrenError]) -> None:
    error = errors.classify("UNKNOWN", text, "CreateService")
    assert error.__class__ is kind
    assert text in str(error)
    assert errors.outcome_is_unknown(error) is (kind is errors.OutcomeUnknown)


def test_a_follower_names_the_leaders_raft_address() -> None:
    error = errors.classify("UNKNOWN", "not the leader, current leader is at: 10.0.0.2:7946")
    assert isinstance(error, errors.NotLeader)
    assert error.raft_address == "10.0.0.2:7946"


@pytest.mark.parametrize(
    ("code", "text", "kind", "unknown"),
    [
        (
            "UNAVAILABLE",
            "failed to connect to all addresses; last error: Connection refused",
            errors.Unreachable,
            False,
        ),
        ("UNAVAILABLE", "Socket closed", errors.Unreachable, True),
        ("UNAVAILABLE", "recvmsg:Connection reset by peer", errors.Unreachable, True),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", errors.DeadlineExceeded, True),
        ("CANCELLED", "Locally cancelled by application!", errors.OutcomeUnknown, True),
        ("RESOURCE_EXHAUSTED", "trying to send message larger than max", errors.ReplyTooLarge, False),
        ("UNIMPLEMENTED", "unknown method ListContainers", errors.Unimplemented, False),
        ("PERMISSION_DENIED", "write operations not allowed on Unix socket", errors.PermissionDenied, False),
        ("INTERNAL", "Received RST_STREAM with error code 2", errors.OutcomeUnknown, True),
        ("UNKNOWN", "Stream removed", errors.OutcomeUnknown, True),
        ("FAILED_PRECONDITION", "anything", errors.Rejected, False),
    ],
)
def test_codes(code: str, text: str, kind: type[errors.WarrenError], unknown: bool) -> None:
    error = errors.classify(code, text)
    assert error.__class__ is kind
    assert errors.outcome_is_unknown(error) is unknown
