"""FAISS indices of every kind, of few rows."""

import warnings

import numpy as np

from corr.search.faiss.index import FaissIndex

KINDS = ["Flat", "IVF16,Flat", "IVF16,PQ8", "HNSW16", "OPQ8,IVF16,PQ8", "IVF16_HNSW8,Flat"]
NUM = 3000
BINARY = ["BFlat", "BIVF16", "BHNSW16"]


def clusters(num: int, dimension: int = 32, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((100, dimension))
    return (
        centres[rng.integers(0, 100, num)] + 0.3 * rng.standard_normal((num, dimension))
    ).astype(np.float32)


def _bits(num: int, seed: int = 0) -> np.ndarray:
    return np.packbits(clusters(num, 64, seed) > 0, axis=1)


def rows_of(kind: str, num: int, seed: int = 0) -> np.ndarray:
    return _bits(num, seed) if kind.startswith("B") else clusters(num, 32, seed)


def filled(kind: str, metric: str = "l2", num: int = NUM) -> FaissIndex:
    """Few train the codes, since FAISS takes long over many."""
    binary = kind in BINARY
    index = FaissIndex(8 if binary else 32, kind, metric="hamming" if binary else metric)
    rows = rows_of(kind, num)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        index.train(rows[:300])
    for part in np.array_split(rows, 3):
        index.add(part)
    return index
