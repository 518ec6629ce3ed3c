"""A wall before two cameras: where it is seen, and the calibration that says how far it is."""

from pathlib import Path

SHIFT = 12
"""How far to the right the second camera's pixels lie in the photograph, px."""


def calibration(text: str = "") -> Path:
    path = Path("calib.txt")
    path.write_text(
        "cam0=[300 0 114; 0 300 60; 0 0 1]\ncam1=[300 0 114; 0 300 60; 0 0 1]\ndoffs=0\n"
        f"baseline=80\nwidth=228\nheight=120\nndisp=32\n{text}"
    )
    return path
