"""`corr embed`, `corr retrieve`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from corr.cli.images import Search
from corr.cli.say import say
from corr.cli.targets import check_images, choose_targets

if TYPE_CHECKING:
    from corr.results import Ranking


def embed(
    images: list[Path],
    *,
    output: Path,
    model: str | None = None,
    device: str | None = None,
) -> None:
    """Describe whole images, each by one vector.

    Args:
        images: photographs, or folders of them.
        output: .npz or .h5, with the arrays descriptors and names.
        model: describes the images; `corr models` lists them.
        device: such as cpu or cuda; the best one present when not given.
    """
    from corr.formats import check_output
    from corr.formats.suffixes import EMBEDDINGS
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.embedding import embed as embed_images

    check_output(output, EMBEDDINGS)
    paths = _photos(images)
    check_images(paths, [output])
    start = time.perf_counter()
    found = embed_images(paths, model=model, device=device)
    seconds = time.perf_counter() - start
    found.save(output)
    count = "1 image" if len(found) == 1 else f"{len(found)} images"
    by = model or DEFAULTS["embed"]
    size = found.descriptors.shape[1]
    say(f"{count} by {by}, {size} numbers each, in {seconds:.2f} s; wrote {output}")


def retrieve(
    queries: list[Path],
    *,
    gallery: Path,
    output: Path | None = None,
    draw: Path | None = None,
    k: int = 5,
    model: str | None = None,
    search: Search = "auto",
    device: str | None = None,
) -> None:
    """Find the images of a folder that are most like a query.

    Args:
        queries: photographs, or folders of them.
        gallery: the folder to search, with those below it, or what `corr embed` wrote of it.
        output: .csv, with a line for each answer.
        draw: .png or .jpg with the answers beside each query; ranking-drawn.png when neither this
            nor -o is given.
        k: how many answers.
        model: describes the images; `corr models` lists them.
        search: who finds nearest neighbours.
        device: such as cpu or cuda; the best one present when not given.
    """
    from corr.formats import read_embeddings, suffixes
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.retrieval import retrieve as rank
    from corr.results import Embeddings

    targets = choose_targets(output, draw, suffixes.RANKING, "ranking-drawn.png")
    paths = _photos(queries)
    check_images(paths, targets)
    known = gallery.is_file() and gallery.suffix.lower() in suffixes.EMBEDDINGS
    searched = Embeddings(*read_embeddings(gallery)) if known else gallery
    start = time.perf_counter()
    found = rank(paths, searched, k=k, model=model, search=search, device=device)
    seconds = time.perf_counter() - start
    if targets.output is not None:
        found.save(targets.output)
    if targets.draw is not None:
        _draw(found, targets.draw)
    for name, row, scores in zip(found.query_names, found.index, found.scores, strict=True):
        answers = (
            f"{found.gallery_names[answer]} {score:.3f}"
            for answer, score in zip(row, scores, strict=True)
        )
        say(f"{name}: {', '.join(answers)}")
    by = model or DEFAULTS["embed"]
    count = "1 query" if len(found) == 1 else f"{len(found)} queries"
    say(
        f"{count} among {len(found.gallery_names)} images by {by}, in {seconds:.2f} s; "
        f"{targets.wrote()}"
    )


def _photos(given: list[Path]) -> list[Path]:
    """Images as they are, folders as what is in them."""
    from corr.data.photos import list_photos

    return [path for one in given for path in (list_photos(one) if one.is_dir() else [one])]


def _draw(found: Ranking, path: Path) -> None:
    from corr.formats import read_image

    queries = [read_image(name) for name in found.query_names]
    answers = [[read_image(found.gallery_names[answer]) for answer in row] for row in found.index]
    found.draw(queries, answers, path)
