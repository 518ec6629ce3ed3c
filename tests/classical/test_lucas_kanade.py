import cv2
import numpy as np
import pytest
import torch

from corr.classical import lucas_kanade
from corr.classical.lucas_kanade import polish
from corr.errors import OptionError, ShapeError


def _views(shift=(0.0, 0.0), shape=(80, 100)):
    """A texture, and the same moved by so many px in x and y."""
    noise = np.random.default_rng(0).random((shape[0] + 40, shape[1] + 40)).astype(np.float32)
    scales = [cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (2.5, 6, 12)]
    scene = sum(cv2.normalize(scale, None, 0, 1, cv2.NORM_MINMAX) for scale in scales) / 3
    move = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
    moved = cv2.warpAffine(scene, move, scene.shape[::-1], flags=cv2.INTER_CUBIC)
    return [torch.from_numpy(part[20:-20, 20:-20].copy())[None, None] for part in (scene, moved)]


def _constant(u, v, shape=(80, 100)):
    return torch.tensor([u, v]).view(1, 2, 1, 1).expand(1, 2, *shape).contiguous()


def test_a_rough_flow_is_polished_to_the_true_one():
    views = _views((3.3, -1.6))
    rough = _constant(3.0, -1.0)
    truth = _constant(3.3, -1.6)
    few, many, bold = (
        (polish(*views, rough, **options) - truth)[..., 10:-10, 10:-10].norm(dim=1).mean()
        for options in ({"iterations": 3}, {"iterations": 15}, {"damping": 1e-4})
    )
    assert (rough - truth).norm(dim=1).mean() > 0.6
    assert many < few < 0.5
    assert bold < min(few, 0.2)


def test_the_true_flow_stays():
    found = polish(*_views((2.0, 1.0)), _constant(2.0, 1.0))
    assert (found - _constant(2.0, 1.0))[..., 16:-16, 16:-16].norm(dim=1).max() < 0.05


def test_one_image_may_be_brighter():
    view0, view1 = _views((3.3, -1.6))
    light = torch.linspace(0.1, 0.3, 100)
    truth = _constant(3.3, -1.6)
    found = polish(view0, 0.9 * view1 + light, _constant(3.0, -1.0), damping=1e-4)
    assert (found - truth)[..., 10:-10, 10:-10].norm(dim=1).mean() < 0.3


def test_where_there_is_no_texture_the_flow_stays():
    blank = torch.full((1, 1, 40, 50), 0.4)
    start = torch.randn(1, 2, 40, 50, generator=torch.Generator().manual_seed(0))
    assert torch.equal(polish(blank, blank, start), start)
    # Noise of one grey level is no texture.
    noise = torch.rand(2, 1, 40, 50, generator=torch.Generator().manual_seed(1)) / 255
    found = polish(blank + noise[:1], blank + noise[1:], _constant(0.0, 0.0, (40, 50)))
    assert found.abs().max() < 0.05


def test_an_edge_tells_nothing_of_motion_along_it():
    ramp = torch.sigmoid((torch.arange(60.0) - 30) / 3).expand(1, 1, 40, 60)
    start = _constant(0.6, 0.8, (40, 60))
    found = polish(ramp, ramp, start, iterations=20)[0, :, 10:-10, 28:33]
    assert found[0].abs().max() < 0.1
    assert torch.allclose(found[1], torch.tensor(0.8), atol=1e-5)


def test_a_target_outside_tells_nothing():
    views = _views()
    start = _constant(500.0, 0.0)
    assert torch.equal(polish(*views, start), start)


def test_gradients_are_those_of_differences():
    first, second = (view[..., :12, :14].double() for view in _views((0.4, 0.3)))
    start = (0.1 * torch.ones(1, 2, 12, 14, dtype=torch.float64)).requires_grad_()

    def polished(images, flow):
        return polish(first.float(), images.float(), flow.float(), iterations=2)

    images = second.clone().float().requires_grad_()
    flow = start.detach().float().requires_grad_()
    polish(first.float(), images, flow, iterations=2).square().sum().backward()
    step = 1e-2
    for given, grad in ((images, images.grad), (flow, flow.grad)):
        index = (0, 0, 6, 7)
        ends = []
        for sign in (1, -1):
            changed = [images.detach().clone(), flow.detach().clone()]
            changed[0 if given is images else 1][index] += sign * step
            ends.append(polished(*changed).square().sum().item())
        assert grad[index].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.1)


def test_coarse_to_fine_finds_a_long_motion():
    found = lucas_kanade.lucas_kanade(*_views((9.0, -6.5), (120, 140)))[..., 20:-20, 20:-20]
    assert (found - _constant(9.0, -6.5, (80, 100))).norm(dim=1).mean() < 0.2


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (3, 2)])
def test_tiny_images_do_not_move(shape):
    image = torch.rand(1, 1, *shape)
    assert lucas_kanade.lucas_kanade(image, image).abs().max() < 1e-4


def test_refusals():
    image = torch.zeros(1, 1, 8, 8)
    with pytest.raises(ShapeError, match="they need one size"):
        polish(image, image, torch.zeros(1, 2, 8, 7))
    with pytest.raises(OptionError, match="have to be above 0"):
        polish(image, image, torch.zeros(1, 2, 8, 8), sigma=0.0)
