"""Folders that a long work fills, and goes on with when it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def claim(folder: Path, name: str, settings: Mapping[str, Any]) -> None:
    """Make the folder, and note in the file `name` by which settings it is filled.

    Raises:
        OptionError: it was filled by others, or cannot be made.
    """
    from corr.errors import OptionError
    from corr.formats.atomic import make_folder, replacing

    make_folder(folder)
    record = folder / name
    if not record.exists():
        with replacing(record) as temporary:
            temporary.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        return
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"'{record}' cannot be read; give another folder") from error
    changed = [key for key in settings if before.get(key) != settings[key]]
    if changed:
        raise OptionError(
            f"'{folder}' holds results of another {' and '.join(changed)} ('{record}' says "
            "which); give another folder"
        )
