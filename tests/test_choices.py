"""An unknown word for a setting is refused in one sentence, also where nothing checks types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jaxtyping
import pytest

from corr.data import ViewDataModule
from corr.errors import OptionError
from corr.losses import (
    ContrastiveLoss,
    CorrespondenceContrastiveLoss,
    DualSoftmaxLoss,
    EndpointLoss,
    HyNetLoss,
    TripletLoss,
)
from corr.models import FlowNetS, GeMNet, HardNet, HardNetSTN, UniversalCorrespondenceNetwork
from corr.models.stn import SpatialTransformer
from corr.pipeline.flow_estimator import FlowEstimator
from corr.tasks import CorrespondenceTask, EmbeddingTask, FlowTask, MetricTask, PatchTask, ViewTask

MINING = "'hardest', 'semi-hard', 'distance-weighted', 'random' or 'all'"
MINED = "'hardest', 'semi-hard', 'distance-weighted' or 'random'"
OPTIMIZER = "optimizer 'lamb' is not known; use 'sgd', 'adamw' or 'adam'"


@pytest.fixture(autouse=True)
def unchecked() -> Iterator[None]:
    """As outside tests; inside, the types of the arguments would be refused before."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TripletLoss(mining="semi"), f"mining 'semi' is not known; use {MINING}"),
        (lambda: ContrastiveLoss(mining="hard"), f"mining 'hard' is not known; use {MINING}"),
        (
            lambda: CorrespondenceContrastiveLoss(mining="all"),
            f"mining 'all' is not known; use {MINED}",
        ),
        (
            lambda: TripletLoss(kind="hinge"),
            "kind 'hinge' is not known; use 'margin', 'soft-margin' or 'ratio'",
        ),
        (
            lambda: TripletLoss(search="flann"),
            "search 'flann' is not known; use one of auto, exact, faiss, faiss-gpu",
        ),
        (
            lambda: HyNetLoss(search="flann"),
            "search 'flann' is not known; use one of auto, exact, faiss, faiss-gpu",
        ),
        (
            lambda: FlowEstimator(refine="some"),
            "refine 'some' is not known; use one of 'none', 'variational', 'lk', 'lk-variational'",
        ),
        (
            lambda: FlowNetS(1 / 16, refine="some"),
            "refine 'some' is not known; use one of 'none', 'variational', 'lk', 'lk-variational'",
        ),
        (
            lambda: SpatialTransformer("shear"),
            "transform 'shear' is not known; use rotation, similarity, affine",
        ),
        (
            lambda: HardNetSTN("rotate"),
            "normalization 'rotate' is not known; use none, dominant-orientation, affine-shape, "
            "both, rotation, similarity, affine",
        ),
        (lambda: MetricTask(HardNet(), TripletLoss(), optimizer="lamb"), OPTIMIZER),
        (lambda: PatchTask(HardNet(), TripletLoss(), optimizer="lamb"), OPTIMIZER),
        (lambda: ViewTask(HardNetSTN(), TripletLoss(), optimizer="lamb"), OPTIMIZER),
        (lambda: EmbeddingTask(GeMNet(), TripletLoss(), optimizer="lamb"), OPTIMIZER),
        (
            lambda: EndpointLoss("median"),
            "convention 'median' is not known; use 'sum' or 'mean'",
        ),
        (
            lambda: FlowTask(FlowNetS(1 / 16), EndpointLoss(), schedule="cosine"),
            "schedule 'cosine' is not known; use 'line', 'short' or 'long'",
        ),
        (
            lambda: CorrespondenceTask(
                UniversalCorrespondenceNetwork(), DualSoftmaxLoss(), negatives="image"
            ),
            "negatives is 'image'; use pair or batch",
        ),
        (
            lambda: ViewDataModule(camera="gpu"),
            "camera 'gpu' is not known; use 'auto', 'workers' or 'device'",
        ),
    ],
)
def test_an_unknown_choice_is_refused(make: Callable[[], object], said: str):
    with pytest.raises(OptionError) as caught:
        make()
    assert str(caught.value) == said
