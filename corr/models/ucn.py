"""The Universal Correspondence Network: a descriptor at every place of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.geometry import to_grey
from corr.models.convolutional_transformer import (
    ConvolutionalSpatialTransformer,
    FieldTransform,
)
from corr.models.googlenet import GoogLeNetTrunk
from corr.models.keypoint_head import KeypointHead
from corr.models.network import (
    RATIO,
    DenseDescription,
    DenseDescriptor,
    Rotations,
    check_settings,
)
from corr.models.refinement import Refinement, enlarge
from corr.models.ucn_trunks import (
    LightTrunk,
    ResUNetTrunk,
    Trunk,
    normalize_images,
    pad_to_multiple,
)

TrunkName = Literal["light", "resunet", "googlenet"]
_TRUNKS: dict[str, type[Trunk]] = {
    "light": LightTrunk,
    "resunet": ResUNetTrunk,
    "googlenet": GoogLeNetTrunk,
}


class UniversalCorrespondenceNetwork(DenseDescriptor):
    """Fully convolutional: unit-length descriptors of images of any size, and their keypoints.

    One pass describes all places of an image, and says where it is worth to be described: the
    keypoint head is our addition. Each image is brought to mean 0 and deviation 1 first.

    Features of the trunk become descriptors by a 1 x 1 convolution, or by the 3 x 3 convolution of
    the spatial transformer, and are then brought to unit length.

    Source: Choy, Gwak, Savarese, Chandraker 2016, "Universal Correspondence Network"; `light` and
    `resunet` are ours, see `corr.models.ucn_trunks`.

    Args:
        trunk: `light`, of stride 4 on grey images, for CPUs; `resunet`, of stride 1 on colours;
            `googlenet`, of stride 4 on colours, the paper's.
        transformer: what each receptive field may be transformed by: `rigid`, `similarity`,
            `affine` or `thin-plate`; None for nothing.
        descriptor_dim: length of a descriptor.
        keypoints: whether it has a keypoint head.
        refine: describe every pixel where the trunk has a larger stride.
        scales: factors that images are resized by to look for keypoints, unless others are asked
            for; set after training, as it does not need them.
        more_scales: the same where few matches are found, likewise.
        ratio: of the ratio test, likewise.
        relaxed_ratio: the same where few pass it, likewise, of matches that keep their neighbours;
            None for no second try.
        inconsistent_px: what counts as second nearest in it, likewise: a keypoint that was found at
            several scales is no rival of itself.
        support_px: how far around a place is looked at, too, where all places are matched,
            likewise; 0 for nowhere.
        rotations: when image 1 is also matched turned by quarters of a circle, likewise: `few`,
            where few matches are found without, `none` or `auto`.
        seen_px: longer side of images in `corr.transfer`, likewise.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        trunk: TrunkName = "light",
        transformer: FieldTransform | None = None,
        descriptor_dim: int = 64,
        keypoints: bool = True,
        *,
        refine: bool = False,
        scales: Sequence[float] = (1.0,),
        more_scales: Sequence[float] | None = None,
        ratio: float = RATIO,
        relaxed_ratio: float | None = None,
        inconsistent_px: float | None = None,
        support_px: int = 0,
        rotations: Rotations = "none",
        seen_px: int = 320,
    ) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim)
        if trunk not in _TRUNKS:
            raise OptionError(f"trunk is '{trunk}'; use one of {', '.join(get_args(TrunkName))}")
        if seen_px < 16:
            raise OptionError(f"seen_px is {seen_px}; use 16 or more")
        if rotations not in get_args(Rotations):
            names = ", ".join(get_args(Rotations))
            raise OptionError(f"rotations is '{rotations}'; use one of {names}")
        if support_px < 0:
            raise OptionError(f"support_px is {support_px}; use 0 or more")
        self.seen_px, self.rotations, self.support_px = seen_px, rotations, support_px
        if not 0 < ratio <= 1:
            raise OptionError(f"ratio is {ratio}; use a value in (0, 1]")
        if relaxed_ratio is not None and not ratio < relaxed_ratio <= 1:
            raise OptionError(
                f"relaxed_ratio is {relaxed_ratio}; use a value above the ratio, {ratio}, and at "
                "most 1"
            )
        self.relaxed_ratio = relaxed_ratio
        self.scales = tuple(scales)
        self.more_scales = None if more_scales is None else tuple(more_scales)
        self.ratio, self.inconsistent_px = ratio, inconsistent_px
        self.descriptor_dim = descriptor_dim
        self.finds_keypoints = keypoints
        self.trunk = _TRUNKS[trunk]()
        channels, stride = self.trunk.channels, self.trunk.stride
        if refine and stride == 1:
            raise OptionError(f"refine is true, but '{trunk}' describes every pixel; use false")
        self.stride, self.multiple = 1 if refine else stride, self.trunk.multiple
        self.context = self.trunk.context + (2 * stride if refine else 0)
        self.describe: nn.Conv2d | ConvolutionalSpatialTransformer
        if transformer is None:
            self.describe = nn.Conv2d(channels, descriptor_dim, 1)
        else:
            self.describe = ConvolutionalSpatialTransformer(
                channels, descriptor_dim, transform=transformer
            )
            self.context += stride * self.describe.context
        self.refinement = Refinement(channels, descriptor_dim, stride) if refine else None
        self.head = KeypointHead(channels, stride) if keypoints else None
        self.folds = transformer is None and not refine  # no places between cells to be sampled

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> DenseDescription:
        """Unit-length float32 descriptors and keypoint maps of RGB images in [0, 1]."""
        return self.describe_normalized(self.normalize(self.view(images)))

    def view(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B _ H W"]:
        """In grey, if the trunk sees no more."""
        return images if self.trunk.sees_colour else to_grey(images)

    def normalize(self, images: Float[Tensor, "B _ H W"]) -> Float[Tensor, "B _ H W"]:
        """Each with mean 0 and deviation 1 over all its channels."""
        return normalize_images(images)

    def describe_normalized(self, images: Float[Tensor, "B _ H W"]) -> DenseDescription:
        """The same as `forward` of images that were normalised before."""
        height, width = images.shape[-2:]
        padded = pad_to_multiple(images, self.trunk.multiple)
        features = self.trunk(padded.contiguous(memory_format=torch.channels_last))
        grey = to_grey(padded) if self.trunk.sees_colour else padded
        described, deformation = self.describe(features), None
        if isinstance(self.describe, ConvolutionalSpatialTransformer):
            described, deformation = described
        found = None if self.head is None else self.head(features, grey)
        reliability = None if found is None else found.reliability
        if self.refinement is not None:
            described = self.refinement(described, features, grey)
            if reliability is not None:
                reliability = enlarge(reliability, self.trunk.stride)
        rows, columns = -(-height // self.stride), -(-width // self.stride)
        descriptors = _unit_length(described[:, :, :rows, :columns])
        if found is None or reliability is None:
            return DenseDescription(descriptors, deformation=deformation)
        return DenseDescription(
            descriptors,
            found.repeatability[:, :, :height, :width],
            reliability[:, :, :rows, :columns],
            deformation,
        )


def _unit_length(vectors: Float[Tensor, "B D H W"]) -> Float[Tensor, "B D H W"]:
    """The same vectors in float32, in memory that was taken for that where no gradient needs it."""
    precise = vectors.float()
    length: Tensor = torch.linalg.vector_norm(precise, dim=1, keepdim=True).clamp_min(1e-12)
    if precise is vectors or torch.is_grad_enabled():
        return precise / length
    return precise.div_(length)
