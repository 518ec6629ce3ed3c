"""How a flow is refined is an option of `corr evaluate flow`, and part of its protocol."""

import json
from pathlib import Path

import numpy as np
import pytest

from corr.cli import main
from corr.data.flow_pairs import read_flow
from corr.data.mini import FLOW, mini_folder
from corr.errors import OptionError
from corr.evaluation import run
from corr.evaluation.cache import Cache
from corr.evaluation.figures import CardRun
from corr.evaluation.reproduction import _parts
from corr.formats import read_image, write_flow, write_image
from corr.metrics import endpoint_error
from corr.pipeline.optical_flow import flow


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """One pair in Middlebury's layout: a part of the motorcycle."""
    (pair,) = read_flow(mini_folder(tmp_path_factory.mktemp("mini")) / FLOW)
    folder = tmp_path_factory.mktemp("set")
    place = folder / "motorcycle"
    part = np.s_[100:260, 60:380]
    for number, image in ((10, pair.image0), (11, pair.image1)):
        path = place / f"frame{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.ascontiguousarray(read_image(image)[part]))
    write_flow(place / "flow10.flo", np.ascontiguousarray(pair.truth().flow[part]))
    return folder


def evaluate(root: Path, tmp_path: Path, models: str, refine: str | None) -> dict:
    out = tmp_path / str(refine)
    given = ["evaluate", "flow", "--root", root, "--models", models]
    given += ["--out", out, "--cache", tmp_path / "cache"]
    given += [] if refine is None else ["--refine", refine]
    assert main([str(word) for word in given]) == 0
    stored: dict = json.loads((out / "flow.json").read_text())
    return stored


def test_each_is_what_corr_flow_does_under_a_protocol_of_its_own(root, tmp_path):
    """One folder of earlier results: none is taken for that of another refinement."""
    (pair,) = read_flow(root)
    images, truth = (read_image(pair.image0), read_image(pair.image1)), pair.truth().flow
    hashes, errors = set(), []
    for refine in (None, "none", "variational", "lk"):
        stored = evaluate(root, tmp_path, "dis", refine)
        assert stored["protocol"]["refine"] == (refine or "own")
        hashes.add(stored["protocol_hash"])
        found = flow(*images, model="dis", refine=refine).flow
        errors.append(stored["rows"][-1]["scores"]["epe_all"])
        assert errors[-1] == pytest.approx(endpoint_error(found, truth), rel=1e-6)
    assert len(hashes) == 4
    assert errors[0] == errors[1]  # its own is none
    assert len(set(errors)) == 3


def test_what_was_computed_elsewhere_stays_as_it_is(root, tmp_path):
    (pair,) = read_flow(root)
    (tmp_path / "moved").mkdir()
    moved = pair.truth().flow + np.float32([1, 0])
    write_flow(tmp_path / "moved" / f"{pair.name}.flo", moved)
    stored = evaluate(root, tmp_path, str(tmp_path / "moved"), "lk")
    assert stored["rows"][-1]["scores"]["epe_all"] == pytest.approx(1, abs=1e-6)


def test_it_is_for_flow_alone(root, capsys):
    assert main(["evaluate", "stereo", "--root", str(root), "--refine", "lk"]) == 2
    said = capsys.readouterr().err
    assert said == ("corr: error: stereo refines no flow; leave --refine out, which is for flow\n")


def test_an_unknown_one_is_refused(root):
    with pytest.raises(OptionError, match="refine 'tv' is not known; use one of"):
        run("flow", root, ["dis"], refine="tv")


def test_a_card_may_ask_for_one(root, tmp_path):
    words = "corr evaluate flow --root DIR --models dis"
    runs = [CardRun(f"{words}{more}", "none", ()) for more in ("", " --refine lk")]
    assert [card_run.refine for card_run in runs] == ["own", "lk"]
    (part,) = _parts(runs[1], root, Cache(tmp_path))
    assert part.benchmark.protocol["refine"] == "lk"
