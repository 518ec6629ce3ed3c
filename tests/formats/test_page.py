"""The page is one file without scripts or network, and says what it was given."""

import re
from html.parser import HTMLParser

from corr.formats.page import Figure, Page, Section, Table, write_page

VOID = {"meta", "img"}


class Balanced(HTMLParser):
    """Collects tags and refuses what is not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.images, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def write(path):
    figures = (
        Figure("a.png", "First", "what is <seen> & more", "3 of 4", "corr match a b"),
        Figure("b.png", "Second", "plain", wide=False),
    )
    table = Table(("model", "matches"), (("sift", "12"), ("orb", "<3")))
    sections = (Section("Matches", "Some text", figures), Section("Empty", "-", ()))
    write_page(path, Page("Title", "Lead", table, sections, "Foot"))
    return path.read_text(encoding="utf-8")


def test_page_is_balanced_and_shows_everything(tmp_path):
    parser = Balanced()
    parser.feed(write(tmp_path / "index.html"))
    assert parser.open == []
    assert [(i["src"], i["alt"]) for i in parser.images] == [
        ("a.png", "First"),
        ("b.png", "Second"),
    ]
    text = " ".join(" ".join(parser.text).split())
    for words in ("what is <seen> & more", "3 of 4", "corr match a b", "<3", "Lead", "Foot"):
        assert words in text


def test_page_needs_no_script_and_no_network(tmp_path):
    text = write(tmp_path / "index.html")
    assert not re.search(r"<script|https?:|//[a-z]|@import|url\(|<link", text)


def test_a_second_page_replaces_the_first(tmp_path):
    first = write(tmp_path / "index.html")
    assert write(tmp_path / "index.html") == first
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
