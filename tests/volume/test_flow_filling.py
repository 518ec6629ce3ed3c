import numpy as np
import pytest

from corr.volume.flow_filling import consistent, fill_flow


def _grid(height=24, width=32):
    return np.zeros((height, width, 2), np.float32), np.full((height, width, 3), 0.5)


def test_a_few_matches_give_all_cells_their_flow():
    flow, colours = _grid()
    flow[:] = (3, -2)
    known = np.random.default_rng(0).random(flow.shape[:2]) < 0.1
    sparse = np.where(known[..., None], flow, np.nan)
    filled = fill_flow(sparse, known.astype(float), colours)
    assert filled.dtype == np.float32
    np.testing.assert_allclose(filled, flow, atol=1e-2)


def test_flow_changes_where_the_colours_do():
    flow, colours = _grid()
    flow[:, 16:] = (8, 0)
    colours[:, 16:] = 0.9
    known = np.zeros(flow.shape[:2], bool)
    known[::6, 3], known[::6, 28] = True, True  # far from the edge on either side
    filled = fill_flow(np.where(known[..., None], flow, np.nan), known.astype(float), colours)
    assert np.abs(filled[:, :15] - flow[:, :15]).max() < 1
    assert np.abs(filled[:, 17:] - flow[:, 17:]).max() < 1


def test_a_false_match_costs_little():
    flow, colours = _grid()
    flow[12, 16] = (50, 40)
    filled = fill_flow(flow, np.ones(flow.shape[:2]), colours)
    assert np.linalg.norm(np.delete(filled.reshape(-1, 2), 12 * 32 + 16, 0), axis=1).max() < 1


def test_no_match_and_one_cell():
    nothing = np.full((4, 5, 2), np.nan, np.float32)
    assert (fill_flow(nothing, np.zeros((4, 5)), np.zeros((4, 5, 3))) == 0).all()
    one = np.float32([[[2, 3]]])
    np.testing.assert_allclose(fill_flow(one, np.ones((1, 1)), np.zeros((1, 1, 3))), one, atol=1e-4)


def test_matches_that_agree_with_those_around():
    flow, _ = _grid(9, 9)
    flow[4, 4] = (20, 0)  # alone
    flow[:, 7:] = (0, 9)  # another surface
    flow[0, 0] = np.nan
    kept = consistent(flow, 3.0)
    assert not kept[4, 4]
    assert not kept[0, 0]
    assert kept.sum() == pytest.approx(79, abs=2)
