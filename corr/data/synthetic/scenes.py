"""A synthetic data set: sample `i` of a seed and a config, rendered on any device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from corr.data.synthetic.appearance import photograph
from corr.data.synthetic.arrangement import arrange
from corr.data.synthetic.bank import Bank, Photographs, build_bank, read_photographs
from corr.data.synthetic.config import SyntheticConfig, View
from corr.data.synthetic.layers import Layers, gather
from corr.data.synthetic.light import draw_light
from corr.data.synthetic.motion_flow import draw_flow
from corr.data.synthetic.motion_planar import draw_planar
from corr.data.synthetic.motion_posed import draw_posed
from corr.data.synthetic.motion_stereo import draw_stereo
from corr.data.synthetic.raster import Raster, rasterise
from corr.data.synthetic.samples import Pair, PlanarSample, PosedSample, Sample, StereoSample
from corr.data.synthetic.scene import Motion, Placement, Scene, assemble
from corr.data.synthetic.shading import shade
from corr.data.synthetic.shapes import Silhouettes
from corr.data.synthetic.truth import correspond
from corr.data.threads import one_thread
from corr.errors import OptionError

_ARRANGEMENT, _MOTION, _FIRST, _SECOND = range(4)
"""Streams of random numbers of one sample."""

_NO_PHOTOS = ""

_MOTIONS: dict[View, Callable[[np.random.Generator, Placement, SyntheticConfig], Motion]] = {
    "planar": draw_planar,
    "stereo": draw_stereo,
    "flow": draw_flow,
    "posed": draw_posed,
}


class SyntheticScenes:
    """Endless samples with exact truth, each a pure function of the seed, the config and its index.

    Args:
        config: what the scenes are drawn from.
        photos: a folder of photographs; those that scikit-image installs when not given.
        seed: of the data set.
        device: where pictures are rendered.

    Raises:
        DatasetError: the folder holds no photo that can be read.
        OptionError: the seed is below 0.
    """

    def __init__(
        self,
        config: SyntheticConfig | None = None,
        *,
        photos: str | Path | None = None,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        if seed < 0:
            raise OptionError(f"seed is {seed}; use 0 or more")
        self.config = config or SyntheticConfig()
        self.seed = seed
        self.device = torch.device(device)
        folder = None if photos is None else str(photos)
        if self.config.surfaces.photo_share == 0:
            folder = _NO_PHOTOS
        bank = _shared(folder, self.config.surfaces.num_tiles)
        self.num_photos, self.num_damaged = len(bank.photos), bank.num_damaged
        self.digest = self.config.digest(seed, bank.digest)
        """Name of the data set: equal names have equal samples."""
        self._bank = bank.to(self.device)

    @property
    def silhouettes(self) -> Silhouettes:
        """The drawn shapes that scenes refer to, on the device."""
        return self._bank.silhouettes

    def draw(self, index: int, second: int = 0) -> Scene:
        """The scene of a sample: numbers that `render` makes pictures of.

        Args:
            index: of the sample.
            second: which of the second views of that scene; all have the same first view.
        """
        placement, surfaces = arrange(self._rng(index, _ARRANGEMENT), self.config, self._bank)
        motion = _MOTIONS[self.config.view](
            self._rng(index, _MOTION, second), placement, self.config
        )
        lights = [
            draw_light(self._rng(index, _FIRST), self.config.first, self.config.size),
            draw_light(self._rng(index, _SECOND, second), self.config.second, self.config.size),
        ]
        return assemble(placement, surfaces, motion, np.stack(lights))

    @torch.no_grad()
    def render(self, scenes: Sequence[Scene]) -> Sample:
        """A batch of samples, on the device."""
        layers = gather(scenes, self.config.size, self.silhouettes)
        rasters = [rasterise(layers, view) for view in (0, 1)]
        lights = torch.from_numpy(np.stack([scene.lights for scene in scenes], 2)).to(layers.device)
        images = [
            self._picture(layers, raster, light)
            for raster, light in zip(rasters, lights, strict=True)
        ]
        flat = self.config.view == "planar"
        forth, back = (correspond(layers, rasters, view, flat=flat) for view in (0, 1))
        pair = Pair(
            images[0],
            images[1],
            forth.flow,
            back.flow,
            forth.occluded,
            back.occluded,
            forth.valid,
            back.valid,
            forth.edge,
            back.edge,
            forth.layer,
            back.layer,
        )
        if self.config.view == "stereo" and self.config.stereo.vertical_error == 0:
            pair.flow_0to1[:, 1], pair.flow_1to0[:, 1] = 0, 0  # which float32 misses by 1e-5 px
        return _with_truth(self.config.view, pair, scenes, layers, rasters)

    def batch(self, indices: Sequence[int]) -> Sample:
        """Samples of these indices, with one more axis at the front."""
        if self.device.type == "cpu":  # small tensors stay in the caches
            with one_thread():
                parts = [self.render([self.draw(index)]) for index in indices]
            return _joined(parts, torch.cat)
        return self.render([self.draw(index) for index in indices])

    def sample(self, index: int, second: int = 0) -> Sample:
        """One sample, see `draw`."""
        with one_thread():
            made = self.render([self.draw(index, second)])
        return _joined([made], lambda parts: parts[0][0])

    def _picture(self, layers: Layers, raster: Raster, lights: Tensor) -> Tensor:
        scene = shade(layers, raster.fragments, self._bank.pyramid)
        near = layers.nearness[raster.layer].reshape(layers.num_scenes, 1, *layers.size)
        return photograph(scene, near, lights, self._bank.noise)

    def _rng(self, index: int, *stream: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, index, *stream))


def _with_truth(
    view: View, pair: Pair, scenes: Sequence[Scene], layers: Layers, rasters: Sequence[Raster]
) -> Sample:
    """The sample of a view."""
    if view == "planar":
        return PlanarSample(pair, _stacked(scenes, "homography_0to1", layers.device))
    if view == "stereo":
        return StereoSample(pair, -pair.flow_0to1[:, :1], pair.flow_1to0[:, :1].clone())
    if view == "posed":
        pose = torch.eye(4, device=layers.device).repeat(len(scenes), 1, 1)
        pose[:, :3, :3] = _stacked(scenes, "rotation", layers.device)
        pose[:, :3, 3] = _stacked(scenes, "translation", layers.device)
        depth0, depth1 = (_depth(scenes, layers, rasters[at], at) for at in (0, 1))
        return PosedSample(
            pair, depth0, depth1, _stacked(scenes, "intrinsics", layers.device), pose
        )
    return pair


def _depth(scenes: Sequence[Scene], layers: Layers, raster: Raster, view: int) -> Tensor:
    """Depth of what each pixel of a view shows."""
    height, width = layers.size
    most = max(len(scene.kind) for scene in scenes)
    table = np.zeros((len(scenes), most, 3), np.float32)
    for row, scene in zip(table, scenes, strict=True):
        row[: len(scene.kind)] = scene.truth["inverse_depth"][view]
    rank = layers.rank[raster.layer] + most * layers.scene[raster.layer]
    planes = torch.from_numpy(table).to(layers.device).reshape(-1, 3)[rank]
    planes = planes.reshape(len(scenes), height, width, 3)
    x = torch.arange(width, device=layers.device)
    y = torch.arange(height, device=layers.device)[:, None]
    return (planes[..., 0] * x + planes[..., 1] * y + planes[..., 2]).reciprocal().unsqueeze(1)


def _stacked(scenes: Sequence[Scene], name: str, device: torch.device) -> Tensor:
    values = np.stack([scene.truth[name] for scene in scenes]).astype(np.float32)
    return torch.from_numpy(values).to(device)


def _joined(samples: Sequence[Sample], join: Callable[[list[Tensor]], Tensor]) -> Sample:
    """One sample whose tensors are made of those of several."""

    def of(parts: Sequence[object]) -> object:
        if isinstance(parts[0], Tensor):
            return join(list(parts))  # type: ignore[arg-type]  # all are tensors
        kind = type(parts[0])
        return kind(*(of(column) for column in zip(*parts, strict=True)))

    return of(samples)  # type: ignore[return-value]  # of the same kind as its parts


@lru_cache(maxsize=2)
def _shared(folder: str | None, num_tiles: int) -> Bank:
    """Read once in a process, however many data sets draw from it."""
    photos = Photographs((), "", 0) if folder == _NO_PHOTOS else read_photographs(folder)
    return build_bank(photos, num_tiles)
