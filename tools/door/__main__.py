"""Copy the checks that snippets call into them: ``python -m tools.door [FILE…]``."""

import sys
from pathlib import Path

from tools.door.copies import SNIPPETS, with_checks


def main(paths: list[Path]) -> int:
    """Write the files whose copies change, name those at fault; return the code."""
    code = 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            new = with_checks(text)
        except ValueError as error:
            print(f"{path}: {error}", file=sys.stderr)
            code = 1
            continue
        if new != text:
            path.write_text(new, encoding="utf-8")
            print(path)
    return code


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]] or SNIPPETS))
