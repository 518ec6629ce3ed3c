"""What the tests of the search share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def one_faiss_thread() -> Iterator[None]:
    """FAISS's threads wait for each other without rest, which takes long on a busy machine."""
    faiss = pytest.importorskip("faiss")
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)
