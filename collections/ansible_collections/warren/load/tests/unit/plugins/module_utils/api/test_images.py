# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.images import unfit


@pytest.mark.parametrize(
    "image",
    [
        "registry.k8s.io/pause:3.9",
        "docker.io/library/nginx:alpine",
        "localhost/mine:1",
        "127.0.0.1:5000/pause:lab",
        "ghcr.io/a/b@sha256:0123456789abcdef",
    ],
)
def test_a_whole_name(image: str) -> None:
    assert unfit(image) == ""


@pytest.mark.parametrize(
    ("image", "whole"),
    [
        ("nginx:alpine", "docker.io/library/nginx:alpine"),
        ("nginx", "docker.io/library/nginx:latest"),
        ("library/nginx:1", "docker.io/library/nginx:1"),
        ("docker.io/library/nginx", "docker.io/library/nginx:latest"),
        ("127.0.0.1:5000/pause", "127.0.0.1:5000/pause:latest"),
    ],
)
def test_a_name_that_containerd_could_not_pull(image: str, whole: str) -> None:
    sentence = unfit(image)
    assert sentence.startswith(f"warren_load_image is '{image}', which ")
    assert sentence.endswith(f"such as {whole}.")
