from inspect import unwrap

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corr.errors import OptionError, ShapeError
from corr.volume.correlation import correlate, correlate_rows, correlation_layer, right_view

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 0.02}
"""Of sums of up to five products of numbers about 1, relative to the largest sum."""


def _naive(first, second, rows, columns):
    """One pair of pixels at a time, in float64."""
    first, second = first.double(), second.double()
    batch, _, height, width = first.shape
    scores = torch.zeros(batch, height, width, len(rows), len(columns), dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            for i, dy in enumerate(rows):
                for j, dx in enumerate(columns):
                    if 0 <= y + dy < height and 0 <= x + dx < width:
                        products = first[:, :, y, x] * second[:, :, y + dy, x + dx]
                        scores[:, y, x, i, j] = products.sum(1)
    return scores


@st.composite
def _windows(draw, most):
    """Displacements of any sign, order and step, those beyond the map too."""
    start = draw(st.integers(-8, 8))
    step = draw(st.sampled_from([-3, -2, -1, 1, 2, 3]))
    return range(start, start + step * draw(st.integers(1, most)), step)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, limit) for limit in (2, 5, 11, 13)]),
    rows=_windows(4),
    columns=_windows(5),
    dtype=st.sampled_from(list(TOLERANCE)),
    seed=st.integers(0, 1000),
)
def test_any_window_of_any_map_equals_a_naive_loop(shape, rows, columns, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, *shape, generator=generator).to(dtype)
    expected = _naive(first, second, rows, columns)
    found = correlate(first, second, rows, columns)
    assert found.dtype == dtype
    tolerance = TOLERANCE[dtype] * max(1, float(expected.abs().max()))
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance)


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 3),
    width=st.integers(1, 140),
    depth=st.integers(1, 90),
    dtype=st.sampled_from(list(TOLERANCE)),
)
def test_rows_of_both_views_equal_a_naive_loop(height, width, depth, dtype):
    generator = torch.Generator().manual_seed(width)
    left, right = torch.randn(2, 4, height, width, generator=generator).to(dtype)
    products = left.double()[..., :, None] * right.double()[..., None, :]
    scores = products.sum(0)  # of each left pixel with each right one of its row
    expected = torch.zeros(2, height, width, depth, dtype=torch.float64)
    for x in range(width):
        for d in range(depth):
            if x - d >= 0:
                expected[0, :, x, d] = scores[:, x, x - d]
            if x + d < width:
                expected[1, :, x, d] = scores[:, x + d, x]
    found = correlate_rows(left, right, depth)
    tolerance = TOLERANCE[dtype] * max(1, float(expected.abs().max()))
    torch.testing.assert_close(found.double(), expected[0], rtol=0, atol=tolerance)
    torch.testing.assert_close(right_view(found).double(), expected[1], rtol=0, atol=tolerance)


def test_the_right_view_is_marked_where_the_left_one_ends():
    volume = torch.arange(6.0).reshape(1, 3, 2)  # left pixel x at disparity d is 2 x + d
    assert right_view(volume, outside=-1).tolist() == [[[0, 3], [2, 5], [4, -1]]]
    assert right_view(volume.int(), outside=-1).dtype == torch.int32


@pytest.mark.parametrize(
    ("rows", "columns"), [(range(1), range(0, -3, -1)), (range(-2, 3, 2), range(-2, 3, 2))]
)
def test_scores_carry_gradients(rows, columns):
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(
        2, 1, 2, 4, 6, generator=generator, dtype=torch.float64, requires_grad=True
    ).unbind()
    assert torch.autograd.gradcheck(lambda a, b: correlate(a, b, rows, columns), maps)
    assert torch.autograd.gradcheck(lambda a, b: right_view(correlate_rows(a[0], b[0], 3)), maps)


def test_the_layer_of_flownetc_has_its_441_channels_in_published_order():
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 1, 3, 9, 11, generator=generator)
    found = correlation_layer(first, second)
    assert found.shape == (1, 441, 9, 11)
    channel = 21 * (10 + 2) + (10 - 1)  # 2 steps of 2 px down, one to the left
    expected = (first[0, :, 3, 6] * second[0, :, 3 + 4, 6 - 2]).mean()
    torch.testing.assert_close(found[0, channel, 3, 6], expected)


