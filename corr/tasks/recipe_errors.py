"""The parser's many-line errors, as one line that names the key and what it accepts."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Callable, Iterator

from corr.errors import CorrError

_KEY = re.compile(r"""\AParser key "([^"]+)":""")
_CLASS = re.compile(r"\AProblem with given class_path '([^']+)'")
_EXPECTED = re.compile(r"^\s*- Expected an? (.+)$", re.MULTILINE)
_GIVEN = re.compile(r"^\s*Given value: (.+)$", re.MULTILINE)


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
    return prefix + _plain(texts, classes[-1] if classes else None)


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


def _plain(texts: list[str], class_path: str | None) -> str:
    for pattern, rewrite in _REWRITTEN.items():
        if found := re.match(pattern, texts[-1], re.DOTALL):
            return rewrite(found, texts, class_path)
    return _first_line(texts[-1])


def _wrong_type(found: re.Match[str], texts: list[str], class_path: str | None) -> str:
    """A value that fits no type; a choice of types fails with all of them."""
    expected, given = found.groups()
    last = next((text for text in reversed(texts) if "Union subtypes" in text), None)
    if last is not None and "Problem with given class_path" not in last:
        expected = " or ".join(_EXPECTED.findall(last))
        given = "".join(_GIVEN.findall(last)) or given
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


def _no_class(module: str, name: str) -> str:
    try:
        members = vars(importlib.import_module(module))
    except ImportError:
        members = {}
    known = sorted(
        key for key, value in members.items() if inspect.isclass(value) and not key.startswith("_")
    )
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean '{module}.{close[0]}'?" if close else ""
    return f"class '{module}.{name}' does not exist{hint}"


def _parameters(class_path: str | None) -> list[str]:
    if class_path is None:
        return ["model", "data", "trainer", "seed_everything", "out", "ckpt_path"]
    module, _, name = class_path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
        return _named(kind) if inspect.isclass(kind) else list(inspect.signature(kind).parameters)
    except (ImportError, AttributeError, ValueError):
        return []


def _named(kind: type) -> list[str]:
    """The arguments of a class, with those that it hands on to the classes it derives from."""
    names: dict[str, None] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        _, *own = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
        stars = [one for one in own if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
        names |= {one.name: None for one in own if one not in stars}
        if not any(one.kind is one.VAR_KEYWORD for one in stars):
            break
    return list(names)


def _first_line(text: str) -> str:
    return " ".join(text.split())[:300]


_GROUPS = {"trainer": "pytorch_lightning.Trainer"}

_REWRITTEN: dict[str, Callable[[re.Match[str], list[str], str | None], str]] = {
    r"Option '([^']+)' is not accepted": lambda found, _, owner: _unknown(found[1], owner),
    r"Group '([^']+)' does not accept option '([^']+)'": lambda found, _, __: (
        f"{found[1]}: {_unknown(found[2], _GROUPS.get(found[1]))}"
    ),
    r"the following arguments are required: (.+)": lambda found, _, __: f"'{found[1]}' is missing",
    r"module '([^']+)' has no attribute '([^']+)'": lambda found, _, __: _no_class(*found.groups()),
    r"Expected a dot import path string: (.+)": lambda found, _, __: (
        f"class '{found[1]}' is not known; write it as module.Class"
    ),
    r"Import path (\S+) does not correspond to a subclass of (\S+)": lambda found, _, __: (
        f"class '{found[1]}' is no {found[2]}"
    ),
    r"No module named (.+)": lambda found, _, owner: (
        f"class '{owner}' cannot be imported: there is no module {found[1]}"
    ),
    r"unrecognized arguments: (.+)": lambda found, _, __: f"option '{found[1]}' is not accepted",
    r"Expected an? (.+)\. Got value: (.*)": _wrong_type,
}
