"""What `corr flow` is run on: frames of a photograph that moves, and what it wrote."""

import cv2
import numpy as np

from corr.formats import read_flow

SHIFT = (6, -2)
SIZE = (80, 120)


def moved(name) -> np.ndarray:
    return np.median(read_flow(name).reshape(-1, 2), axis=0)


def make_video(name, codec, frames):
    writer = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*codec), 10, SIZE[::-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()
