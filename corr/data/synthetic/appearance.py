"""What light and camera do to a picture: from the scene to eight bits.

In the order in which it happens: fog and shadows lie on the scene, the lens blurs, the camera
sharpens and develops, the sensor's noise comes on top, and the file compresses it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.data.synthetic.bank import NOISE_LENGTH
from corr.data.synthetic.jpeg import compress
from corr.data.synthetic.light import LIGHT, LOSSLESS, NUM_SPOTS, SPOT_ROWS

Pictures = Float[Tensor, "B 3 H W"]
Rows = Float[Tensor, "_ B"]


def photograph(
    scene: Pictures,
    nearness: Float[Tensor, "B 1 H W"],
    lights: Rows,
    noise: Float[Tensor, " M"],
) -> Pictures:
    """Pictures of scenes, in whole steps of 1/255.

    Args:
        scene: colours without light or camera, in [0, 1].
        nearness: of what each pixel shows, 0 to 1.
        lights: a column for each picture, see `light`.
        noise: normal numbers to take the noise from.
    """
    rows = lights[:, :, None, None, None]
    picture = scene
    if _any(lights[LIGHT.fog]):
        share = rows[LIGHT.fog] * (1 - nearness)
        colour = rows[LIGHT.fog_colour].transpose(0, 1)[..., 0]
        picture = torch.lerp(picture, colour.expand_as(picture), share)
    if _any(lights[LIGHT.shadows]):
        picture = picture * (1 - _spots(rows[LIGHT.shadows], picture, hard=True)).prod(0)
    if _any(lights[LIGHT.highlights]):
        picture = picture + _spots(rows[LIGHT.highlights], picture, hard=False).sum(0)
    if _any(lights[LIGHT.defocus]):
        unsharp = (nearness - rows[LIGHT.focus]).abs().clamp(0, 1)
        picture = torch.lerp(picture, _blurred(picture, lights[LIGHT.defocus]), unsharp)
    if _any(lights[LIGHT.blur]):
        picture = _blurred(picture, lights[LIGHT.blur])
    if _any(lights[LIGHT.motion_length]):
        picture = _shaken(picture, lights[LIGHT.motion_length], lights[LIGHT.motion_angle])
    if _any(lights[LIGHT.sharpening]):
        soft = _blurred(picture, torch.ones_like(lights[LIGHT.sharpening]))
        picture = picture + rows[LIGHT.sharpening] * (picture - soft)
    picture = _developed(picture, rows)
    if _any(lights[LIGHT.noise]):
        picture = picture + _noise(picture, rows, noise)
    picture = picture.clamp(0, 1)
    quality = lights[LIGHT.jpeg_quality]
    if bool((quality < LOSSLESS).any()):
        picture = compress(picture, quality, kept=quality >= LOSSLESS)
    return (picture * 255).round() * (1 / 255)


def _any(values: Tensor) -> bool:
    return bool((values != 0).any())


def _developed(picture: Pictures, rows: Tensor) -> Pictures:
    """Vignetting, gains of the colours, and the curve."""
    height, width = picture.shape[-2:]
    if _any(rows[LIGHT.vignetting]):
        y, x = (torch.linspace(-1, 1, side, device=picture.device) for side in (height, width))
        squared = (y * y)[:, None] + (x * x)[None]
        picture = picture * (1 - 0.5 * rows[LIGHT.vignetting] * squared)
    gains = rows[LIGHT.colour][..., 0, 0, 0].T.reshape(-1, 3, 3)
    mixed = gains @ picture.flatten(2)
    picture = mixed.reshape(picture.shape).clamp(1e-4, 1)
    if bool((rows[LIGHT.gamma] != 1).any()):
        picture = picture ** rows[LIGHT.gamma]
    return picture


def _spots(rows: Tensor, picture: Pictures, *, hard: bool) -> Float[Tensor, "K B 1 H W"]:
    """Strength of spots at each pixel: with a soft border when `hard`, else fading evenly."""
    height, width = picture.shape[-2:]
    spots = rows.reshape(NUM_SPOTS, SPOT_ROWS, *rows.shape[1:]).transpose(0, 1)
    spots = spots[:, (spots[-1] != 0).flatten(1).any(1)]
    x0, y0, a, b, angle, strength = spots
    y = torch.arange(height, device=picture.device)[:, None] / width - y0
    x = torch.arange(width, device=picture.device) / width - x0
    cos, sin = torch.cos(angle), torch.sin(angle)
    u, v = (cos * x + sin * y) / a.clamp_min(1e-6), (cos * y - sin * x) / b.clamp_min(1e-6)
    squared = u * u + v * v
    profile = torch.sigmoid(6 * (1 - squared)) if hard else torch.exp(-squared)
    return torch.mul(strength, profile)


def _noise(picture: Pictures, rows: Tensor, noise: Tensor) -> Pictures:
    """Noise that grows with the light, as that of photons does."""
    count = picture[0].numel()
    start = rows[LIGHT.noise_start].reshape(-1, 1).int()
    place = torch.arange(count, device=picture.device, dtype=torch.int32)
    grain = noise.index_select(0, ((start + place) % NOISE_LENGTH).flatten())
    return grain.reshape(picture.shape) * rows[LIGHT.noise] * (0.5 + picture)


def _blurred(picture: Pictures, sigma: Float[Tensor, " B"]) -> Pictures:
    """Each picture blurred by its own Gaussian; those with 0 stay as they are."""
    reach = max(1, int(torch.ceil(3 * sigma.max())))
    place = torch.arange(-reach, reach + 1, device=picture.device).float()
    kernel = torch.exp(-0.5 * (place / sigma.clamp_min(1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True))[..., None, None, None]
    wide = F.pad(picture, (reach, reach, reach, reach), mode="replicate")
    return _weighted(_weighted(wide, kernel, 3), kernel, 2)


def _weighted(
    wide: Float[Tensor, "B 3 _ _"], kernel: Float[Tensor, "B k 1 1 1"], axis: int
) -> Float[Tensor, "B 3 _ _"]:
    """Sums of shifted pictures along an axis: faster than a convolution of so few channels."""
    side = wide.shape[axis] - kernel.shape[1] + 1
    found = wide.narrow(axis, 0, side) * kernel[:, 0]
    for shift in range(1, kernel.shape[1]):
        found = torch.addcmul(found, wide.narrow(axis, shift, side), kernel[:, shift])
    return found


def _shaken(picture: Pictures, length: Float[Tensor, " B"], angle: Float[Tensor, " B"]) -> Pictures:
    """Each picture smeared along a straight path, px; those with 0 stay as they are."""
    reach = int(torch.ceil(length.max() / 2)) + 1
    place = torch.arange(-reach, reach + 1, device=picture.device).float()
    y, x = place[None, :, None], place[None, None, :]
    cos, sin = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
    along, across = (x * cos + y * sin).abs(), (y * cos - x * sin).abs()
    kernel = (0.5 * length[:, None, None] + 0.5 - along).clamp(0, 1) * (1 - across).clamp_min(0)
    # A path of no length is one pixel.
    single = ((x == 0) & (y == 0)).float()
    kernel = torch.where(length[:, None, None] > 0, kernel, single)
    return _convolved(picture, kernel / kernel.sum((1, 2), keepdim=True))


def _convolved(picture: Pictures, kernel: Float[Tensor, "B h w"]) -> Pictures:
    num, channels, height, width = picture.shape
    down, right = kernel.shape[1] // 2, kernel.shape[2] // 2
    wide = F.pad(picture, (right, right, down, down), mode="replicate")
    weight = kernel.repeat_interleave(channels, 0).unsqueeze(1)
    found = F.conv2d(wide.reshape(1, -1, *wide.shape[2:]), weight, groups=num * channels)
    return found.reshape(num, channels, height, width)
