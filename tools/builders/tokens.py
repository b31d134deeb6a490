"""The colours of the design, for what is made outside of the site's pages and so sees no stylesheet."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tools.guards.fences import ROOT

TOKENS = "docs/assets/css/tokens.css"


@cache
def colours(root: Path = ROOT) -> dict[str, tuple[str, str]]:
    """Return each colour by its name: in the light scheme, and in the dark one."""
    text = (root / TOKENS).read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\);", text)
    return {name: (light, dark) for name, light, dark in found}
