"""A benchmark small enough to score by hand: guess the length of a word."""

import numpy as np

from corr.errors import DatasetError, ModelError
from corr.evaluation.benchmark import Benchmark, Column
from corr.evaluation.candidates import Candidate
from corr.evaluation.evaluate import Part, evaluate


class WordLength(Benchmark[str, str, int]):
    name = "words"
    task = "count"
    defaults = ("3",)
    baseline = "3"
    columns = (Column("error", ("error",)), Column("right %", ("right", "right"), 100.0, 0))
    ranked_by = "error"
    higher_is_better = False

    def __init__(self):
        self.calls = []
        self.reads = []

    @property
    def protocol(self):
        return {"unit": "letters"}

    def items(self, root):
        self.root = root
        return root.read_text().split()

    def label(self, item):
        return item

    def group(self, item):
        return item[0]

    def files(self, item):
        return (self.root,)

    def candidate(self, model):
        if not model.isdigit():
            raise ModelError(f"model '{model}' is no number")
        return Candidate(model)

    def read(self, item):
        self.reads.append(item)
        if item == "bad":
            raise DatasetError("this word is damaged\nand more")
        return item

    def run(self, model, inputs):
        self.calls.append((model, inputs))
        return int(model)

    def score(self, item, inputs, output):
        error = abs(len(inputs) - output)
        return {"error": float(error), "right": float(error == 0)}

    def worst(self, item):
        return {"error": float("inf"), "right": 0.0}

    def aggregate(self, table):
        return {key: values.mean(-1) for key, values in table.items()}

    def draw(self, inputs, output):
        return np.zeros((8, 8, 3), np.uint8)


def evaluated(words, models, cache, out=None, benchmark=None):
    part = Part(benchmark or WordLength(), words, models)
    return evaluate([part], cache, out, title="words")[0]


def calls(words, models, cache, benchmark):
    """What a run asks of the models."""
    evaluated(words, models, cache, benchmark=benchmark)
    return benchmark.calls
