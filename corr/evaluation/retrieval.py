"""Retrieval of whole photographs that were cropped, tilted, recoloured and blurred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int

from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import list_photos
from corr.data.views import Views, take_view
from corr.errors import DatasetError
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Benchmark, Column, ItemResult, Scores, ScoreTable, Totals
from corr.formats import read_image
from corr.metrics import mean_average_precision, recall_at_k, relevant_ranks
from corr.pipeline import catalog
from corr.pipeline.embedding import describe, place_embedding
from corr.results import Picture, Ranking
from corr.search import nearest

TRAIN, VAL = "train", "val"
"""The two folders of the gallery; the queries are views of the second."""
RECALL_AT = (1, 5, 10)
_NUM_DRAWN = 5
_ROWS_DRAWN = 6


@dataclass(frozen=True)
class RetrievalProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    queries: str = "random views of each photograph of val"
    views_per_photo: int = 4
    seed: int = 20_261_125
    side: int = 256
    """Of a query, px; a square."""
    views: Mapping[str, float] = field(
        default_factory=lambda: asdict(
            Views(min_area=0.25, max_area=0.8, max_rotation_deg=20.0, max_perspective=0.25)
        )
    )
    """Part, homography; see `corr.data.views`."""
    photometry: Mapping[str, float | int | None] = field(
        default_factory=lambda: asdict(
            Photometry(
                brightness=0.3, contrast=0.4, gamma=1.7, colour=0.6, hue=0.1, grey=0.1, noise=0.03,
                blur=3.0, min_jpeg_quality=30, probability=0.75,
            )
        )
    )  # fmt: skip
    """Colour, light, blur, noise, lossy copy; see `corr.data.photometric`."""
    gallery: str = "all photographs of train and val, as they are"
    relevant: str = "the photograph that a query is a view of; so mAP is the mean of 1 / its rank"
    ranking: str = "inner product of unit-length descriptors; of equal ones the relevant comes last"
    average: str = "mean over queries; one that failed has its photograph last"
    seconds: str = "describing a query and searching; describing the gallery left out"
    opencv: str = cv2.__version__
    albumentations: str = version("albumentations")


@dataclass(frozen=True)
class Gallery:
    """The photographs that are searched."""

    root: Path
    paths: tuple[Path, ...]

    @cached_property
    def state(self) -> list[Any]:
        """What they are made of, in plain values: each one's path, size and time of change."""
        stats = [(path, path.stat()) for path in self.paths]
        return [
            [path.relative_to(self.root).as_posix(), found.st_size, found.st_mtime_ns]
            for path, found in stats
        ]


@dataclass(frozen=True)
class Query:
    """One view of one photograph of the gallery."""

    gallery: Gallery
    target: int
    """Which photograph."""
    view: int
    """Which of its views."""

    @property
    def photo(self) -> Path:
        """The photograph's file."""
        return self.gallery.paths[self.target]


@dataclass(frozen=True, eq=False)
class QueryInputs:
    """A query in memory."""

    image: Picture
    item: Query


@dataclass(frozen=True, eq=False)
class Answers:
    """The first answers to a query, and how far down the right one is."""

    index: Int[np.ndarray, " K"]
    scores: Float[np.ndarray, " K"]
    rank: int


