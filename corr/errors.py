"""Errors that a user of corr can meet: one sentence with what was given and what is accepted."""


class CorrError(Exception):
    """Anything that corr refuses; the command line prints it on one line and exits with 2."""


class ImageError(CorrError, ValueError):
    """An image that cannot be read or used."""


class ShapeError(CorrError, ValueError):
    """An array whose shape does not fit."""


class OptionError(CorrError, ValueError):
    """A setting outside what is accepted."""


class ModelError(CorrError, ValueError):
    """A model that is unknown, cannot be loaded, or cannot do what was asked."""


class RecipeError(CorrError, ValueError):
    """A recipe that does not parse or build."""


class DatasetError(CorrError, ValueError):
    """A data set that is missing or not laid out as its card says."""


class FormatError(CorrError, ValueError):
    """A file whose format is unknown or whose content is damaged."""


class MissingExtraError(CorrError, ImportError):
    """A part that needs a package which is not installed."""
