"""The state of the source that a number was measured with."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_NO_INFLUENCE = ("bench", "cli", "demo", "drawing")
"""Units whose source cannot change a score."""


@lru_cache(maxsize=1)
def source_sha256() -> str:
    """Of corr's own code as far as it makes the numbers."""
    digest = hashlib.sha256()
    for path in sorted(_ROOT.rglob("*.py")):
        relative = path.relative_to(_ROOT)
        if relative.parts[0] not in _NO_INFLUENCE:
            digest.update(f"{relative.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def commit() -> str | None:
    """The git commit of the checkout that corr runs from, with `+` after it where files differ.

    Nothing when corr is installed elsewhere, or git is not.
    """
    checkout, git = _ROOT.parent, shutil.which("git")
    if git is None or not (checkout / ".git").exists():
        return None

    def ask(*arguments: str) -> str | None:
        done = subprocess.run(
            [git, "-C", str(checkout), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    head = ask("rev-parse", "HEAD")
    changed = ask("status", "--porcelain", "--untracked-files=no")
    return head if head is None else f"{head}{'+' if changed else ''}"
