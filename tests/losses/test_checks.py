"""Every loss refuses what it cannot learn from, in one sentence."""

import inspect

import pytest
import torch
import torch.nn.functional as F

import corr.losses
from corr.errors import OptionError, ShapeError
from corr.losses import DescriptorLoss, Guard, GuardedLoss, Labels, TripletLoss
from corr.tasks.recipe import build_recipe

OF_ANY_LENGTH = {"NPairLoss", "HyNetLoss"}
OF_ANOTHER = {"GlobalOrthogonalLoss"}
OF_POINTS = {"CorrespondenceContrastiveLoss"}
"""Their own guard has a radius, and so needs the places of all points."""
LOSSES = sorted(
    name
    for name in corr.losses.__all__
    if name.endswith("Loss")
    and issubclass(getattr(corr.losses, name), DescriptorLoss)
    and getattr(corr.losses, name) not in (DescriptorLoss, GuardedLoss)
)


def make(name, **settings):
    if name in OF_ANOTHER:
        settings["loss"] = TripletLoss()
    if name in OF_POINTS:
        settings.setdefault("guard", Guard())
    return getattr(corr.losses, name)(**settings)


@pytest.mark.parametrize("name", LOSSES)
def test_refusals_of_a_batch(name, make_batch):
    loss = make(name)
    anchors, positives = make_batch(5)
    with pytest.raises(ShapeError, match="needs 2 rows or more in a batch, not 1"):
        loss(anchors[:1], positives[:1])
    with pytest.raises(OptionError, match="all 5 rows of the batch show track 7"):
        loss(anchors, positives, Labels(tracks=torch.full((5,), 7)))
    with pytest.raises(ShapeError, match="labels are for 4 rows and the batch has 5"):
        loss(anchors, positives, Labels(tracks=torch.arange(4)))
    with pytest.raises(OptionError, match=r"radius is 3\.0 px, but the data gives no points"):
        make(name, guard=Guard(radius=3.0))(anchors, positives)
    if name in OF_ANY_LENGTH:
        assert loss(anchors, 3 * positives).isfinite()
    else:
        with pytest.raises(OptionError, match="not normalised: one has length 3; use unit-length"):
            loss(anchors, 3 * positives)


@pytest.mark.parametrize("name", LOSSES)
def test_rows_of_zeros_and_of_half_precision_pass(name, make_batch):
    """Normalising leaves a row of zeros as it is, and half precision the length a little off."""
    anchors, positives = make_batch(6, 128, dtype=torch.float32)
    anchors[2] = 0
    sides = [side.bfloat16().requires_grad_() for side in (anchors, positives)]
    loss = make(name)(*sides)
    loss.backward()
    assert loss.isfinite()
    assert loss.dtype == torch.float32
    assert all(side.grad.isfinite().all() for side in sides)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite_make_a_loss_that_is_not(name, value, make_batch):
    """So that the task says that training has diverged."""
    anchors, positives = make_batch(6)
    anchors[3, 2] = value
    assert not make(name)(anchors, positives).isfinite()


@pytest.mark.parametrize("name", LOSSES)
def test_only_duplicates_give_a_finite_loss_and_gradients(name):
    """As of a network that has collapsed."""
    side = F.normalize(torch.ones(4, 8, dtype=torch.float64), dim=1)
    sides = side.clone().requires_grad_(), side.clone().requires_grad_()
    loss = make(name)(*sides)
    loss.backward()
    assert loss.isfinite()
    assert all(one.grad.isfinite().all() for one in sides)


@pytest.mark.parametrize("name", LOSSES)
def test_order_of_rows_does_not_matter(name, make_batch):
    anchors, positives = make_batch(9, 5)
    order = torch.randperm(9)
    loss = make(name)
    torch.testing.assert_close(loss(anchors, positives), loss(anchors[order], positives[order]))


@pytest.mark.parametrize("name", LOSSES)
def test_a_recipe_names_it_and_its_guard(name):
    options = ["--model.loss", f"corr.losses.{name}"]
    if name in OF_ANOTHER:
        options += ["--model.loss.loss", "corr.losses.TripletLoss"]
    recipe = build_recipe("smoke/patch", [*options, "--model.loss.guard.radius", "4"])
    assert type(recipe.task.loss).__name__ == name
    assert recipe.task.loss.guard == Guard(radius=4.0)


@pytest.mark.parametrize("name", LOSSES)
def test_settings_outside_their_range_are_refused(name):
    for setting in inspect.signature(getattr(corr.losses, name)).parameters.values():
        if isinstance(setting.default, float):
            for wrong in (-1.0, float("nan"), float("inf")):
                with pytest.raises(OptionError, match=f"{setting.name} is {wrong}"):
                    make(name, **{setting.name: wrong})
        if "margin" in setting.name and setting.name != "pos_margin":
            with pytest.raises(OptionError, match=f"{setting.name} is 0.0; use a value in"):
                make(name, **{setting.name: 0.0})
