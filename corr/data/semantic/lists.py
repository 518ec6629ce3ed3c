"""Published lists of pairs and tables of annotations, as text."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from corr.data.layouts import require
from corr.errors import DatasetError


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The lines of a `.csv` by the names in its header.

    Raises:
        DatasetError: it is no text, or lacks a column or a value.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"'{path}' is not a .csv that can be read: {error}") from error
    if not rows:
        raise DatasetError(f"'{path}' lists nothing")
    for row in rows:
        lacking = [name for name in columns if not row.get(name)]
        if lacking:
            raise DatasetError(f"'{path}' lacks '{lacking[0]}'; its header needs {list(columns)}")
    return rows


def read_json(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """The object in a `.json` file, in which these keys have to be.

    Raises:
        DatasetError: it is missing, no JSON, or lacks a key.
    """
    require(path.parent, path.stem, (path.suffix,))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"'{path}' is not a .json file, or it is damaged") from error
    lacking = [key for key in keys if key not in content]
    if lacking:
        raise DatasetError(f"'{path}' lacks '{lacking[0]}'")
    return dict(content)


def read_numbers(path: Path, columns: int) -> Float[np.ndarray, "R C"]:
    """The numbers of a text with so many in each line.

    Raises:
        DatasetError: it is missing, empty, or a line holds something else.
    """
    require(path.parent, path.stem, (path.suffix,))
    try:
        rows = [[float(word) for word in line.split()] for line in path.read_text().splitlines()]
        return np.array(rows, np.float64).reshape(-1, columns)
    except ValueError as error:
        raise DatasetError(f"'{path}' has a line that is not {columns} numbers") from error


def read_names(path: Path) -> dict[int, str]:
    """A text whose lines are a number and a name.

    Raises:
        DatasetError: it is missing, empty, or a line is something else.
    """
    require(path.parent, path.stem, (path.suffix,))
    try:
        lines = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines()]
        return {int(number): name.strip() for number, name in lines}
    except ValueError as error:
        raise DatasetError(f"'{path}' has a line that is not a number and a name") from error
