"""`corr show`: what a file of flow or disparity holds."""

from pathlib import Path

import numpy as np
from typed import run

from corr.formats import read_image, write_disparity, write_flow, write_image


def test_show_says_what_a_file_holds(capsys):
    flow = np.zeros((30, 40, 2), np.float32)
    flow[..., 0], flow[0, 0] = 3, (-9, 12)
    flow[:15, :20] = np.nan
    write_flow("f.flo", flow)
    assert run("show", "f.flo") == 0
    out = capsys.readouterr().out
    assert out == (
        "f.flo: flow, 40 x 30 px, 75.0 % known, x 3.00 to 3.00, y 0.00 to 0.00 px, length up to "
        "3.00, median 3.00; wrote f-drawn.png\n"
    )
    assert read_image("f-drawn.png").shape[0] > 30
    disparity = np.linspace(1, 9, 1200, dtype=np.float32).reshape(30, 40)
    for name in ("d.pfm", "d.npy", "d16.png"):
        write_disparity(name, disparity)
        assert run("show", name, "-o", "d.jpg", "--max-value", "20") == 0
        assert (
            f"{name}: disparity, 40 x 30 px, 100.0 % known, 1.00 to 9.00" in capsys.readouterr().out
        )
    for name in ("k.png", "k.npy"):
        write_flow(name, flow)
        assert run("show", name) == 0
        assert f"{name}: flow, 40 x 30 px, 75.0 % known" in capsys.readouterr().out
    write_flow("n.flo", np.full((3, 4, 2), np.nan, np.float32))
    assert run("show", "n.flo") == 0
    assert "n.flo: flow, 4 x 3 px, 0.0 % known; wrote" in capsys.readouterr().out


def test_show_draws_sceneflows_flow(capsys):
    rows = np.zeros((3, 4, 3), np.float32)
    rows[..., 0] = 5
    Path("c.pfm").write_bytes(b"PF\n4 3\n-1.0\n" + rows.tobytes())
    assert run("show", "c.pfm") == 0
    assert "c.pfm: flow, 4 x 3 px, 100.0 % known, x 5.00 to 5.00" in capsys.readouterr().out


def test_show_refuses_what_is_broken(refused):
    write_flow("f.flo", np.zeros((3, 4, 2), np.float32))
    write_flow("k.png", np.zeros((3, 4, 2), np.float32))
    write_disparity("d.pfm", np.ones((3, 4), np.float32))
    for name in ("f.flo", "k.png", "d.pfm"):
        whole = Path(name).read_bytes()
        for content in (b"", whole[:10], whole[:-5]):
            Path(name).write_bytes(content)
            assert f"'{name}' is " in refused("show", name)
        Path(name).unlink()
        assert f"there is no file '{name}'" in refused("show", name)
    Path("f.flo").mkdir()
    assert "'f.flo' is a folder, not a file" in refused("show", "f.flo")


def test_show_refuses_what_is_neither(refused):
    write_image("a.jpg", read_image("a.png"))
    assert "is not accepted here; use .flo, .npy, .png or .pfm" in refused("show", "a.jpg")
    assert "has 8 bits and 3 channels" in refused("show", "a.png", "-o", "p.png")
    np.save("four.npy", np.zeros((2, 3, 4)))
    assert "'four.npy' holds (2, 3, 4) values; flow is (H, W, 2)" in refused("show", "four.npy")
    write_flow("f.flo", np.zeros((3, 4, 2), np.float32))
    assert "--max-value is -1.0" in refused("show", "f.flo", "--max-value", "-1")
    assert "'f.flo' cannot be written" not in refused("show", "f.flo", "-o", "p.gif")
    write_flow("x-drawn.png", np.zeros((3, 4, 2), np.float32))
    assert "is one of the images" in refused("show", "x-drawn.png", "-o", "x-drawn.png")
