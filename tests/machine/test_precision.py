"""bfloat16 where the processor multiplies it, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from corr.machine.precision import fast_precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 fma", "32-true"),
        ("fpu avx512f avx512_bf16", "bf16-mixed"),
        ("amx_tile amx_bf16", "bf16-mixed"),
        ("avx512_bf16_not_this", "32-true"),
    ],
)
def test_the_flags_of_the_processor_decide(tmp_path: Path, flags: str, expected: str):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: X\nflags\t\t: {flags}\nbugs\t: \n")
    assert fast_precision(path, accelerator="cpu") == expected


def test_without_a_list_of_flags_float32_is_used(tmp_path: Path):
    assert fast_precision(tmp_path / "none", accelerator="cpu") == "32-true"
    (tmp_path / "arm").write_text("processor : 0\nFeatures : fp asimd\n")
    assert fast_precision(tmp_path / "arm", accelerator="cpu") == "32-true"
