"""Files that have to be refused, and what a folder holds before and after."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def truncated(path: str) -> None:
    whole = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (120, 140, 3), dtype=np.uint8)
    Image.fromarray(noise).save(whole, "JPEG" if path.endswith("jpg") else "PNG")
    Path(path).write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])


def huge(path: str, width: int = 20_000, height: int = 20_000) -> None:
    """A png with such a header; there are no pixels that could be decoded."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    Path(path).write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
