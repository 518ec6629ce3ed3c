"""A model of flow with its options, for one pair of images after another."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from corr.classical.flow import METHODS
from corr.errors import ImageError, ModelError
from corr.formats import to_tensor
from corr.models.flow_network import FlowNetwork, ImageFeatures, Refinement, check_refinement
from corr.models.network import DenseDescriptor, Network
from corr.pipeline import catalog
from corr.pipeline.flow_check import round_trip_confidence, stays_inside
from corr.pipeline.flow_of_matches import flow_of_matches
from corr.pipeline.flow_refinement import refine_flow
from corr.pipeline.flow_tiles import MAX_PIXELS, flow_in_tiles
from corr.resources import resolve_device
from corr.results import FlowField, Picture


class FlowEstimator:
    """What `corr.flow` does, with the model loaded once.

    A network for flow looks at each frame once where the second image of one call is the first of
    the next; one that describes every place looks at it in each call.
    """

    def __init__(
        self,
        model: str | Path | Network | None = None,
        *,
        both: bool = True,
        refine: Refinement | None = None,
        max_pixels: int = MAX_PIXELS,
        device: str | torch.device | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: as in `corr.flow`, like all that follows.
            both: likewise.
            refine: likewise.
            max_pixels: likewise.
            device: likewise.

        Raises:
            ModelError: the model is unknown or does not do flow.
            OptionError: an option outside what is accepted.
        """
        check_refinement(refine)
        chosen = catalog.resolve(model, "flow")
        if isinstance(chosen, Network) and not isinstance(chosen, FlowNetwork | DenseDescriptor):
            raise ModelError(
                f"{type(chosen).__name__} does not do flow; use one of "
                f"{', '.join(catalog.names('flow'))}"
            )
        place = resolve_device(device)
        if isinstance(chosen, Network) and (device is not None or chosen is not model):
            chosen = chosen.to(place)
        self._model = chosen
        self._both, self._refine, self._max_pixels = both, refine, max_pixels
        self._last: tuple[Picture, ImageFeatures] | None = None

    def __call__(self, view0: Picture, view1: Picture) -> FlowField:
        """The flow from one image to another.

        Raises:
            ImageError: the two differ in size.
        """
        if view0.shape != view1.shape:
            sizes = [f"{view.shape[1]} x {view.shape[0]}" for view in (view0, view1)]
            raise ImageError(
                f"image 0 is {sizes[0]} and image 1 {sizes[1]} pixels; flow needs one size"
            )
        sure: float | Float32[np.ndarray, "H W"] = 1.0
        if isinstance(self._model, DenseDescriptor):
            there, back, sure = flow_of_matches(self._model, view0, view1, both=self._both)
            how, start = self._refine or "lk-variational", 2 * self._model.stride
        elif isinstance(self._model, FlowNetwork):
            there, back = self._by_network(self._model, view0, view1)
            how = self._refine or self._model.refine
            start = 2 * self._model.stride  # twice as coarse, where it is wrong by fewer px
        else:
            method = METHODS[str(self._model)]
            greys = [cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (view0, view1)]
            there, back = method(*greys), method(*greys[::-1]) if self._both else None
            how, start = self._refine or "none", 1
        there = refine_flow(how, view0, view1, there, start=start)
        if back is None:
            return _unchecked(there)
        back = refine_flow(how, view1, view0, back, start=start)
        confidence = sure * round_trip_confidence(there, back)
        return FlowField(there, confidence == 0, confidence)

    @torch.inference_mode()
    def _by_network(
        self, network: FlowNetwork, view0: Picture, view1: Picture
    ) -> tuple[Float32[np.ndarray, "H W 2"], Float32[np.ndarray, "H W 2"] | None]:
        was_training = network.training
        network.eval()
        try:
            if view0.shape[0] * view0.shape[1] > self._max_pixels:
                pixels = (_as_tensor(view, network) for view in (view0, view1))
                there, back = flow_in_tiles(
                    network, *pixels, both=self._both, max_pixels=self._max_pixels
                )
            else:
                seen = self._features(network, view0), self._features(network, view1)
                self._last = view1, seen[1]
                if self._both:
                    there, back = network.both_between(*seen)
                else:
                    there, back = network.flow_between(*seen), None
        finally:
            network.train(was_training)
        return _as_array(there), None if back is None else _as_array(back)

    def _features(self, network: FlowNetwork, view: Picture) -> ImageFeatures:
        """Those of an image; of the last one, such as a frame of a video, they are known."""
        if self._last is not None and self._last[0] is view:
            return self._last[1]
        return network.features(_as_tensor(view, network))


def _unchecked(flow: Float32[np.ndarray, "H W 2"]) -> FlowField:
    """A field of which the way back is not known."""
    return FlowField(flow, ~stays_inside(flow), np.full(flow.shape[:2], np.nan, np.float32))


def _as_tensor(view: Picture, network: Network) -> torch.Tensor:
    """The image on the network's device."""
    place = next((p.device for p in network.parameters()), torch.device("cpu"))
    return to_tensor(view).to(place)


def _as_array(flow: torch.Tensor) -> Float32[np.ndarray, "H W 2"]:
    """Of the one pair in a batch."""
    return flow[0].permute(1, 2, 0).float().cpu().contiguous().numpy()
