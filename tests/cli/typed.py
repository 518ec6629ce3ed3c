"""Commands as a user types them, and the files that they leave."""

from pathlib import Path

from corr.cli import main


def run(*arguments) -> int:
    """The exit status of `corr` with these arguments."""
    return main([str(argument) for argument in arguments])


def files(folder: str = ".") -> list[str]:
    """All files below a folder, relative to it, in order."""
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)
