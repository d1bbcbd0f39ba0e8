# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of images. Warren hands them to containerd as they are, which completes nothing."""

from __future__ import annotations


def unfit(image: str) -> str:
    """Why a real worker could never pull ``image``, as a sentence with the remedy; "" where the name is complete."""
    registry, slash, rest = image.partition("/")
    if not (slash and rest) or not ("." in registry or ":" in registry or registry == "localhost"):
        whole = f"docker.io/{image}" if slash else f"docker.io/library/{image}"
        lacking = "names no registry"
    elif "@" not in rest and ":" not in rest:
        whole, lacking = image, "has neither a tag nor a digest"
    else:
        return ""
    if "@" not in whole and ":" not in whole.rpartition("/")[2]:
        whole += ":latest"
    return (
        f"warren_load_image is {image!r}, which {lacking}: Warren completes no names, so workers could never pull it; "
        f"say it in full, such as {whole}."
    )
