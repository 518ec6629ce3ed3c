"""The main job on real photographs, as a page: train, match, measure disparity."""

from __future__ import annotations

from pathlib import Path


def run(out: Path) -> Path:
    """Train, match and measure disparity, and show it: the page written.

    Args:
        out: folder of the page; made when missing, files of an earlier run are replaced.

    Raises:
        OptionError: the folder cannot be made, or holds something else under a name of ours.
    """
    from corr.demo.story import tell

    return tell(out)
