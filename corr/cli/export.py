"""`corr export`."""

from __future__ import annotations

from pathlib import Path

from corr.cli.say import say
from corr.cli.sizes import parsed_size


def export(name: str, *, output: Path, size: str | None = None) -> None:
    """Write a network of patches or of flow as ONNX or as an exported PyTorch program.

    Args:
        name: a learned model of `corr models`, or a folder that training wrote.
        output: .onnx, or .pt2 for torch.export.load.
        size: height and width of the images of a network of flow; 384x512 when not given.
    """
    from corr.errors import ModelError
    from corr.formats.suffixes import check_output
    from corr.models.export import SUFFIXES, export_network
    from corr.models.saved import load_network
    from corr.pipeline.catalog import entries

    check_output(output, SUFFIXES)
    if any(entry.name == name and entry.kind == "classical" for entry in entries()):
        raise ModelError(f"model '{name}' is classical: it has no network to export")
    sides = None if size is None else parsed_size(size, "384x512")
    difference = export_network(load_network(name), output, size=sides)
    say(f"wrote {output}; its results differ from the network's by {difference:.1e} at most")
