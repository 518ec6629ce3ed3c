"""`corr submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from corr.cli.claimed_folder import claim
from corr.cli.say import say

_RECORD = "submission.json"
_SHOWN = 10


def submit(
    server: Literal["kitti-2012", "kitti-2015", "middlebury-v3"],
    *,
    root: Path,
    output: Path | None = None,
    method: str = "corr",
    model: str | None = None,
    max_disparity: int | None = None,
    device: str | None = None,
    check: Path | None = None,
) -> int:
    """Compute, pack and check the disparity maps that a test server judges.

    The exit status is 1 when the server would refuse the package. Nothing is sent.

    Args:
        server: whose format.
        root: folder of its test data, as published.
        output: folder for the maps, in which a run that was stopped goes on; the package is the
            .zip of its name beside it.
        method: name of the method; Middlebury's files carry it.
        model: the method; `corr models` lists them.
        max_disparity: search 0 to this minus 1; as published with the pair, or estimated, when not
            given.
        device: such as cpu or cuda; the best one present when not given.
        check: only check this .zip.
    """
    from corr.errors import OptionError
    from corr.evaluation.submission import check_submission, test_frames, write_submission
    from corr.pipeline.catalog import DEFAULTS

    if (output is None) == (check is None):
        raise OptionError("give either -o FOLDER, to compute the maps, or --check FILE.zip")
    package = check
    if output is not None:
        frames = test_frames(server, root)
        chosen = model or DEFAULTS["disparity"]
        settings = {"server": server, "model": chosen, "max_disparity": max_disparity}
        claim(output, _RECORD, {**settings, "method": method})
        options = {"model": model, "max_disparity": max_disparity, "device": device}
        package = write_submission(server, root, output, method, options)
        say(f"{len(frames)} frames by {chosen}; wrote {package}")
    assert package is not None  # one of the two was given
    problems = check_submission(server, root, package, method)
    for problem in problems[:_SHOWN]:
        say(f"- {problem}")
    if len(problems) > _SHOWN:
        say(f"- and {len(problems) - _SHOWN} more")
    say(
        f"NOT accepted by {server}: {len(problems)} problems"
        if problems
        else f"{package} is whole: upload it to {server}"
    )
    return 1 if problems else 0
