"""A FAISS index in a file, which appears whole or not at all.

It is FAISS's own file, which any FAISS reads, and behind it a record: what FAISS does not keep
(cosine and dot are one metric to it), and the size and checksum that tell a damaged file from a
sound one. FAISS itself may end the process over a damaged one.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from corr.errors import FormatError, OptionError
from corr.formats.atomic import replacing

_MARK = b"corr-faiss-1"
_LENGTH = 4
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Record:
    """What corr knows of an index beyond FAISS."""

    description: str
    metric: str
    training: str
    """Digest of the index when it was trained and empty; shards that may be merged share it."""


def write(library: ModuleType, path: str | Path, index: Any, record: Record) -> None:
    """Write an index that is on the CPU.

    Raises:
        FormatError: the file cannot be written there.
    """
    with replacing(path) as temporary:
        try:
            if record.metric == "hamming":
                library.write_index_binary(index, str(temporary))
            else:
                library.write_index(index, str(temporary))
        except RuntimeError as error:
            raise FormatError(f"'{path}' cannot be written: {_last_line(error)}") from error
        size = temporary.stat().st_size
        entry = asdict(record) | {"size": size, "checksum": _checksum(temporary, size)}
        text = json.dumps(entry).encode()
        with temporary.open("ab") as file:
            file.write(text + len(text).to_bytes(_LENGTH, "little") + _MARK)


def read(
    library: ModuleType, path: str | Path, *, memory_map: bool, metric: str | None
) -> tuple[Any, Record]:
    """The index and its record.

    Args:
        library: FAISS.
        path: a file that `write` made, or, where a metric is given, one of FAISS's own.
        memory_map: leave the vectors in the file and read them as a search needs them; the size is
            checked then, the checksum not.
        metric: refuse an index of another.

    Raises:
        FormatError: the file is missing, damaged or no FAISS index.
        OptionError: it was built for another metric.
    """
    path = Path(path)
    if not path.is_file():
        raise FormatError(f"'{path}' cannot be read: there is no such file")
    entry = _entry(path)
    if entry is None:
        if metric is None:
            raise FormatError(
                f"'{path}' is cut off or was not written by corr; for a file of FAISS's own, give "
                "its metric"
            )
        record = Record("a file of FAISS's own", metric, "")
    else:
        record = Record(entry["description"], entry["metric"], entry["training"])
        if metric not in (None, record.metric):
            raise OptionError(f"'{path}' was built for metric '{record.metric}', not '{metric}'")
        if not memory_map and _checksum(path, entry["size"]) != entry["checksum"]:
            raise FormatError(f"'{path}' is damaged: its checksum differs; build the index again")
    flags = getattr(library, "IO_FLAG_MMAP_IFC", library.IO_FLAG_MMAP) if memory_map else 0
    reader = library.read_index_binary if record.metric == "hamming" else library.read_index
    try:
        index = reader(str(path), flags)
    except (RuntimeError, MemoryError) as error:
        raise FormatError(f"'{path}' is no FAISS index: {_last_line(error)}") from error
    if record.metric != "hamming" and (index.metric_type == library.METRIC_L2) != (
        record.metric == "l2"
    ):
        found = "'l2'" if index.metric_type == library.METRIC_L2 else "'dot' or 'cosine'"
        raise OptionError(f"'{path}' was built for metric {found}, not '{record.metric}'")
    return index, record


def _entry(path: Path) -> dict[str, Any] | None:
    """The record at the end of a whole file, else None."""
    total = path.stat().st_size
    ending = _LENGTH + len(_MARK)
    if total < ending:
        return None
    with path.open("rb") as file:
        file.seek(total - ending)
        tail = file.read()
        length = int.from_bytes(tail[:_LENGTH], "little")
        if tail[_LENGTH:] != _MARK or length > total - ending:
            return None
        file.seek(total - ending - length)
        try:
            entry: dict[str, Any] = json.loads(file.read(length))
        except ValueError:
            return None
    return entry if entry.get("size") == total - ending - length else None


def _checksum(path: Path, size: int) -> int:
    """CRC-32 of the first bytes of a file."""
    value = 0
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(_BLOCK, size))):
            value = zlib.crc32(block, value)
            size -= len(block)
    return value


def _last_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1].rpartition("Error: ")[2] if str(error) else "memory"
