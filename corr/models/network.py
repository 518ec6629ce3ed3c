"""The base classes of networks that corr ships, trains and loads."""

from __future__ import annotations

import copy
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.geometry import sample

RATIO = 0.8
"""Of the ratio test, unless a model has its own. Source: Lowe 2004, section 7.1."""

Rotations = Literal["none", "few", "auto"]
"""When image 1 is also matched turned by quarters of a circle: never, where few matches are found
without, or always."""


class Network(nn.Module, ABC):
    """A network that `corr.models.saved` writes as `network.yaml` and `weights.safetensors`.

    A subclass takes plain settings (numbers, strings, lists) in its constructor, since they are
    what `network.yaml` holds; they are recorded as it is built, so that it need not keep them.
    """

    settings: dict[str, Any]
    """The arguments that the constructor was called with, defaults included."""

    def raw(self, inputs: Tensor) -> Tensor:
        """Descriptors before they are made of unit length, for losses of their length.

        A network that does not say what they are gives those of unit length.
        """
        descriptors: Tensor = self(inputs)
        return descriptors

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = _recording(cls.__init__)  # type: ignore[method-assign]  # same signature


def _recording(build: Callable[..., None]) -> Callable[..., None]:
    """The constructor, noting its arguments first; the outermost one of an object counts."""

    @functools.wraps(build)
    def build_and_record(self: Network, *args: Any, **kwargs: Any) -> None:
        if "settings" not in self.__dict__:
            given = inspect.signature(build).bind(self, *args, **kwargs)
            given.apply_defaults()
            self.__dict__["settings"] = copy.deepcopy(dict(list(given.arguments.items())[1:]))
        build(self, *args, **kwargs)

    return build_and_record


class PatchDescriptor(Network):
    """A network that describes a 32 x 32 grey patch by a unit-length vector."""

    descriptor_dim: int
    """Length of a descriptor."""
    sigmas: float
    """Side of the image region in a patch, in sigmas of its keypoint; see `corr.geometry`."""
    upright: bool = False
    """Whether it is given frames at angle 0, whatever the orientation of their keypoints."""

    @abstractmethod
    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length descriptors, one for each patch in [0, 1]."""

    def normalize_frames(
        self, image: Float[Tensor, "1 1 H W"], frames: Float[Tensor, "N 2 3"]
    ) -> Float[Tensor, "N 2 3"]:
        """Where this network wants the patches cut: here, where they are.

        Args:
            image: grey, in [0, 1].
            frames: of its keypoints, as in `corr.geometry.patch_frames`.
        """
        return frames

    def describe_normalized(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Descriptors of patches that were cut at the frames of `normalize_frames`.

        A network that normalises patches itself where it has nothing but them does not do so here.
        """
        described: Tensor = self(patches)
        return described

    def raw_normalized(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """The same before they are brought to unit length."""
        return self.raw(patches)


class DenseDescription(NamedTuple):
    """What a dense network says of images of H x W pixels."""

    descriptors: Float[Tensor, "B D Hs Ws"]
    """Unit-length, one every `stride` px: those of an image reduced by the stride."""
    repeatability: Float[Tensor, "B 1 H W"] | None = None
    """Logit of every pixel: whether another view of the place would have its keypoint here."""
    reliability: Float[Tensor, "B 1 Hs Ws"] | None = None
    """Logit of every descriptor: whether it would be found again."""
    deformation: Float[Tensor, "B 1 _ _"] | None = None
    """By how much the receptive field of each place was deformed, mean square in cells."""

    def read(self, points: Float[Tensor, "B N 2"], stride: int) -> Float[Tensor, "B N D"]:
        """Unit-length descriptors at points of the images, px, between four of the maps' vectors.

        Args:
            points: (x, y) in the images.
            stride: of the network.
        """
        read = sample(self.descriptors, (points + 0.5) / stride - 0.5, padding="border")
        return F.normalize(read, dim=-1)


class DenseDescriptor(Network):
    """A network that describes every place of an image of any size."""

    descriptor_dim: int
    """Length of a descriptor."""
    stride: int
    """px from one descriptor to the next."""
    folds: bool = False
    """Whether all of it can be computed in bfloat16, see `corr.models.folding`."""
    finds_keypoints: bool = False
    """Whether its descriptions have a map of repeatability."""
    seen_px: int = 320
    """Longer side of images as it sees them where things of one kind are compared, unless another
    is asked for."""
    scales: tuple[float, ...] = (1.0,)
    """Factors that images are resized by to look for its keypoints, unless others are asked for."""
    more_scales: tuple[float, ...] | None = None
    """Those to match two images by where few matches are found with `scales`, likewise."""
    ratio: float = RATIO
    """Largest distance to the nearest descriptor, in distances to the second nearest, likewise."""
    relaxed_ratio: float | None = None
    """The same where few pass it, of matches that keep their neighbours; None for no second try."""
    inconsistent_px: float | None = None
    """How far the second nearest is from the nearest in image 1, likewise; None for anywhere."""
    support_px: int = 0
    """How far around a place is looked at where all places are matched, likewise; 0 for nowhere."""
    rotations: Rotations = "none"
    """When image 1 is matched turned, likewise."""
    multiple: int = 1
    """px; an image moved by so many has the same descriptions, moved. One of the stride."""
    context: int | None = None
    """px beyond a place that reach its description, at most; None where all of the image does."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "B 3 H W"]) -> DenseDescription:
        """Descriptors of RGB images in [0, 1], `ceil(H / stride)` rows of them."""

    def view(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B _ H W"]:
        """What it looks at of RGB images in [0, 1], such as their grey values: here all of them.

        What is resized may be resized after this.
        """
        return images

    def normalize(self, images: Float[Tensor, "B _ H W"]) -> Float[Tensor, "B _ H W"]:
        """What only the whole of an image tells, taken out of it: here nothing.

        A network with a `context` does so here and nowhere else, so that the tiles of a large
        image are described as the whole would be.
        """
        return images

    def describe_normalized(self, images: Float[Tensor, "B _ H W"]) -> DenseDescription:
        """The description of images that `normalize` gave, or of tiles of them."""
        description: DenseDescription = self(images)
        return description


class ImageEmbedding(Network):
    """A network that describes a whole image of any size by one unit-length vector."""

    descriptor_dim: int
    """Length of a descriptor."""
    side: int
    """Images are resized to about `side` x `side` pixels, in their own proportions."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Unit-length descriptors, one for each RGB image in [0, 1]."""


def check_settings(
    *,
    descriptor_dim: int = 1,
    dropout: float = 0.0,
    sigmas: float = 1.0,
    width: int = 1,
    side: int = 16,
) -> None:
    """Refuse a setting of a network that is outside its range.

    Raises:
        OptionError: names it.
    """
    if descriptor_dim < 1:
        raise OptionError(f"descriptor_dim is {descriptor_dim}; use 1 or more")
    if not 0 <= dropout < 1:
        raise OptionError(f"dropout is {dropout}; use a value in [0, 1)")
    if not sigmas > 0:
        raise OptionError(f"sigmas is {sigmas}; use a value above 0")
    if width < 1:
        raise OptionError(f"width is {width}; use 1 or more")
    if side < 16:
        raise OptionError(f"side is {side}; use 16 or more")
