"""Whether the installed FAISS works on this machine: tried once, in a process of its own.

A FAISS built for another processor or GPU does not raise an error, it ends the process. So a tiny
search runs in a child process first. What came out is kept in the user's cache folder, and the next
start costs no child.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from corr.errors import FormatError
from corr.formats.atomic import replacing

TIME_LIMIT_S = 120.0
"""How long the child may take; a GPU's first start is slow."""

_DISTRIBUTIONS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs", "faiss")
_RAISED, _WRONG = 3, 4
"""Exit codes of the child; it has no other of its own."""

_PROGRAM = f"""
import json, sys
sys.path[:] = json.loads(sys.argv[1])
try:
    import faiss
    import numpy as np
    table = np.eye(32, 64, dtype=np.float32)
    bits = np.packbits(table.astype(bool), axis=1)
    truth, right = list(range(32)), True
    for rows, index in ((table, faiss.IndexFlatL2(64)), (bits, faiss.IndexBinaryFlat(64))):
        index.add(rows)
        right &= index.search(rows, 1)[1][:, 0].tolist() == truth
    if sys.argv[2] == "gpu":
        import torch
        import faiss.contrib.torch_utils
        for device in range(torch.cuda.device_count()):
            with torch.cuda.device(device):
                rows = torch.from_numpy(table).cuda()
                resources = faiss.StandardGpuResources()
                found = faiss.knn_gpu(resources, rows, rows, 1, device=device)[1]
                right &= found[:, 0].tolist() == truth
except Exception as error:
    sys.exit(print(f"{{type(error).__name__}}: {{error}}", file=sys.stderr) or {_RAISED})
sys.exit(0 if right else {_WRONG})
"""


@cache
def trouble(location: str, gpu: bool) -> str:
    """What is wrong with the FAISS package there, as the end of a sentence; empty if it works.

    A verdict is kept for the same package, processor and, with `gpu`, the same GPUs, driver and
    torch. That of an exception is not kept: installing what it names mends it.

    Args:
        location: its `__init__.py`.
        gpu: also search on each CUDA device that torch sees.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        return ""  # no interpreter that a child could run
    key, file = _key(location, gpu), cache_file()
    kept = _read(file)
    if key in kept:
        return kept[key]
    found, lasting = _try(gpu)
    if found and lasting:
        found += f" (tried once; delete '{file}' to try again)"
    if lasting:
        _keep(file, key, found)
    return found


def cache_file() -> Path:
    """Where verdicts are kept."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(folder) if folder else Path("~/.cache").expanduser()) / "corr" / "faiss.json"


def _try(gpu: bool) -> tuple[str, bool]:
    """The trouble, and whether it will be the same next time."""
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), "gpu" if gpu else "cpu"]
    try:
        child = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"does not finish a tiny search within {TIME_LIMIT_S:g} s", True
    except OSError:
        return "", False  # no process may be started here: the search itself must show
    if child.returncode == _RAISED and "no kernel image" not in child.stderr:
        return f"fails with {child.stderr.strip().splitlines()[-1]}", False
    return _verdict(child), True


def _verdict(child: subprocess.CompletedProcess[str]) -> str:
    if child.returncode == 0:
        return ""
    if child.returncode == _WRONG:
        return "gives wrong neighbours in a tiny search"
    if "no kernel image" in child.stderr:
        return f"has no code for this machine's GPU ({_gpus()})"
    return f"crashes in a tiny search ({_ending(child.returncode)})"


def _ending(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"


def _key(location: str, gpu: bool) -> str:
    """All that a verdict depends on, for a cache folder that several machines may share."""
    status = Path(location).stat()
    parts = [location, str(status.st_mtime_ns), str(status.st_size), platform.python_version()]
    for name in _DISTRIBUTIONS:
        with suppress(metadata.PackageNotFoundError):
            parts.append(f"{name} {metadata.version(name)}")
    parts.append(_processor())
    if gpu:
        import torch

        driver = Path("/proc/driver/nvidia/version")
        parts += [_gpus(), f"torch {torch.__version__}"]
        parts += driver.read_text().splitlines()[:1] if driver.is_file() else []
    return " | ".join(parts)


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> str:
    import torch

    count = torch.cuda.device_count()
    return ", ".join(sorted({torch.cuda.get_device_name(k) for k in range(count)}))


def _read(file: Path) -> dict[str, str]:
    """The verdicts that are kept; none where the file is missing or damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(file: Path, key: str, found: str) -> None:
    # Without a folder to write to, each start tries again.
    with suppress(OSError, FormatError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            text = json.dumps(_read(file) | {key: found}, indent=1)
            temporary.write_text(text, encoding="utf-8")
