"""What was measured is not measured again, unless anything that it depends on has changed."""

import pytest
from word_length import WordLength, calls, evaluated

from corr.evaluation.cache import Cache

pytestmark = pytest.mark.usefixtures("one_run")


class TestCache:
    def test_adding_a_model_costs_only_that_model(self, words, cache):
        first = WordLength()
        before = evaluated(words, ["3"], cache, benchmark=first)
        second = WordLength()
        after = evaluated(words, ["3", "5"], cache, benchmark=second)
        assert {model for model, _ in second.calls} == {"5"}
        assert after.items["3"] == before.items["3"]

    def test_another_protocol_item_or_source_is_measured_again(self, words, cache, monkeypatch):
        evaluated(words, ["3"], cache)

        class Other(WordLength):
            @property
            def protocol(self):
                return {"unit": "characters"}

        assert len(calls(words, ["3"], cache, Other())) == 4
        assert calls(words, ["3"], cache, WordLength()) == []
        words.write_text("apple ant bees")
        assert len(calls(words, ["3"], cache, WordLength())) == 4
        monkeypatch.setattr("corr.evaluation.cache.source_sha256", lambda: "changed")
        assert len(calls(words, ["3"], Cache(cache.folder), WordLength())) == 4

    def test_a_run_that_is_stopped_goes_on(self, words, cache):
        class Stopped(WordLength):
            def run(self, model, inputs):
                if inputs == "bee":
                    raise KeyboardInterrupt
                return super().run(model, inputs)

        with pytest.raises(KeyboardInterrupt):
            evaluated(words, ["3"], cache, benchmark=Stopped())
        assert calls(words, ["3"], cache, WordLength()) == [("3", "bee")] * 2  # one to warm up

    def test_a_failure_is_tried_again(self, tmp_path, cache):
        path = tmp_path / "words.txt"
        path.write_text("bad bee")
        evaluated(path, ["3"], cache)
        again = WordLength()
        evaluated(path, ["3"], cache, benchmark=again)
        assert set(again.reads) == {"bad"}

    def test_without_reuse_everything_is_measured(self, words, cache):
        evaluated(words, ["3"], cache)
        fresh = Cache(cache.folder, reuse=False)
        assert len(calls(words, ["3"], fresh, WordLength())) == 4

    def test_a_damaged_file_is_measured_again(self, words, cache):
        evaluated(words, ["3"], cache)
        for path in cache.folder.rglob("*.json"):
            path.write_text('{"item": ')
        assert len(calls(words, ["3"], cache, WordLength())) == 4
