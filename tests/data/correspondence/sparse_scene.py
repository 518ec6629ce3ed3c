"""A plane that several cameras photograph, written as COLMAP's text model: its truth is known."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from corr.formats import write_image

SIZE = (180, 240)
LENS = (-0.12, 0.03)


@dataclass
class Eye:
    """A camera in COLMAP's own terms: the centre of the top-left pixel is at (0.5, 0.5)."""

    focal: float
    position: tuple[float, float, float]
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    lens: tuple[float, float] = (0.0, 0.0)
    principal: tuple[float, float] = (SIZE[1] / 2 + 3, SIZE[0] / 2 - 2)

    @property
    def rotation(self):
        w, x, y, z = np.array(self.quaternion) / np.linalg.norm(self.quaternion)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )

    def see(self, points):
        """Pixels, the centre of the top-left one at (0, 0)."""
        local = (points - self.position) @ self.rotation.T
        plane = local[:, :2] / local[:, 2:]
        square = (plane**2).sum(1, keepdims=True)
        bent = plane * (1 + self.lens[0] * square + self.lens[1] * square**2)
        return self.focal * bent + self.principal - 0.5

    def ray(self, pixels):
        """Directions in the frame of the model."""
        bent = (pixels + 0.5 - self.principal) / self.focal
        plane = bent
        for _ in range(50):
            square = (plane**2).sum(1, keepdims=True)
            plane = bent / (1 + self.lens[0] * square + self.lens[1] * square**2)
        return np.c_[plane, np.ones(len(plane))] @ self.rotation


@dataclass
class Scene:
    """The plane z = 4 + slope * x."""

    eyes: list[Eye]
    slope: float = 0.0
    num_points: int = 300
    points: np.ndarray = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng(0)
        pixels = rng.uniform(0, 1, (self.num_points, 2)) * (SIZE[1] - 1, SIZE[0] - 1)
        self.points = self.hit(self.eyes[0], pixels)

    def hit(self, eye, pixels):
        ray = eye.ray(pixels)
        x, _, z = eye.position
        length = (4 + self.slope * x - z) / (ray[:, 2] - self.slope * ray[:, 0])
        return np.array(eye.position) + ray * length[:, None]

    def between(self, first, second, pixels):
        """Where pixels of one image are in another."""
        return self.eyes[second].see(self.hit(self.eyes[first], pixels))

    def pictures(self):
        photo = skimage.data.astronaut()[: SIZE[0], 100 : 100 + SIZE[1]]
        x, y = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
        grid = np.stack((x, y), -1).reshape(-1, 2).astype(float)
        yield photo
        for number in range(1, len(self.eyes)):
            places = self.between(number, 0, grid).reshape(*SIZE, 2).astype(np.float32)
            yield cv2.remap(photo, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    def write(self, root: Path, model: str = "sparse/0", kind: str = "RADIAL"):
        folder = root / model
        folder.mkdir(parents=True, exist_ok=True)
        (root / "images").mkdir()
        cameras, images = ["# Camera list"], ["# Image list with two lines of data per image:"]
        tracks = [[] for _ in self.points]
        for number, (eye, picture) in enumerate(zip(self.eyes, self.pictures(), strict=True), 1):
            write_image(root / "images" / f"view {number}.png", picture)
            cx, cy = eye.principal
            values = {
                "SIMPLE_PINHOLE": (eye.focal, cx, cy),
                "PINHOLE": (eye.focal, eye.focal, cx, cy),
                "SIMPLE_RADIAL": (eye.focal, cx, cy, eye.lens[0]),
                "RADIAL": (eye.focal, cx, cy, *eye.lens),
                "OPENCV": (eye.focal, eye.focal, cx, cy, *eye.lens, 0, 0),
            }[kind]
            numbers = " ".join(map(str, values))
            cameras.append(f"{number} {kind} {SIZE[1]} {SIZE[0]} {numbers}")
            shift = -eye.rotation @ eye.position
            pose = " ".join(map(str, (*eye.quaternion, *shift)))
            images.append(f"{number} {pose} {number} view {number}.png")
            seen = eye.see(self.points)
            inside = ((seen > 0) & (seen < np.array(SIZE[::-1]) - 1)).all(1)
            found = []
            for row in np.flatnonzero(inside):
                tracks[row] += [number, len(found)]
                found.append(f"{seen[row, 0] + 0.5} {seen[row, 1] + 0.5} {row + 1}")
            images.append(" ".join(found))
        points = ["# 3D point list"]
        for row, (place, track) in enumerate(zip(self.points, tracks, strict=True), 1):
            numbers = " ".join(map(str, (*place, 128, 128, 128, 0.4, *track)))
            points.append(f"{row} {numbers}")
        for name, lines in (("cameras", cameras), ("images", images), ("points3D", points)):
            (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


def two_eyes(slope=0.0, lens=LENS, num_points=300):
    """The second camera is nearer, to the side, and rolled; both have lenses of their own."""
    roll = np.deg2rad(12) / 2
    return Scene(
        [
            Eye(200.0, (0.0, 0.0, 0.0), lens=lens),
            Eye(230.0, (0.5, -0.2, 0.8), (np.cos(roll), 0.02, -0.05, np.sin(roll)), lens=lens),
        ],
        slope,
        num_points,
    )
