"""Pixel grids, sampling, resizing, homographies, epipolar geometry and oriented patches.

The conventions of the whole project, stated here once:

- Image tensors are float32 RGB `(B, 3, H, W)` in [0, 1]; patches are grey `(B, 1, 32, 32)`.
- Points are `(x, y)` in pixels, x right, y down; **the centre of the top-left pixel is (0, 0)**,
  so an image covers [-0.5, W - 0.5] x [-0.5, H - 0.5]. A point p is read at `(2p + 1)/size - 1`
  with `align_corners=False`, in `sample` and nowhere else. A resize by s maps
  `p' = (p + 0.5) * s - 0.5`, and scales flow and disparity values too.
- Two views are `image0, image1`; `left, right` only in stereo. Maps name their direction:
  `homography_0to1`, `flow_0to1`. Flow: `target = p + flow(p)`. Disparity: `x_right = x_left - d`.
- A camera has intrinsics K (3 x 3, px) and a pose; `pose_0to1` (4 x 4) takes points from the frame
  of camera 0 to that of camera 1. Its z axis looks into the scene, x right, y down.
- A keypoint has a position, a scale sigma (px; the Gaussian of its detection, **half the `size` of
  an OpenCV keypoint**) and an angle (degrees, from x towards y: clockwise on the screen, as in
  OpenCV).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import ShapeError

PATCH_SIZE = 32
"""Side of a patch that a descriptor network reads, in its own pixels."""

PATCH_SIGMAS = 20.0
"""Side of the image region that a patch covers, in sigmas of its keypoint (SIFT reads about 15)."""


def pixel_grid(
    height: int, width: int, device: torch.device | None = None
) -> Float[Tensor, "H W 2"]:
    """The `(x, y)` position of each pixel's centre."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float32, device=device),
        torch.arange(width, dtype=torch.float32, device=device),
        indexing="ij",
    )
    return torch.stack((x, y), dim=-1)


def sample(
    features: Float[Tensor, "B C H W"],
    points: Float[Tensor, "B *N 2"],
    *,
    mode: str = "bilinear",
    padding: str = "zeros",
) -> Float[Tensor, "B *N C"]:
    """Read feature vectors at sub-pixel points.

    Args:
        features: maps to read.
        points: (x, y) in pixels of `features`; any number of dimensions between B and 2.
        mode: `bilinear`, `nearest` or `bicubic`.
        padding: what lies outside: `zeros`, or `border` for the nearest pixel.

    Returns:
        One vector for each point.
    """
    height, width = features.shape[-2:]
    size = torch.tensor([width, height], dtype=points.dtype, device=points.device)
    grid = ((2 * points + 1) / size - 1).flatten(1, -2).unsqueeze(1)
    read = F.grid_sample(features, grid, mode=mode, padding_mode=padding, align_corners=False)
    return read.squeeze(2).transpose(1, 2).reshape(*points.shape[:-1], features.shape[1])


def resize(
    image: Float[Tensor, "B C H W"], size: tuple[int, int], *, antialias: bool = True
) -> Float[Tensor, "B C H2 W2"]:
    """The image at another `(height, width)`, bilinear, anti-aliased when it shrinks."""
    return F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=antialias)


def resize_to_area(image: Float[Tensor, "B C H W"], side: int) -> Float[Tensor, "B C H2 W2"]:
    """The image in its own proportions with about `side` x `side` pixels."""
    height, width = image.shape[-2:]
    scale = side / (height * width) ** 0.5
    return resize(image, (max(1, round(scale * height)), max(1, round(scale * width))))


def resize_points(
    points: Float[Tensor, "*N 2"], from_size: tuple[int, int], to_size: tuple[int, int]
) -> Float[Tensor, "*N 2"]:
    """Points of an image of `from_size` (height, width) in that image resized to `to_size`."""
    scale = torch.tensor(
        [to_size[1] / from_size[1], to_size[0] / from_size[0]],
        dtype=points.dtype,
        device=points.device,
    )
    return (points + 0.5) * scale - 0.5


def transform_points(
    homography: Float[Tensor, "*B 3 3"], points: Float[Tensor, "*B N 2"]
) -> Float[Tensor, "*B N 2"]:
    """Points mapped by a homography; infinite where they fall on or behind its horizon.

    The homography may have any scale, but its sign says what lies before the horizon: `H / H[2, 2]`
    is right wherever the point (0, 0) does, and its inverse is right too.
    """
    mapped = F.pad(points, (0, 1), value=1.0) @ homography.transpose(-1, -2)
    depth = mapped[..., 2:]
    smallest = 1e-6 * homography[..., 2:, :].abs().amax(dim=-1, keepdim=True)
    return torch.where(depth > smallest, mapped[..., :2] / depth, torch.inf)


