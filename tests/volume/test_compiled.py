import numba
import numpy as np
import pytest

from corr.volume.bands import in_bands, in_parallel, num_threads
from corr.volume.compiled import compiled


def _double(value):
    return 2 * value


def test_a_loop_runs_where_no_folder_can_be_written(monkeypatch):
    monkeypatch.setattr(numba.core.config, "CACHE_LOCATOR_CLASSES", "ZipCacheLocator")
    assert compiled(_double)(21) == 42


def test_a_loop_is_kept_for_the_next_start(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.core.config, "CACHE_DIR", str(tmp_path))
    assert compiled(_double)(21) == 42
    assert list(tmp_path.rglob("*_double*.nbi"))


def test_bands_cover_each_row_once():
    for height in (1, 2, 3, 7, 100):
        rows = np.zeros(height, int)

        def count(top, bottom, rows=rows):
            rows[top:bottom] += 1

        in_bands(count, height)
        assert (rows == 1).all()


def test_an_error_in_a_job_is_raised(monkeypatch):
    def fail():
        raise KeyError("seen")

    for threads in (1, 2):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        assert num_threads() == threads
        with pytest.raises(KeyError, match="seen"):
            in_parallel([fail, fail])
