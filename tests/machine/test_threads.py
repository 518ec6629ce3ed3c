"""Two pieces of work at once."""

import os
import threading

import pytest
import torch

from corr.machine.threads import at_once


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_both_run_at_once_with_half_of_the_threads(two_threads):
    """Each waits until the other runs too, which one after the other could not."""
    both = threading.Barrier(2, timeout=20)

    def work(number):
        both.wait()
        return number, torch.get_num_threads()

    assert at_once(work, 3, 4) == ((3, 1), (4, 1))
    assert torch.get_num_threads() == 2
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [2]  # a new thread begins as before


def test_the_first_error_is_raised(two_threads):
    def work(text):
        raise ValueError(text)

    with pytest.raises(ValueError, match="one"):
        at_once(work, "one", "other")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a fork beside threads
def test_a_forked_process_has_its_own(two_threads):
    assert at_once(len, "ab", "c") == (2, 1)
    child = os.fork()
    if child == 0:
        os._exit(0 if at_once(len, "ab", "c") == (2, 1) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_one_thread_works_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert at_once(lambda _: threading.get_ident(), 0, 0) == (threading.get_ident(),) * 2
    torch.set_num_threads(before)