def test_the_layer_compares_patches_at_strides():
    generator = torch.Generator().manual_seed(1)
    first, second = torch.randn(2, 1, 2, 7, 8, generator=generator)
    found = correlation_layer(first, second, 2, dilation=2, kernel_size=3, stride=3)
    assert found.shape == (1, 9, 3, 3)
    total = 0.0
    for oy in (-1, 0, 1):
        for ox in (-1, 0, 1):
            y, x = 3 + oy, 3 + ox
            total += float((first[0, :, y, x] * second[0, :, y + 2, x - 2]).sum())
    torch.testing.assert_close(float(found[0, 6, 1, 1]), total / (2 * 9))


def _naive_layer(first, second, max_displacement=20, *, dilation=2, kernel_size=1, stride=1):
    """By shifting the second map once for each displacement, and its patches."""
    reach = max_displacement // dilation * dilation
    half = kernel_size // 2
    height, width = first.shape[2:]
    margin = reach + half
    near = F.pad(first, 4 * (half,))
    far = F.pad(second, 4 * (margin,))
    channels = []
    for dy in range(-reach, reach + 1, dilation):
        for dx in range(-reach, reach + 1, dilation):
            total = 0
            for oy in range(kernel_size):
                for ox in range(kernel_size):
                    y, x = margin + dy + oy - half, margin + dx + ox - half
                    a = near[:, :, oy : oy + height, ox : ox + width]
                    total = total + (a * far[:, :, y : y + height, x : x + width]).sum(1)
            channels.append(total / first.shape[1] / kernel_size**2)
    return torch.stack(channels, 1)[:, :, ::stride, ::stride]


LAYERS = st.fixed_dictionaries(
    {
        "max_displacement": st.integers(0, 7),
        "dilation": st.integers(1, 3),
        "kernel_size": st.sampled_from([1, 3]),
        "stride": st.integers(1, 3),
    }
)


@pytest.mark.parametrize("exporting", [False, True])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(shape=st.tuples(*[st.integers(1, limit) for limit in (2, 4, 11, 19)]), layer=LAYERS)
def test_the_layer_and_its_gradients_equal_the_naive_loop(exporting, shape, layer, monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: exporting)
    generator = torch.Generator().manual_seed(sum(shape))
    maps = torch.randn(2, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
    found, expected = correlation_layer(*maps, **layer), _naive_layer(*maps, **layer)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    (slope,) = torch.autograd.grad((found * weights).sum(), maps)
    (expected_slope,) = torch.autograd.grad((expected * weights).sum(), maps)
    torch.testing.assert_close(slope, expected_slope, rtol=0, atol=1e-10)


def test_flownetcs_layer_and_its_gradients_equal_the_naive_loop():
    generator = torch.Generator().manual_seed(4)
    maps = torch.randn(2, 1, 8, 21, 30, generator=generator, dtype=torch.float64)
    maps.requires_grad_(True)
    found, expected = correlation_layer(*maps), _naive_layer(*maps)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    (slope,) = torch.autograd.grad((found * weights).sum(), maps)
    (expected_slope,) = torch.autograd.grad((expected * weights).sum(), maps)
    torch.testing.assert_close(slope, expected_slope, rtol=0, atol=1e-10)


def test_an_exported_program_has_neither_strides_of_its_own_nor_gathers():
    maps = torch.randn(2, 1, 8, 24, 40, generator=torch.Generator().manual_seed(2)).unbind()
    program = torch.export.export(Layer(), maps)
    kinds = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert any("matmul" in kind for kind in kinds)
    assert not [kind for kind in kinds if "strided" in kind or "gather" in kind or "index" in kind]
    expected = correlation_layer(*maps)
    torch.testing.assert_close(program.module()(*maps), expected, rtol=0, atol=1e-6)


class Layer(torch.nn.Module):
    def forward(self, first, second):
        return correlation_layer(first, second)


def test_refusals():
    left = torch.zeros(2, 3, 4)
    with pytest.raises(ShapeError, match="one size"):
        unwrap(correlate)(left[None], torch.zeros(1, 2, 3, 5), range(1), range(2))  # unchecked
    with pytest.raises(ShapeError, match="at least one pixel"):
        correlate_rows(left[:, :0], left[:, :0], 2)
    with pytest.raises(OptionError, match="max_disparity is 0"):
        correlate_rows(left, left, 0)
    with pytest.raises(OptionError, match="use one displacement or more"):
        correlate(left[None], left[None], range(0), range(3))
    with pytest.raises(OptionError, match=r"kernel_size 2 .* an odd number"):
        correlation_layer(left[None], left[None], kernel_size=2)
