"""The command line: a table of commands, each a typed function.

A command imports what it needs when it runs, so that help is there at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from corr.cli import (
    bench,
    catalogs,
    disparity,
    export,
    flow,
    images,
    rectification,
    retrieval,
    show,
    submission,
    tasks,
    transfer,
)
from corr.cli.parser import Command, build_parser, call
from corr.errors import CorrError

COMMANDS: Mapping[str, Command] = {
    "train": tasks.train,
    "extract": images.extract,
    "match": images.match,
    "disparity": disparity.disparity,
    "stereo-check": rectification.stereo_check,
    "rectify": rectification.rectify,
    "flow": flow.flow,
    "show": show.show,
    "transfer": transfer.transfer,
    "embed": retrieval.embed,
    "retrieve": retrieval.retrieve,
    "evaluate": tasks.evaluate,
    "reproduce": tasks.reproduce,
    "submit": submission.submit,
    "bench": bench.bench,
    "export": export.export,
    "recipes": catalogs.recipes,
    "datasets": catalogs.datasets,
    "models": catalogs.models,
    "demo": tasks.demo,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of a command: 0, 2 for a refusal (one line says why), 130 for ctrl-C.

    Some have a status of their own: 1 where `reproduce` finds that a figure does not hold,
    `stereo-check` that a pair is not fit, `submit` that a package is not whole, or `disparity` or
    `flow` of folders could not do a pair.

    Args:
        arguments: what follows `corr`; those of the process when not given.
    """
    status = None
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["train"] and given[1:] and not given[1].startswith("-"):
            tasks.train(given[1], given[2:])  # its options are the recipe's own
        else:
            status = call(
                build_parser(COMMANDS, version("corr-toolkit")).parse_args(given or ["--help"])
            )
        sys.stdout.flush()
    except CorrError as error:
        sys.stderr.write(f"corr: error: {' '.join(str(error).split())}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("corr: interrupted\n")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as in `corr models | head`; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status or 0
