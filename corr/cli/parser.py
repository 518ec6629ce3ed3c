"""A typed function becomes a command: its signature is the options, its docstring the help."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from corr.errors import OptionError

Command = Callable[..., int | None]

_SHORT = {"output": "-o", "num_samples": "-n"}


class _Parser(argparse.ArgumentParser):
    """Refuses with an `OptionError` instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}; see '{self.prog} --help'")


def build_parser(commands: Mapping[str, Command], version: str) -> argparse.ArgumentParser:
    """The parser of all commands; the chosen function is `command` of what it returns."""
    parser = _Parser(
        prog="corr",
        description="Find what corresponds between two images.",
        epilog="corr COMMAND --help explains a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"corr {version}")
    chosen = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, function in commands.items():
        summary, _ = _help_of(function)
        sub = chosen.add_parser(
            name,
            help=summary.rstrip(".")[0].lower() + summary.rstrip(".")[1:],
            description=summary,
            allow_abbrev=False,
        )
        add_options(sub, function)
        sub.set_defaults(command=function)
    return parser


def add_options(parser: argparse.ArgumentParser, function: Command) -> None:
    """Give a parser one argument for each parameter of a function.

    Parameters before `*` are positional, those after it are options; a list takes one value or
    more.
    """
    _, texts = _help_of(function)
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, text = hints[name], texts[name]
        if parameter.kind is parameter.KEYWORD_ONLY:
            _add_option(parser, parameter, kind, text)
        else:
            value, optional = _value(kind), parameter.default is not parameter.empty
            if "choices" not in value:
                value["metavar"] = name.upper()
            parser.add_argument(
                name,
                **value,
                nargs=_count(kind, optional),
                default=parameter.default if optional else None,
                help=text,
            )


def call(parsed: argparse.Namespace) -> int | None:
    """Run the chosen command; its exit status, if it has one of its own."""
    options = vars(parsed).copy()
    command = options.pop("command")
    status: int | None = command(**options)
    return status


def _add_option(
    parser: argparse.ArgumentParser, parameter: inspect.Parameter, kind: Any, text: str
) -> None:
    flag = f"--{parameter.name.replace('_', '-')}"
    flags = [short for short in [_SHORT.get(parameter.name)] if short] + [flag]
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    if default is not None and kind is not bool:
        text = f"{text} (default: {default})"
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default, help=text)
    else:
        parser.add_argument(*flags, **_value(kind), default=default, required=required, help=text)


def _count(kind: Any, optional: bool) -> str | None:
    many = any(get_origin(part) is list for part in (kind, *get_args(kind)))
    return ("*" if many else "?") if optional else ("+" if many else None)


def _value(kind: Any) -> dict[str, Any]:
    """What argparse needs to read a value of this type."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if get_origin(kind) is list:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return {"choices": get_args(kind)}
    metavar = {int: "N", float: "X", Path: "FILE"}.get(kind, "NAME")
    return {"type": kind, "metavar": metavar}


def _help_of(function: Command) -> tuple[str, dict[str, str]]:
    """The first line of a Google docstring, and the text of each of its arguments."""
    documented = inspect.getdoc(function) or ""
    section = documented.partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    texts = {name: re.sub(r"\s+", " ", text).rstrip(".").replace("%", "%%") for name, text in found}
    return documented.partition("\n")[0], texts
