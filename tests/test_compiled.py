import numba
import numpy as np
import pytest

from corr.compiled import borrowed, compiled, in_parallel, in_pieces, num_threads


def _double(value):
    return 2 * value


def test_a_loop_runs_where_no_folder_can_be_written(monkeypatch):
    monkeypatch.setattr(numba.core.config, "CACHE_LOCATOR_CLASSES", "ZipCacheLocator")
    assert compiled(_double)(21) == 42


def test_a_loop_is_kept_for_the_next_start(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.core.config, "CACHE_DIR", str(tmp_path))
    assert compiled(_double)(21) == 42
    assert list(tmp_path.rglob("*_double*.nbi"))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("least", [1, 4, 1000])
def test_pieces_cover_each_place_once(monkeypatch, threads, least):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    for length in (0, 1, 2, 3, 7, 100):
        times, sizes = np.zeros(length, int), []

        def count(start, stop, times=times, sizes=sizes):
            times[start:stop] += 1
            sizes.append(stop - start)

        in_pieces(count, length, least)
        assert (times == 1).all()
        assert len(sizes) == max(1, min(threads, length // least))
        assert len(sizes) == 1 or min(sizes) >= least


def test_an_error_in_a_job_is_raised(monkeypatch):
    def fail():
        raise KeyError("seen")

    for threads in (1, 2):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        assert num_threads() == threads
        with pytest.raises(KeyError, match="seen"):
            in_parallel([fail, fail])


@compiled
def _count_up(values):
    own = borrowed(values)
    for i in range(own.shape[0]):
        for j in range(own.shape[1]):
            own[i, j] += 10 * i + j


def test_a_borrowed_array_is_the_same_memory():
    values = np.zeros((3, 4), np.float32)
    _count_up(values)
    np.testing.assert_array_equal(values, 10 * np.arange(3)[:, None] + np.arange(4))
