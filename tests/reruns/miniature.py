"""The domains' quickstarts, so small that they train in a second: those of the long proof."""

from __future__ import annotations

from science.core.config import load

MINIATURE = {
    name: about["overrides"]
    for name, about in load("reproducibility/proof")["protocol"]["experiments"].items()
}
