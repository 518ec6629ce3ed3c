import pytest
import torch

from corr.errors import OptionError, ShapeError
from corr.losses import Guard, Labels
from corr.losses.distances import pairwise_distances
from corr.search import hardest_negatives

NUM = 13


def labels_of(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Labels(
        tracks=torch.randint(0, 9, (NUM,), generator=generator),
        points=torch.randint(0, 30, (NUM, 2), generator=generator).float(),
        images=torch.randint(5, 7, (NUM,), generator=generator),
    )


def naive(anchors, positives, guard, labels):
    """Pairs one at a time."""
    negative = torch.zeros(NUM, NUM, dtype=torch.bool)
    for i in range(NUM):
        for j in range(NUM):
            same = i == j or (anchors[i] - positives[j]).norm() < guard.min_distance
            if labels.tracks is not None:
                same = same or labels.tracks[i] == labels.tracks[j]
            if labels.points is not None and guard.radius > 0:
                near = (labels.points[i] - labels.points[j]).norm() <= guard.radius
                same = same or (near and bool(labels.images[i] == labels.images[j]))
            negative[i, j] = not same
    return negative


@pytest.mark.parametrize("known", ["all", "tracks", "places", "nothing"])
@pytest.mark.parametrize("guard", [Guard(), Guard(0.9, 10.0), Guard(0.0, 5.0)])
def test_negatives_against_a_naive_loop(make_batch, known, guard):
    anchors, positives = make_batch(NUM)
    whole = labels_of()
    labels = {
        "all": whole,
        "tracks": Labels(tracks=whole.tracks),
        "places": Labels(points=whole.points, images=whole.images),
        "nothing": Labels(),
    }[known]
    expected = naive(anchors, positives, guard, labels)
    distances = pairwise_distances(anchors, positives)
    assert torch.equal(guard.negatives(distances, slice(0, NUM), labels), expected)
    rows = slice(4, 9)
    assert torch.equal(guard.negatives(distances[rows], rows, labels), expected[rows])
    share = guard.guarded_share(anchors, positives, labels)
    assert share.item() == pytest.approx(1 - expected.sum().item() / (NUM * (NUM - 1)), abs=1e-6)
    # The search leaves out the very same pairs.
    found = hardest_negatives(anchors, positives, excluded=guard.exclusion(NUM, labels), k=NUM)
    searched = torch.zeros(NUM, NUM + 1, dtype=torch.bool)
    searched.scatter_(1, torch.where(found.found, found.index, NUM), True)
    assert torch.equal(searched[:, :NUM], expected)


def test_share_of_the_guarded_by_hand():
    corners = torch.eye(4)
    assert Guard().guarded_share(corners, corners) == 0
    tracks = Labels(tracks=torch.tensor([3, 3, 3, 8]))
    assert Guard().guarded_share(corners, corners, tracks) == 0.5  # 6 of 12 ordered pairs


def test_share_is_the_same_in_blocks(make_batch, small_blocks):
    batch = make_batch(NUM)
    guard, labels = Guard(0.9), Labels(tracks=torch.arange(NUM) // 2)
    expected = naive(*batch, guard, labels).sum().item()
    share = guard.guarded_share(*batch, labels).item()
    assert share == pytest.approx(1 - expected / (NUM * (NUM - 1)), abs=1e-6)


def test_refusals():
    for value in (-0.1, 2.0, float("nan")):
        with pytest.raises(OptionError, match=r"min_distance is .*; use a value in \[0, 2\)"):
            Guard(min_distance=value)
    for value in (-1.0, float("inf"), float("nan")):
        with pytest.raises(OptionError, match=r"radius is .*; use 0 px or more"):
            Guard(radius=value)
    with pytest.raises(ShapeError, match="tracks for 3, points for 2 rows"):
        Labels(tracks=torch.arange(3), points=torch.zeros(2, 2))
