"""Cells of an image: where they are, and what of their flow holds for pixels."""

import torch

from corr.geometry import cell_centres, pixel_grid, spread_flow


def test_centres_are_those_of_the_reduced_image():
    centres = cell_centres((6, 9), 4)
    assert centres.shape == (2, 3, 2)
    assert centres[0, :, 0].tolist() == [1.5, 5.5, 8.0]  # the last is cut by the border
    assert centres[:, 0, 1].tolist() == [1.5, 5.0]
    assert torch.equal(cell_centres((3, 5), 1), pixel_grid(3, 5))
    assert cell_centres((1, 1), 4).tolist() == [[[0.0, 0.0]]]


def test_flow_of_a_zoom_is_linear_between_centres():
    size = (18, 25)
    flow = 0.5 * cell_centres(size, 4)
    spread = spread_flow(flow, 4, size)
    inner = spread[2:16, 2:]
    torch.testing.assert_close(inner, 0.5 * pixel_grid(*size)[2:16, 2:])
    assert torch.equal(spread_flow(flow[:, :, :], 4, size)[0, 0], flow[0, 0])


def test_edges_and_unknown_cells_stay():
    flow = torch.zeros(3, 4, 2)
    flow[:, 2:] = 100.0
    flow[0, 0] = torch.nan
    spread = spread_flow(flow, 4, (12, 16))
    assert set(spread[4:].unique().tolist()) == {0.0, 100.0}
    assert (spread[4:, :8] == 0).all() and (spread[4:, 8:] == 100).all()
    unknown = spread.isnan().any(-1)
    assert unknown[:4, :4].all() and unknown.sum() == 16