class RetrievalBenchmark(Benchmark[Query, QueryInputs, Answers]):
    """Recall and mAP of finding a photograph by a view of it."""

    name: ClassVar[str] = "retrieval"
    task: ClassVar[str] = "embed"
    defaults: ClassVar[tuple[str, ...]] = (
        "colour-histogram", "gemnet-untrained", "gemnet-siamese", "gemnet-triplet",
    )  # fmt: skip
    baseline: ClassVar[str] = "colour-histogram"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("recall@1/5/10 %", tuple(f"recall_{k}" for k in RECALL_AT), 100.0),
        Column("mAP %", ("map",), 100.0),
    )
    ranked_by: ClassVar[str] = "map"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = "A query with its first answers, wrong ones framed in red."
    settings: RetrievalProtocol

    def __init__(self, settings: RetrievalProtocol | None = None, *, search: str = "auto") -> None:
        self.settings = settings or RetrievalProtocol()
        self._search = search
        self._views = Views(**self.settings.views)
        self._change = PhotometricChange(Photometry(**self.settings.photometry))  # type: ignore[arg-type]  # by name
        self._described: dict[tuple[str, tuple[Path, ...]], Float32[np.ndarray, "M D"]] = {}

    def items(self, root: Path) -> list[Query]:
        """Each view of each photograph in `root/val`.

        Raises:
            DatasetError: a folder is missing or empty.
        """
        missing = [name for name in (TRAIN, VAL) if not (root / name).is_dir()]
        if missing:
            raise DatasetError(
                f"'{root}' has no folder '{missing[0]}'; expected are photographs in '{TRAIN}' and "
                f"'{VAL}'"
            )
        rest, shown = list_photos(root / TRAIN), list_photos(root / VAL)
        gallery = Gallery(root, (*rest, *shown))
        return [
            Query(gallery, len(rest) + number, view)
            for view in range(self.settings.views_per_photo)
            for number in range(len(shown))
        ]

    def label(self, item: Query) -> str:
        """Such as `view-0/kodim01`."""
        below = item.photo.relative_to(item.gallery.root / VAL)
        return f"{self.group(item)}/{below.as_posix()}"

    def group(self, item: Query) -> str:
        """All first views together, all second ones, and so on."""
        return f"view-{item.view}"

    def files(self, item: Query) -> Sequence[Path]:
        """The photograph."""
        return (item.photo,)

    def identity(self, item: Query, root: Path) -> list[Any]:
        """Its photograph, and the gallery that it is searched in."""
        return [*super().identity(item, root), item.gallery.state]

    def read(self, item: Query) -> QueryInputs:
        """The view, which depends on the seed and on the query's own numbers alone."""
        first = item.target - len(item.gallery.paths)
        rng = np.random.default_rng((self.settings.seed, item.view, -first))
        photo = read_image(item.photo)
        corners = self._views.draw((photo.shape[0], photo.shape[1]), rng)
        view = take_view(photo, corners, self.settings.side)
        return QueryInputs(self._change.colour(view, rng), item)

    def run(self, model: str, inputs: QueryInputs) -> Answers:
        """The nearest of the gallery."""
        chosen = place_embedding(catalog.resolve(model, self.task))
        gallery = self._gallery(model, inputs.item.gallery)
        query = describe([inputs.image], chosen)
        k = min(_NUM_DRAWN, len(gallery))
        found = nearest(query, gallery, k, metric="dot", backend=self._search)
        labels = np.arange(len(gallery))
        rank = relevant_ranks(query, gallery, labels[inputs.item.target, None], labels)[0][0]
        return Answers(found.index[0].numpy(), found.scores[0].numpy(), int(rank))

    def score(self, item: Query, inputs: QueryInputs, output: Answers) -> Scores:
        """Whether the photograph is among the first k, and one over its rank."""
        return _scores(output.rank)

    def worst(self, item: Query) -> Scores:
        """The photograph comes last."""
        return _scores(len(item.gallery.paths))

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over queries."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: QueryInputs, output: Answers) -> Picture:
        """The query and its first answers."""
        return self._drawn([inputs], [output])

    def overview(
        self, items: Sequence[Query], results: Mapping[str, Sequence[ItemResult]]
    ) -> dict[str, Picture]:
        """For each model some queries, the same for all, with their first answers."""
        some = [items[row] for row in np.linspace(0, len(items) - 1, _ROWS_DRAWN).astype(int)]
        inputs = [self.read(item) for item in some]
        return {
            f"{model}: some queries": self._drawn(inputs, [self.run(model, one) for one in inputs])
            for model in results
        }

    def _gallery(self, model: str, gallery: Gallery) -> Float32[np.ndarray, "M D"]:
        """The gallery described by a model, once."""
        key = model, gallery.paths
        if key not in self._described:
            chosen = place_embedding(catalog.resolve(model, self.task))
            self._described[key] = describe(map(read_image, gallery.paths), chosen)
        return self._described[key]

    def _drawn(self, inputs: Sequence[QueryInputs], outputs: Sequence[Answers]) -> Picture:
        names = tuple(map(str, inputs[0].item.gallery.paths))
        index = np.stack([output.index for output in outputs])
        scores = np.stack([output.scores for output in outputs])
        targets = np.array([one.item.target for one in inputs])
        answers = [[read_image(names[answer]) for answer in row] for row in index]
        ranking = Ranking(index, scores, ("query",) * len(inputs), names)
        images = [one.image for one in inputs]
        return ranking.draw(images, answers, correct=index == targets[:, None])


def _scores(rank: int) -> dict[str, float]:
    ranks = [np.array([rank])]
    recalls = {f"recall_{k}": recall_at_k(ranks, k) for k in RECALL_AT}
    return {**recalls, "map": mean_average_precision(ranks)}