def warp_homography(
    image: Float[Tensor, "B C H W"],
    homography_0to1: Float[Tensor, "B 3 3"],
    size: tuple[int, int] | None = None,
    *,
    padding: str = "zeros",
) -> Float[Tensor, "B C H1 W1"]:
    """Image 0 seen in the frame of image 1, bilinear.

    Args:
        image: image 0.
        homography_0to1: maps points of image 0 to image 1, in pixels.
        size: (height, width) of image 1; that of image 0 when not given.
        padding: what lies outside image 0: `zeros` or `border`.
    """
    height, width = size or (image.shape[-2], image.shape[-1])
    grid = pixel_grid(height, width, image.device).to(image.dtype)
    inverse = torch.linalg.inv(homography_0to1.double()).to(image.dtype)
    source = transform_points(inverse, grid.reshape(1, -1, 2))
    source = source.clamp(-1e6, 1e6).reshape(len(image), height, width, 2)
    return sample(image, source, padding=padding).permute(0, 3, 1, 2)


def resize_intrinsics(
    intrinsics: Float[Tensor, "3 3"], from_size: tuple[int, int], to_size: tuple[int, int]
) -> Float[Tensor, "3 3"]:
    """K of an image of `from_size` (height, width) resized to `to_size`, see `resize_points`."""
    scale_y, scale_x = (to / start for to, start in zip(to_size, from_size, strict=True))
    resized = intrinsics.new_tensor(
        [[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, 0.5 * scale_y - 0.5], [0, 0, 1]]
    )
    return resized @ intrinsics


def fundamental_matrix(
    intrinsics0: Float[Tensor, "3 3"],
    intrinsics1: Float[Tensor, "3 3"],
    pose_0to1: Float[Tensor, "4 4"],
) -> Float[Tensor, "3 3"]:
    """The matrix F (0 to 1) with `p1^T F p0 = 0` for every point that both cameras see.

    Source: Hartley and Zisserman 2004, "Multiple view geometry", eq. 9.12 and section 9.6.
    """
    x, y, z = pose_0to1[:3, 3]
    zero = torch.zeros_like(x)
    cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero)).reshape(3, 3)
    inverse0, inverse1 = torch.linalg.inv(intrinsics0), torch.linalg.inv(intrinsics1)
    fundamental: Tensor = inverse1.T @ cross @ pose_0to1[:3, :3] @ inverse0
    return fundamental


def patch_frames(
    keypoints: Float[Tensor, "N 2"],
    scale: Float[Tensor, " N"],
    angle_deg: Float[Tensor, " N"],
    *,
    sigmas: float = PATCH_SIGMAS,
) -> Float[Tensor, "N 2 3"]:
    """Local affine frames: they map the square [-1, 1] x [-1, 1] of a patch into the image.

    The x axis of a patch points along the keypoint's angle, and its side is `sigmas * scale`
    pixels. The layout `[A | centre]` is kornia's LAF, whose angles turn the other way.
    """
    radius = 0.5 * sigmas * scale
    angle = torch.deg2rad(angle_deg)
    cos, sin = radius * torch.cos(angle), radius * torch.sin(angle)
    axes = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2)
    return torch.cat((axes, keypoints.unsqueeze(-1)), dim=-1)


def compose_frames(
    frames: Float[Tensor, "N 2 3"], transform: Float[Tensor, "*N 2 2"]
) -> Float[Tensor, "N 2 3"]:
    """Frames whose patches show `transform @ p` of the former patch at each of their own points p.

    The transform acts first, in the coordinates of the patch; the centre stays where it is.
    """
    # No matrix product: autocast would round it to bfloat16, and with it where pixels are read.
    axes = (frames[:, :, :2, None] * transform.unsqueeze(-3)).sum(-2)
    return torch.cat((axes, frames[:, :, 2:]), dim=-1)


def frame_angles_deg(frames: Float[Tensor, "N 2 3"]) -> Float[Tensor, " N"]:
    """The directions of the patches' x axes in the image, in [0, 360)."""
    return torch.rad2deg(torch.atan2(frames[:, 1, 0], frames[:, 0, 0])) % 360


