import itertools
import os

import numpy as np
import pytest
import torch

from corr.data.resumable import ResumableLoader


def make(step):
    return np.array([step, os.getpid()])


def finish(made):
    return int(made[0]), int(made[1])


def loader(num_workers=0, steps_per_epoch=5):
    return ResumableLoader(make, finish, steps_per_epoch=steps_per_epoch, num_workers=num_workers)


def take(stream, num):
    """The steps of the next batches, starting a new epoch wherever one ends."""
    taken = []
    while len(taken) < num:
        taken += [step for step, _ in itertools.islice(iter(stream), num - len(taken))]
    return taken


@pytest.mark.parametrize("num_workers", [0, 2])
def test_steps_count_through_the_epochs(num_workers):
    stream = loader(num_workers)
    assert len(stream) == 5
    assert [step for step, _ in stream] == [0, 1, 2, 3, 4]
    assert [step for step, _ in stream] == [5, 6, 7, 8, 9]


def test_workers_make_the_batches():
    assert {process for _, process in loader(0)} == {os.getpid()}
    processes = {process for _, process in loader(2)}
    assert len(processes) == 2 and os.getpid() not in processes


@pytest.mark.parametrize(("num_workers", "stops"), [(0, range(13)), (1, (3, 5))])
def test_resumes_at_every_step_also_across_epochs(num_workers, stops):
    for stopped_after in stops:
        first = loader(num_workers)
        assert take(first, stopped_after) == list(range(stopped_after))
        second = loader(num_workers)
        second.load_state_dict(first.state_dict())
        rest = [step for step, _ in second]
        end_of_epoch = 5 * (stopped_after // 5 + 1)
        assert rest == list(range(stopped_after, end_of_epoch))
        assert take(second, 6) == list(range(end_of_epoch, end_of_epoch + 6))


def test_batches_made_ahead_do_not_count():
    stream = loader(2, steps_per_epoch=100)
    iterator = iter(stream)
    assert stream.state_dict() == {"num_handed_out": 0}
    next(iterator)
    assert stream.state_dict() == {"num_handed_out": 1}
    next(iterator)
    assert stream.state_dict() == {"num_handed_out": 2}


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_epoch_left_early_goes_on_where_it_was(num_workers):
    stream = loader(num_workers, steps_per_epoch=10)
    assert [step for step, _ in itertools.islice(iter(stream), 4)] == [0, 1, 2, 3]
    assert [step for step, _ in stream] == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_global_random_numbers_stay_untouched(num_workers):
    before = torch.get_rng_state()
    list(loader(num_workers))
    assert torch.equal(torch.get_rng_state(), before)
