"""FAISS indices that were filled apart become one."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from corr.errors import OptionError
from corr.search.faiss_file import Record
from corr.search.faiss_parts import parts


def check_shard(place: int, mine: Record, other: Record) -> None:
    """Refuse what would give an index that answers wrongly.

    Raises:
        OptionError: another kind, or other centroids: FAISS would mix them without a word.
    """
    if (mine.description, mine.metric) != (other.description, other.metric):
        raise OptionError(
            f"shard {place} is '{other.description}' for '{other.metric}' and the index is "
            f"'{mine.description}' for '{mine.metric}'; merge indices of one kind"
        )
    if mine.training != other.training or not mine.training:
        raise OptionError(
            f"shard {place} was not trained together with the index; train one index, save it, and "
            "fill each shard in an index loaded from there"
        )


def merge_into(library: ModuleType, index: Any, shards: Iterable[Any], description: str) -> None:
    """Move the vectors of shards into an index, behind its own.

    Raises:
        OptionError: FAISS does not merge this kind.
    """
    inverted = any(hasattr(part, "invlists") for part in parts(library, index))
    for shard in shards:
        if isinstance(shard, library.IndexBinaryFlat):
            index.add(library.vector_to_array(shard.xb).reshape(shard.ntotal, -1))
            shard.reset()
            continue
        try:
            index.merge_from(shard, index.ntotal if inverted else 0)
        except RuntimeError as error:
            raise OptionError(
                f"FAISS cannot merge indices of '{description}'; add all vectors to one"
            ) from error
