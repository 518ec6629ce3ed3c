"""A FAISS that is missing, crashes, hangs, raises or errs, met by real child processes."""

import importlib
import json
import sys

import pytest
import torch

from corr.errors import MissingExtraError
from corr.search import faiss_probe
from corr.search.faiss_library import faiss_library

WORKING = """
import numpy as np
__version__ = "9.9.9"
class Index:
    def __init__(self, width): pass
    def add(self, rows): self.rows = rows
    def search(self, rows, k): return None, np.arange(len(rows))[:, None]
IndexFlatL2 = IndexBinaryFlat = Index
"""
LOG = """
import os
with open(os.environ["STARTS"], "a") as log: log.write(f"{os.getpid()} ")
"""


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask for FAISS, as after a fresh start, where a fake one is found; answer and imports."""
    original = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_faiss(name)}
    starts = tmp_path / "starts"
    monkeypatch.syspath_prepend(tmp_path / "path")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STARTS", str(starts))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(body: str, *, gpu: bool = False, limit_s: float = 60) -> tuple[str, int]:
        file = tmp_path / "path" / "faiss" / "__init__.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != LOG + body:
            file.write_text(LOG + body)
        starts.write_text("")
        monkeypatch.setattr(faiss_probe, "TIME_LIMIT_S", limit_s)
        faiss_probe.trouble.cache_clear()
        answers = []
        for _ in range(2):
            sys.modules.pop("faiss", None)
            importlib.invalidate_caches()
            try:
                answers.append(f"ok {faiss_library(gpu=gpu).__version__}")
            except MissingExtraError as error:
                answers.append(str(error))
            if len(answers) == 1:
                imports = len(starts.read_text().split())
        assert answers[0] == answers[1]
        ours = answers[0].startswith("ok") or "search 'faiss-gpu'" in answers[0]
        assert len(starts.read_text().split()) == imports + ours  # no second child
        return answers[0], imports

    yield run
    for name in list(sys.modules):
        if _is_faiss(name):
            del sys.modules[name]
    sys.modules.update(original)
    faiss_probe.trouble.cache_clear()


def _is_faiss(name: str) -> bool:
    return name.partition(".")[0] == "faiss"


def test_one_that_works_is_tried_once(ask, tmp_path):
    assert ask(WORKING) == ("ok 9.9.9", 2)  # the child's import and our own
    assert ask(WORKING) == ("ok 9.9.9", 1)
    kept = json.loads((tmp_path / "cache" / "corr" / "faiss.json").read_text())
    assert list(kept.values()) == [""]
    assert sorted((tmp_path / "cache" / "corr").iterdir()) == [
        tmp_path / "cache" / "corr" / "faiss.json"
    ]
    assert ask(WORKING + "# another build\n") == ("ok 9.9.9", 2)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("import os; os.abort()", "crashes in a tiny search (SIGABRT)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "(SIGILL)"),
        ("import os; os._exit(127)", "crashes in a tiny search (exit code 127)"),
        ("import time; time.sleep(600)", "does not finish a tiny search within 2 s"),
        (WORKING.replace("[:, None]", "[::-1, None]"), "gives wrong neighbours"),
        (
            "import os, sys; print('CUDA error 209 no kernel image is available', file=sys.stderr)"
            "; sys.stderr.flush(); os.abort()",
            "has no code for this machine's GPU",
        ),
    ],
)
def test_one_that_ends_the_process_is_refused_and_not_tried_again(ask, tmp_path, body, says):
    limit_s = 2 if "sleep" in body else 60
    answer, imports = ask(body, limit_s=limit_s)
    assert answer.startswith(f"the faiss installed at '{tmp_path / 'path' / 'faiss'}")
    assert says in answer
    assert "use backend 'exact'" in answer
    assert imports == 1
    assert ask(body, limit_s=limit_s) == (answer, 0)


def test_one_that_raises_is_tried_again_at_the_next_start(ask):
    body = "raise RuntimeError('libcublas.so.12 is missing')"
    for _ in range(2):
        answer, imports = ask(body)
        assert "fails with RuntimeError: libcublas.so.12 is missing" in answer
        assert imports == 1
    assert ask(WORKING)[0] == "ok 9.9.9"


def test_a_damaged_or_locked_cache_costs_one_more_try(ask, tmp_path):
    folder = tmp_path / "cache" / "corr"
    folder.mkdir(parents=True)
    (folder / "faiss.json").write_text("{no json")
    assert ask(WORKING) == ("ok 9.9.9", 2)
    assert ask(WORKING) == ("ok 9.9.9", 1)
    (tmp_path / "cache" / "corr" / "faiss.json").unlink()
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    assert ask(WORKING) == ("ok 9.9.9", 2)


def test_a_build_without_cuda_says_what_to_install(ask):
    answer, _ = ask(WORKING, gpu=True)
    assert answer == (
        "search 'faiss-gpu' needs a faiss built for CUDA, and the one installed (9.9.9) is for the "
        "CPU only; run: pip uninstall faiss-cpu, then pip install corr-toolkit[gpu]"
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what is missing where no GPU is")
def test_a_machine_without_a_gpu_is_named(ask):
    body = WORKING + "\nclass StandardGpuResources: pass\ndef get_num_gpus(): return 0\n"
    answer, _ = ask(body, gpu=True)
    assert answer == (
        "search 'faiss-gpu' needs a CUDA device, and none is present; use 'faiss' or 'exact'"
    )


@pytest.mark.parametrize(("gpu", "extra"), [(False, "cpu"), (True, "gpu")])
def test_without_faiss_the_error_says_what_to_install(monkeypatch, gpu, extra):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=rf"run: pip install corr-toolkit\[{extra}\]"):
        faiss_library(gpu=gpu)


def test_the_real_one_works_in_the_child():
    pytest.importorskip("faiss")
    assert faiss_probe._try(gpu=False) == ("", True)
