"""What the installation brings and what the machine has: recipes, cards, weights, device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corr.errors import OptionError

if TYPE_CHECKING:
    import torch

_PACKAGE = Path(__file__).parent


def recipes_root() -> Path:
    """The folder of recipes: inside the wheel, or beside `corr/` in a checkout."""
    return _data_root("recipes")


def cards_root() -> Path:
    """The folder of data set cards: inside the wheel, or beside `corr/` in a checkout."""
    return _data_root("datasets")


def weights_root() -> Path:
    """The folder of shipped networks, one folder each."""
    return _PACKAGE / "weights"


def _data_root(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def available_memory(device: torch.device) -> int | None:
    """Bytes that can still be taken on a device; None where that cannot be known."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None


def resolve_device(device: str | torch.device | None = None) -> torch.device:
    """The device to compute on: the one given, else CUDA when present, else the CPU.

    Raises:
        OptionError: the device is not known or not present.
    """
    import torch

    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise OptionError(
            f"device '{device}' is not known; use 'cpu', 'cuda' or 'cuda:0'"
        ) from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise OptionError(f"device '{device}' is not present on this machine; use 'cpu'")
    return resolved
