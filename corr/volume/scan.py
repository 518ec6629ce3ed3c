"""Semi-global matching and read-out in torch, for a GPU; on a CPU `sweep` is faster."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int16, Int32, Int64, Integer, UInt8
from torch import Tensor

from corr.volume.correlation import right_view
from corr.volume.penalties import Penalties, StepPenalties
from corr.volume.presets import Preset
from corr.volume.readout import Subpixel, Winners
from corr.volume.sgm import checked_costs

_WALL = 16000
_NEVER = 1 << 20


def winners_on(
    device: torch.device,
    cost: Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"],
    guide: UInt8[np.ndarray, "H W"],
    inner: slice,
    chosen: Preset,
) -> Winners:
    """What `sweep` and `read_winners` find, computed on a device; the same numbers.

    Args:
        device: where to compute.
        cost: see `corr.volume.sgm.sweep`.
        guide: grey left image.
        inner: rows that are read out.
        chosen: settings of the paths and the read-out.

    Raises:
        ShapeError: the guide has another size than the volume.
        OptionError: costs of another type, or too high for 16 bits.
    """
    cost = checked_costs(cost, guide, chosen.penalties, chosen.num_paths)
    with torch.inference_mode():
        sweeps = scan(
            torch.from_numpy(cost.astype(np.int16)).to(device),
            torch.from_numpy(guide).to(device),
            chosen.penalties,
            num_paths=chosen.num_paths,
        )
        return read_scan(sweeps[:, inner], chosen.subpixel)


def scan(
    cost: Int16[Tensor, "H W D"],
    guide: UInt8[Tensor, "H W"],
    penalties: Penalties | StepPenalties,
    *,
    num_paths: int = 8,
) -> Int16[Tensor, "2 H W D"]:
    """The path costs that `corr.volume.sgm.sweep` computes, row by row for all columns at once.

    Args:
        cost: whole numbers; with the large penalty at most `MAX_PATH_COST`.
        guide: grey left image.
        penalties: P1 and P2.
        num_paths: 8, or 4 for rows and columns only.

    Source: Hirschmueller 2008, equations 13 and 14.
    """
    tables = [torch.from_numpy(t).to(cost.device) for t in penalties.tables(guide.cpu().numpy())]
    drifts = (1, 0, -1) if num_paths == 8 else (0,)
    levels = guide.short()
    both = torch.stack((cost, cost.flip(0, 1)))  # the second upside down, for the sweep upwards
    guides = torch.stack((levels, levels.flip(0, 1)))
    total = _scan(both, guides, tables, drifts)
    across = _scan(both.transpose(1, 2), guides.transpose(1, 2), tables, (0,))
    total += across.transpose(1, 2)
    total[1] = total[1].flip(0, 1)
    return total


def read_scan(sweeps: Int16[Tensor, "2 H W D"], subpixel: Subpixel) -> Winners:
    """The winners that `read_winners` finds, on the device of the volume."""
    total = sweeps[0].int() + sweeps[1]
    winner = total.argmin(2)  # the first of equal ones
    depth = total.shape[2]
    lowest = _at(total, winner)
    below = (_at(total, (winner - 1).clamp(min=0)) - lowest).double()
    above = (_at(total, (winner + 1).clamp(max=depth - 1)) - lowest).double()
    scale = torch.maximum(below, above) if subpixel == "equiangular" else below + above
    inside = (winner > 0) & (winner < depth - 1) & (scale > 0)
    offset = torch.where(inside, 0.5 * (below - above) / scale.clamp(min=1), 0)
    near = (torch.arange(depth, device=total.device) - winner[..., None]).abs() <= 1
    rival = total.masked_fill(near, _NEVER).amin(2)
    peak_ratio = (rival - lowest).double() / rival.clamp(min=1)
    peak_ratio = torch.where(rival == _NEVER, 0, peak_ratio)
    right = right_view(total, _NEVER).argmin(2)
    return Winners(
        (winner + offset).float().cpu().numpy(),
        peak_ratio.float().cpu().numpy(),
        right.int().cpu().numpy(),
    )


def _scan(
    cost: Int16[Tensor, "B N M D"],
    guide: Int16[Tensor, "B N M"],
    tables: list[Tensor],
    drifts: tuple[int, ...],
) -> Int16[Tensor, "B N M D"]:
    """The summed costs of paths that go from each row to the next, `drift` places to the side.

    The state has a place of zeros at either end of a row, from which paths begin, and a wall
    before the first and after the last disparity.
    """
    batch, num_rows, num_places, depth = cost.shape
    shape = batch, len(drifts), num_places
    state = F.pad(cost.new_zeros(*shape, depth), (1, 1), value=_WALL)
    state, lowest = F.pad(state, (0, 0, 1, 1)), cost.new_zeros(batch, len(drifts), num_places + 2)
    total = torch.empty_like(cost)
    for n in range(num_rows):
        before, least, difference = (
            torch.stack(parts, 1)
            for parts in zip(
                *(
                    (
                        state[:, p, 1 - drift : 1 - drift + num_places],
                        lowest[:, p, 1 - drift : 1 - drift + num_places],
                        _difference(guide, n, drift),
                    )
                    for p, drift in enumerate(drifts)
                ),
                strict=True,
            )
        )
        small, large = (table[difference] for table in tables)
        change = torch.minimum(before[..., :-2], before[..., 2:]) + small[..., None]
        best = torch.minimum(before[..., 1:-1], (least + large)[..., None])
        value = torch.minimum(best, change) - least[..., None] + cost[:, None, n]
        total[:, n] = value.sum(1, dtype=torch.int16)
        state[:, :, 1:-1, 1:-1] = value
        lowest[:, :, 1:-1] = value.amin(3)
    return total


def _difference(guide: Int16[Tensor, "B N M"], n: int, drift: int) -> Int64[Tensor, "B M"]:
    """In brightness, of each place of a row and where a path to it comes from."""
    row = guide[:, n]
    if n == 0:
        return torch.zeros_like(row, dtype=torch.int64)
    source = F.pad(guide[:, n - 1], (1, 1))[:, 1 - drift : 1 - drift + row.shape[1]]
    return (row - source).abs().long()


def _at(total: Int32[Tensor, "H W D"], place: Int64[Tensor, "H W"]) -> Int32[Tensor, "H W"]:
    return total.gather(2, place[..., None])[..., 0]
