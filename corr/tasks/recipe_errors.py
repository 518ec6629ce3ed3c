"""The parser's many-line errors, as one line that names the key and what it accepts."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Iterator

from corr.errors import CorrError

_KEY = re.compile(r"""\AParser key "([^"]+)":""")
_CLASS = re.compile(r"\AProblem with given class_path '([^']+)'")
_UNKNOWN = re.compile(r"\AOption '([^']+)' is not accepted")
_UNKNOWN_IN_GROUP = re.compile(r"\AGroup '([^']+)' does not accept option '([^']+)'")
_WRONG_TYPE = re.compile(r"\AExpected an? (.+)\. Got value: (.*)\Z", re.DOTALL)
_EXPECTED = re.compile(r"^\s*- Expected an? (.+)$", re.MULTILINE)
_GIVEN = re.compile(r"^\s*Given value: (.+)$", re.MULTILINE)
_NO_MEMBER = re.compile(r"\Amodule '([^']+)' has no attribute '([^']+)'")
_MISSING = re.compile(r"\Athe following arguments are required: (.+)\Z")
_NO_PATH = re.compile(r"\AExpected a dot import path string: (.+)\Z")


def one_line(error: BaseException) -> str:
    """What was wrong, from the innermost cause of an error of the parser.

    Args:
        error: with its chain of causes, each of which knows one more level of the recipe.
    """
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, CorrError):
            return str(cause)
    texts = [str(cause) for cause in chain]
    key = ".".join(_keys(texts))
    classes = [found.group(1) for text in texts if (found := _CLASS.match(text))]
    prefix = f"{key}: " if key else ""
    return prefix + _plain(texts, key, classes[-1] if classes else None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _keys(texts: list[str]) -> list[str]:
    """The way into the recipe, each key once."""
    keys: list[str] = []
    for text in texts:
        found = _KEY.match(text)
        if found and found.group(1) not in keys:
            keys.append(found.group(1))
    return keys


def _plain(texts: list[str], key: str, class_path: str | None) -> str:
    innermost = texts[-1]
    if found := _UNKNOWN.match(innermost):
        return _unknown(found.group(1), class_path)
    if found := _UNKNOWN_IN_GROUP.match(innermost):
        owner = "pytorch_lightning.Trainer" if found.group(1) == "trainer" else None
        return f"{found.group(1)}: {_unknown(found.group(2), owner)}"
    if found := _MISSING.match(innermost):
        return f"'{found.group(1)}' is missing"
    if found := _NO_MEMBER.match(innermost):
        return _no_class(f"{found.group(1)}.{found.group(2)}")
    if found := _NO_PATH.match(innermost):
        return f"class '{found.group(1)}' is not known; write it as module.Class"
    if innermost.startswith("No module named"):
        return f"class '{class_path}' cannot be imported: {_first_line(innermost)}"
    if found := _WRONG_TYPE.match(innermost):
        return _wrong_type(texts, found.group(1), found.group(2))
    return _first_line(innermost)


def _wrong_type(texts: list[str], expected: str, given: str) -> str:
    """A value that fits no type; a choice of types fails with all of them."""
    last = next((text for text in reversed(texts) if "Union subtypes" in text), None)
    if last is not None and "Problem with given class_path" not in last:
        expected = " or ".join(_EXPECTED.findall(last))
        found = _GIVEN.search(last)
        given = found.group(1) if found else given
    return f"'{_first_line(given)}' is given where {_type_name(expected)} is expected"


def _type_name(text: str) -> str:
    text = re.sub(r"<class '([^']+)'>", r"\1", text)
    text = re.sub(r"typing\.Literal\[([^\]]+)\]", r"one of \1", text)
    return text.replace("NoneType", "null")


def _unknown(option: str, class_path: str | None) -> str:
    accepted = _parameters(class_path)
    owner = f"{class_path} " if class_path else ""
    text = f"option '{option}' is not accepted"
    close = difflib.get_close_matches(option, accepted, 1)
    if close:
        return f"{text}; did you mean '{close[0]}'?"
    listed = ", ".join(accepted) if len(accepted) < 20 else ""
    return f"{text}; {owner}accepts {listed}" if listed else text


def _no_class(class_path: str) -> str:
    module, _, name = class_path.rpartition(".")
    try:
        members = vars(importlib.import_module(module))
    except ImportError:
        members = {}
    known = sorted(
        key for key, value in members.items() if inspect.isclass(value) and not key.startswith("_")
    )
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean '{module}.{close[0]}'?" if close else ""
    return f"class '{class_path}' does not exist{hint}"


def _parameters(class_path: str | None) -> list[str]:
    if class_path is None:
        return ["model", "data", "trainer", "seed_everything", "out", "ckpt_path"]
    module, _, name = class_path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
        return list(inspect.signature(kind).parameters)
    except (ImportError, AttributeError, ValueError):
        return []


def _first_line(text: str) -> str:
    return " ".join(text.split())[:300]