def extract_patches(
    image: Float[Tensor, "_ C H W"],
    frames: Float[Tensor, "N 2 3"],
    *,
    patch_size: int = PATCH_SIZE,
) -> Float[Tensor, "N C P P"]:
    """Cut one square patch for each frame, from the pyramid level whose pixels fit its own.

    Levels are 2 x 2 averages, so a point p lies at `(p + 0.5)/2 - 0.5` one level down. Outside the
    image the border repeats. Pixel i of a patch is read at `(2i + 1)/patch_size - 1` of its frame.

    Differentiable in the frames (and in the image), at the level that each was given: a frame that
    grows past a power of two changes to the next level without a gradient.

    Raises:
        ShapeError: more than one image.
    """
    if image.shape[0] != 1:
        raise ShapeError(f"patches are cut from one image at a time, not {image.shape[0]}")
    points = _patch_points(frames[:, :, :2], patch_size) + frames[:, None, None, :, 2]
    area = torch.linalg.det(frames[:, :, :2].detach()).abs()
    step = 2 * area.clamp_min(1e-12).sqrt() / patch_size
    last = max(0, int(torch.tensor(min(image.shape[-2:])).log2()) - 2)
    level = step.log2().floor().clamp(0, last).long()
    patches = image.new_empty(len(frames), image.shape[1], patch_size, patch_size)
    for index in range(int(level.max()) + 1 if len(frames) else 0):
        chosen = level == index
        if chosen.any():
            at_level = (points[chosen] + 0.5) / 2**index - 0.5
            read = sample(image, at_level.unsqueeze(0), padding="border")
            patches[chosen] = read.squeeze(0).permute(0, 3, 1, 2)
        image = F.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)
    return patches


def transform_patches(
    patches: Float[Tensor, "N C P P"], transform: Float[Tensor, "*N 2 2"]
) -> Float[Tensor, "N C P P"]:
    """Each patch seen through a transform of its square [-1, 1] x [-1, 1], its border repeated.

    What `extract_patches` gives at `compose_frames`, as far as the patch alone can tell: what lies
    beyond its border it does not hold.
    """
    size = patches.shape[-1]
    points = (size - 1) / 2 + 0.5 * size * _patch_points(transform, size)
    points = points.expand(patches.shape[0], size, size, 2)  # `len` would fix an exported batch
    return sample(patches, points, padding="border").permute(0, 3, 1, 2)


def _patch_points(axes: Float[Tensor, "*N 2 2"], patch_size: int) -> Float[Tensor, "*N P P 2"]:
    """Where the pixels of patches with these axes lie, from the centre; as in `compose_frames`."""
    grid = pixel_grid(patch_size, patch_size, axes.device).to(axes.dtype)
    x, y = ((2 * grid + 1) / patch_size - 1).unsqueeze(-2).unbind(-1)
    axes = axes[..., None, None, :, :]
    return axes[..., 0] * x + axes[..., 1] * y


def to_grey(image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Luma of an RGB image. Source: ITU-R BT.601, as OpenCV's `COLOR_RGB2GRAY`."""
    grey = 0.299 * image[:, :1]
    return grey.add_(image[:, 1:2], alpha=0.587).add_(image[:, 2:], alpha=0.114)


def cell_centres(size: tuple[int, int], stride: int) -> Float[Tensor, "Hs Ws 2"]:
    """Where the cells of `stride` px of an image of `size` (height, width) have their centres, px.

    A last row or column that is cut by the border, with its centre beyond it, has it at the border.
    """
    height, width = size
    centres = (pixel_grid(-(-height // stride), -(-width // stride)) + 0.5) * stride - 0.5
    return centres.minimum(torch.tensor([width - 1.0, height - 1.0]))


def spread_flow(
    flow: Float[Tensor, "Hs Ws 2"], stride: int, size: tuple[int, int]
) -> Float[Tensor, "H W 2"]:
    """The flow of every pixel of an image of `size`, from that of its cells; NaN stays unknown.

    Bilinear between four cells that are known and differ by at most 2 strides, as views of up to
    three times the scale do; elsewhere that of the pixel's own cell, so that edges stay sharp.
    """
    height, width = size
    y0, y1, down = _between(height, stride)
    x0, x1, across = _between(width, stride)
    corners = [flow[y][:, x] for y in (y0, y1) for x in (x0, x1)]
    least, most = (torch.stack(corners).amin(0), torch.stack(corners).amax(0))
    smooth = (most - least <= 2 * stride).all(-1, keepdim=True)  # NaN is not
    across, down = across[None, :, None], down[:, None, None]
    above, below = (torch.lerp(a, b, across) for a, b in (corners[:2], corners[2:]))
    own = flow[torch.arange(height) // stride][:, torch.arange(width) // stride]
    return torch.where(smooth, torch.lerp(above, below, down), own)


def _between(size: int, stride: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each pixel along one side the cells before and after it, and how far it is between."""
    number = -(-size // stride)
    centres = ((torch.arange(number) + 0.5) * stride - 0.5).clamp_max(size - 1)
    pixels = torch.arange(size, dtype=torch.float32)
    first = (torch.searchsorted(centres, pixels, right=True) - 1).clamp(0, max(number - 2, 0))
    second = (first + 1).clamp_max(number - 1)
    gap = (centres[second] - centres[first]).clamp_min(1e-6)
    return first, second, ((pixels - centres[first]) / gap).clamp(0, 1)
