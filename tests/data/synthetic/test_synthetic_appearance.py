"""Light and camera: each change acts by itself, and the losses of JPEG are those of JPEG."""

import io
from dataclasses import fields, replace

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from corr.data.synthetic.config import NO_CHANGE, AppearanceRanges
from corr.data.synthetic.jpeg import compress
from corr.data.synthetic.samples import pair_of

STRONG = {
    "exposure": (1.0, 1.0),
    "gamma": (1.6, 1.6),
    "saturation": (0.2, 0.2),
    "hue_deg": (30.0, 30.0),
    "white_balance": (0.3, 0.3),
    "vignetting": (0.8, 0.8),
    "fog": (0.7, 0.7),
    "shadow": (0.6, 0.6),
    "highlight": (0.6, 0.6),
    "blur": (1.5, 1.5),
    "defocus": (2.5, 2.5),
    "motion_blur": (9.0, 9.0),
    "sharpening": (1.5, 1.5),
    "noise": (0.05, 0.05),
    "jpeg_quality": (10.0, 10.0),
}
STILL = {
    "exposure": (0.0, 0.0),
    "gamma": (1.0, 1.0),
    "saturation": (1.0, 1.0),
    "hue_deg": (0.0, 0.0),
    "white_balance": (0.0, 0.0),
    "vignetting": (0.0, 0.0),
    "fog": (0.0, 0.0),
    "shadow": (0.0, 0.0),
    "highlight": (0.0, 0.0),
    "blur": (0.1, 0.1),
    "defocus": (0.1, 0.1),
    "motion_blur": (0.0, 0.0),
    "sharpening": (0.0, 0.0),
    "noise": (0.0, 0.0),
    "jpeg_quality": (100.0, 100.0),
}

TINY = {"height": 48, "width": 64, "num_objects": (6, 8)}


def test_every_range_is_here():
    names = {entry.name for entry in fields(AppearanceRanges)} - {"probability"}
    assert set(STRONG) == set(STILL) == names


@pytest.mark.parametrize("name", STRONG)
def test_each_change_acts_on_the_second_picture_alone(scenes_of, name):
    """Everything may happen, but only this one changes anything; the truth stays."""
    ranges = AppearanceRanges(probability=1.0, **{**STILL, name: STRONG[name]})
    changed = 0.0
    for index in range(3):
        plain = pair_of(scenes_of("flow", **TINY).sample(index))
        loud = pair_of(scenes_of("flow", second=ranges, **TINY).sample(index))
        assert torch.equal(plain.image0, loud.image0)
        assert torch.equal(plain.flow_0to1, loud.flow_0to1)
        assert torch.equal(plain.occluded0, loud.occluded0)
        changed += 255 * float((loud.image1 - plain.image1).abs().mean()) / 3
    assert changed > 0.5


def test_changes_of_size_0_change_nothing(scenes_of):
    quiet = AppearanceRanges(probability=1.0, **STILL)
    plain = pair_of(scenes_of("flow").sample(0)).image1
    assert (pair_of(scenes_of("flow", second=quiet).sample(0)).image1 - plain).abs().max() < 0.01


def test_nothing_happens_with_probability_0(scenes_of):
    wild = AppearanceRanges(probability=0.0, **STRONG)
    plain, other = scenes_of("flow").sample(1), scenes_of("flow", second=wild).sample(1)
    assert torch.equal(plain.image1, other.image1)


def test_ranges_hold_at_their_ends(scenes_of):
    """An exposure of one stop doubles what is not clipped."""
    ranges = replace(NO_CHANGE, probability=1.0, **{**STILL, "exposure": (-1.0, -1.0)})
    plain = pair_of(scenes_of("flow").sample(2)).image1
    dark = pair_of(scenes_of("flow", second=ranges).sample(2)).image1
    bright = plain > 0.2
    assert (dark / plain)[bright].median().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("quality", [20, 50, 75, 90])
def test_jpeg_is_pillows(quality):
    photo = skimage.data.coffee()[40:232, 100:340]
    stored = io.BytesIO()
    Image.fromarray(photo).save(stored, "JPEG", quality=quality, subsampling=2)
    expected = np.asarray(Image.open(stored)).astype(np.float32)
    picture = torch.from_numpy(photo.transpose(2, 0, 1)[None].copy()).float() / 255
    rate, kept = torch.tensor([float(quality)]), torch.tensor([False])
    found = 255 * compress(picture, rate, kept)[0].permute(1, 2, 0).numpy()
    loss = np.abs(expected - photo).mean()
    assert np.abs(found - expected).mean() < 0.25 * loss + 0.5
    assert np.abs(found - photo).mean() == pytest.approx(loss, rel=0.1)


def test_jpeg_keeps_what_it_is_told_to(scenes_of):
    picture = torch.rand(2, 3, 20, 23)
    found = compress(picture, torch.tensor([10.0, 10.0]), torch.tensor([True, False]))
    assert torch.equal(found[0], picture[0])
    assert (found[1] - picture[1]).abs().mean() > 0.02
