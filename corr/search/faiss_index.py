"""A FAISS index of any kind: trained, filled in parts, saved, merged and searched."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from corr.errors import OptionError
from corr.search import faiss_file, faiss_gpu, faiss_parts
from corr.search.faiss import as_rows, faiss_metric, in_order
from corr.search.faiss_library import faiss_library
from corr.search.faiss_merge import check_shard, merge_into
from corr.search.faiss_tables import Table, check_metric, check_table, chunks
from corr.search.neighbors import Neighbors


class FaissIndex:
    """A table of descriptors to search many times, exactly or approximately.

    Built on the CPU; `to_gpus` gives a copy that searches there.

    Args:
        dimension: values of a row; bytes of a row for `hamming`.
        description: FAISS's factory string: `Flat` (exact), `IVF4096,Flat`, `IVF1024,PQ32`,
            `HNSW32`, ...; for `hamming` `BFlat`, `BIVF1024`, `BHNSW32`, ...
        metric: `cosine`, `dot`, `l2` or `hamming`, as in `nearest`.

    Raises:
        MissingExtraError: FAISS is not installed or cannot be used.
        OptionError: an unknown description or metric, or a dimension that does not fit it.
    """

    def __init__(self, dimension: int, description: str = "Flat", *, metric: str = "cosine"):
        check_metric(metric)
        if dimension < 1:
            raise OptionError(f"dimension is {dimension}; use 1 or more")
        self._library = faiss_library()
        number = faiss_metric(self._library, metric)
        try:
            if number is None:
                self._index = self._library.index_binary_factory(8 * dimension, description)
            else:
                self._index = self._library.index_factory(dimension, description, number)
        except RuntimeError as error:
            kinds = (
                "BFlat, BIVF1024 or BHNSW32" if number is None else "Flat, IVF1024,PQ32 or HNSW32"
            )
            raise OptionError(
                f"index '{description}' is not known for {dimension} "
                f"{'bytes' if number is None else 'values'} a row and metric '{metric}'; use one "
                f"such as {kinds}"
            ) from error
        self._record = faiss_file.Record(description, metric, "")
        self._mapped = False
        self._clone: Any = None
        if self.is_trained:
            self._mark_trained()

    @property
    def description(self) -> str:
        """FAISS's factory string."""
        return self._record.description

    @property
    def metric(self) -> str:
        """The metric that it was built for."""
        return self._record.metric

    @property
    def dimension(self) -> int:
        """Values of a row; bytes of a row for `hamming`."""
        return int(self._index.d) // (8 if self.metric == "hamming" else 1)

    @property
    def is_trained(self) -> bool:
        """Whether vectors can be added; some kinds need no training."""
        return bool(self._index.is_trained)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def train(self, vectors: Table) -> None:
        """Learn the lists and codes of the index from vectors like those to come.

        Fewer than `39` vectors for each centroid bring a warning.

        Raises:
            OptionError: too few vectors, values that are not finite, or an index that is not empty.
            ShapeError: rows of another length.
        """
        self._check_changeable("trained")
        if len(self):
            raise OptionError(
                f"the index holds {len(self)} vectors already; train it before they are added"
            )
        check_table(vectors, "vectors", self.dimension, self.metric)
        needed = faiss_parts.num_centroids(self._library, self._index)
        if len(vectors) < needed:
            raise OptionError(
                f"{len(vectors)} vectors were given to train '{self.description}', which needs at "
                f"least {needed}; give more or use fewer lists"
            )
        wanted = faiss_parts.PER_CENTROID * needed
        if len(vectors) < wanted:
            warnings.warn(
                f"{len(vectors)} vectors are few to train '{self.description}': with {wanted} or "
                "more it finds more of the true neighbours",
                stacklevel=2,
            )
        faiss_parts.prepare(self._library, self._index)
        self._index.train(np.concatenate(list(chunks(vectors, self.metric))))
        self._mark_trained()

    def add(self, vectors: Table) -> None:
        """Add vectors behind those that are there; their index counts on.

        Any array of rows does, a memory-mapped one too: it is read in chunks.

        Raises:
            OptionError: the index is not trained or cannot be changed, or values are not finite.
            ShapeError: rows of another length.
        """
        self._check_changeable("added to")
        self._check_trained()
        check_table(vectors, "vectors", self.dimension, self.metric)
        for chunk in chunks(vectors, self.metric):
            self._index.add(chunk)

    def search(self, queries: Table, k: int = 1, **parameters: int) -> Neighbors:
        """The k nearest that the index finds for each query, on the queries' device.

        Where it finds fewer (an inverted file reads only some lists), index is -1 and the score
        minus infinity.

        Args:
            queries: descriptors of the index's kind.
            k: how many; fewer are returned where the index holds fewer.
            parameters: FAISS's own, for this search only: `nprobe` (lists read of an inverted
                file), `efSearch` (candidates in an HNSW graph), `k_factor` (candidates that a
                refining index re-scores for each neighbour). Higher is slower and finds more.

        Raises:
            OptionError: k below 1, an untrained index, or a parameter that does not fit it.
            ShapeError: rows of another length.
        """
        if k < 1:
            raise OptionError(f"k is {k}; use 1 or more")
        self._check_trained()
        check_table(queries, "queries", self.dimension, self.metric)
        settings = faiss_parts.search_parameters(self._library, self._index, parameters)
        rows = as_rows(torch.as_tensor(queries), self.metric)
        k, name = min(k, len(self)), "faiss" if self._clone is None else "faiss-gpu"
        if k == 0 or len(rows) == 0:
            empty = torch.zeros(len(rows), k, device=rows.device)
            return Neighbors(empty.long(), empty, backend=name)
        if self._clone is not None:
            found = self._search_clone(rows, k, parameters)
        else:
            # FAISS's bridge to torch, once loaded, puts a method that takes no settings in the
            # place of the one for arrays, and keeps that under this name.
            find = getattr(self._index, "search_numpy", self._index.search)
            values, index = find(rows.cpu().numpy(), k, params=settings)
            found = (
                torch.from_numpy(values).to(rows.device),
                torch.from_numpy(index).to(rows.device),
            )
        return Neighbors(*in_order(found[1], self._scores(*found)), backend=name)

    def merge(self, shards: Iterable[FaissIndex]) -> None:
        """Take over the vectors of other indices, which are empty afterwards.

        They come behind one's own, shard by shard. All must have been trained together: train one,
        save it, load it wherever a shard is filled.

        Raises:
            OptionError: a shard of another kind or training, or a kind that FAISS cannot merge.
        """
        shards = list(shards)
        self._check_changeable("merged into")
        for place, shard in enumerate(shards):
            if shard is self:
                raise OptionError(f"shard {place} is the index itself; give the others")
            shard._check_changeable("merged")
            check_shard(place, self._record, shard._record)
        merge_into(self._library, self._index, [x._index for x in shards], self.description)

    def save(self, path: str | Path) -> None:
        """Write the index to a file, which appears whole or not at all.

        Raises:
            FormatError: the file cannot be written there.
        """
        faiss_file.write(self._library, path, self._index, self._record)

    @classmethod
    def load(
        cls, path: str | Path, *, memory_map: bool = True, metric: str | None = None
    ) -> FaissIndex:
        """Read an index that `save` wrote.

        Args:
            path: the file.
            memory_map: leave the vectors in the file, read when a search needs them; such an index
                can be searched only.
            metric: refuse an index of another; for a file that FAISS itself wrote, its metric.

        Raises:
            FormatError: the file is missing, damaged or no FAISS index.
            MissingExtraError: FAISS is not installed or cannot be used.
            OptionError: the index was built for another metric.
        """
        if metric is not None:
            check_metric(metric)
        library = faiss_library()
        index, record = faiss_file.read(library, path, memory_map=memory_map, metric=metric)
        return cls._of(library, index, record, mapped=memory_map)

    def to_gpus(self, devices: Sequence[int] | None = None) -> FaissIndex:
        """A copy, as the index is now, that searches on GPUs; several hold a part each.

        It can be searched only.

        Args:
            devices: CUDA device numbers; all that there are when not given.

        Raises:
            MissingExtraError: no FAISS for CUDA, or no CUDA device.
            OptionError: a device that is not there, or an index of a kind that GPUs do not search.
        """
        self._check_trained()
        library = faiss_library(gpu=True)
        copy = self._of(library, self._index, self._record, mapped=True)
        copy._clone = faiss_gpu.clone_to_gpus(library, self._index, devices)
        return copy

    @classmethod
    def _of(
        cls, library: ModuleType, index: Any, record: faiss_file.Record, *, mapped: bool
    ) -> FaissIndex:
        made = cls.__new__(cls)
        made._library, made._index, made._record = library, index, record
        made._mapped, made._clone = mapped, None
        return made

    def _search_clone(
        self, rows: Tensor, k: int, parameters: dict[str, int]
    ) -> tuple[Tensor, Tensor]:
        lists = [
            part.nprobe
            for part in faiss_parts.parts(self._library, self._index)
            if hasattr(part, "nprobe")
        ]
        if other := sorted(set(parameters) - {"nprobe"}):
            raise OptionError(f"parameter '{other[0]}' does not fit a GPU; it accepts: nprobe")
        nprobe = parameters.get("nprobe", lists[0]) if lists else None
        return faiss_gpu.search_clone(self._library, self._clone, rows, k, nprobe)

    def _scores(self, values: Tensor, index: Tensor) -> Tensor:
        """FAISS's products or distances as scores that rise when better."""
        if self.metric == "hamming":
            values = -values.float()
        elif self.metric == "l2":
            values = -values.clamp_min(0).sqrt()
        return values.masked_fill(index < 0, -torch.inf)

    def _mark_trained(self) -> None:
        """Remember by what training vectors are coded, while the index is empty."""
        binary = self.metric == "hamming"
        serialize = (
            self._library.serialize_index_binary if binary else self._library.serialize_index
        )
        digest = hashlib.sha256(serialize(self._index).tobytes()).hexdigest()
        self._record = replace(self._record, training=digest)

    def _check_changeable(self, done: str) -> None:
        if self._mapped:
            raise OptionError(
                f"an index that is memory-mapped or on GPUs cannot be {done}; load it with "
                "memory_map=False"
            )

    def _check_trained(self) -> None:
        if not self.is_trained:
            raise OptionError(f"'{self.description}' is not trained; call train(vectors) first")
