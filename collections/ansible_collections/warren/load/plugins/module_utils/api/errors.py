# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Warren server's refusal means: typed errors from gRPC codes and Warren's texts.

Warren's handlers return plain Go errors, so nearly every refusal is code UNKNOWN and only its text tells them apart.
"""

from __future__ import annotations

import re
import typing as t


class WarrenError(Exception):
    """A call that Warren did not answer with a reply.

    ``code`` is the gRPC code's name (UNKNOWN), ``details`` the server's text, ``method`` the canonical RPC name
    (empty where no RPC was made), ``attempts`` how often the call was sent before it was given up.
    """

    def __init__(self, details: str, code: str = "UNKNOWN", method: str = "") -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.method = method
        self.attempts = 1

    def __str__(self) -> str:
        call = f"{self.method}: " if self.method else ""
        return f"{call}{self.details or 'no text'} ({self.code})"


class NotLeader(WarrenError):
    """A follower refused a write; ``raft_address`` is the leader's Raft address, None where the text names none."""

    def __init__(self, details: str, code: str = "UNKNOWN", method: str = "", raft_address: str | None = None) -> None:
        super().__init__(details, code, method)
        self.raft_address = raft_address


class NoLeader(WarrenError):
    """The cluster has no leader at the moment; nothing was written."""


class OutcomeUnknown(WarrenError):
    """A write that may or may not have been committed: it must not be blindly repeated.

    ``sent_at`` is when it was last sent, on the monotonic clock, in s.
    """

    sent_at = 0.0


class NotFound(WarrenError):
    """The service, node, container, secret or volume does not exist."""


class InvalidToken(WarrenError):
    """A join token that the manager does not know, or that has expired or is for another role."""


class Unimplemented(WarrenError):
    """The server has no such RPC: another dialect or version, or an RPC that Warren never implemented."""


class ReplyTooLarge(WarrenError):
    """A message over the receiver's limit (4 MiB where nobody raised it)."""


class Unreachable(WarrenError):
    """Nobody answered at the address; where ``sent`` is False, the request never left."""

    def __init__(self, details: str, code: str = "UNAVAILABLE", method: str = "", sent: bool = True) -> None:
        super().__init__(details, code, method)
        self.sent = sent


class DeadlineExceeded(WarrenError):
    """The reply did not come in time; a write's outcome is unknown."""


class PermissionDenied(WarrenError):
    """A write on the read-only Unix socket."""


class Rejected(WarrenError):
    """Any other refusal, with Warren's own text."""


class SecurityError(WarrenError):
    """TLS cannot be agreed on: wrong CA, plaintext to a TLS server, the reverse, or a changed pin."""

    def __str__(self) -> str:
        return self.details


_NOT_LEADER = re.compile(r"not the leader, current leader is at: (\S*)")
# Each text says that a proposal was in flight when leadership or the enqueue time-out ended it (facts/warren.md 3.7).
_UNKNOWN_OUTCOME = ("leadership lost while committing log", "timed out enqueuing operation", "raft is already shutdown")
# gRPC's own, for a stream that a dying connection took along.
_STREAM_LOST = ("stream removed", "rst_stream")
_NO_LEADER = ("no leader elected yet",)
_FOLLOWER = ("node is not the leader", "not leader, forward to leader", "leadership transfer in progress")
_INVALID_TOKEN = ("invalid token", "invalid join token")
_NOT_FOUND = re.compile(r"\b(service|node|container|task|secret|volume|ingress|certificate) not found\b")
_NOT_IMPLEMENTED = ("not yet implemented",)
# gRPC's own texts for a connection that never came to be: the request cannot have reached the server.
_NEVER_SENT = ("failed to connect to all addresses", "connection refused", "name resolution", "dns resolution")


def _classify_text(details: str, method: str) -> WarrenError:
    match = _NOT_LEADER.search(details)
    if match:
        return NotLeader(details, method=method, raft_address=match.group(1) or None)
    if any(text in details for text in _UNKNOWN_OUTCOME) or any(text in details.lower() for text in _STREAM_LOST):
        return OutcomeUnknown(details, method=method)
    kinds: tuple[tuple[type[WarrenError], tuple[str, ...]], ...] = (
        (NoLeader, _NO_LEADER),
        (NotLeader, _FOLLOWER),
        (InvalidToken, _INVALID_TOKEN),
        (Unimplemented, _NOT_IMPLEMENTED),
    )
    for kind, texts in kinds:
        if any(text in details for text in texts):
            return kind(details, method=method)
    if _NOT_FOUND.search(details):
        return NotFound(details, method=method)
    return Rejected(details, method=method)


def classify(code: str, details: str, method: str = "") -> WarrenError:
    """The typed error of a gRPC status: ``code`` by name (``"UNKNOWN"``), ``details`` as the server wrote it."""
    if code == "UNKNOWN":
        return _classify_text(details, method)
    if code == "UNAVAILABLE":
        never_sent = any(text in details.lower() for text in _NEVER_SENT)
        return Unreachable(details, code, method, sent=not never_sent)
    kinds: dict[str, type[WarrenError]] = {
        "DEADLINE_EXCEEDED": DeadlineExceeded,
        "CANCELLED": OutcomeUnknown,
        "INTERNAL": OutcomeUnknown,  # never Warren's: a broken stream, or a reply that cannot be read
        "RESOURCE_EXHAUSTED": ReplyTooLarge,
        "UNIMPLEMENTED": Unimplemented,
        "PERMISSION_DENIED": PermissionDenied,
    }
    return kinds.get(code, Rejected)(details, code, method)


def from_rpc(error: t.Any, method: str = "") -> WarrenError:
    """The typed error of a ``grpc.RpcError`` (aio or not) that ``method`` raised."""
    return classify(error.code().name, error.details() or "", method)


def outcome_is_unknown(error: WarrenError) -> bool:
    """Whether a write that ended in ``error`` may have been committed all the same."""
    if isinstance(error, Unreachable):
        return error.sent
    return isinstance(error, (OutcomeUnknown, DeadlineExceeded))
