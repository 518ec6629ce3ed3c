"""Small pictures and few textures, so that tests are quick."""

from corr.data.synthetic.config import NO_CHANGE, Surfaces, SyntheticConfig

FEW = Surfaces(num_tiles=14)


def small_config(view: str, **changes: object) -> SyntheticConfig:
    """Pictures of 96 x 128 px, as the scene is, unless the changes say otherwise."""
    settings = {
        "height": 96,
        "width": 128,
        "surfaces": FEW,
        "first": NO_CHANGE,
        "second": NO_CHANGE,
        **changes,
    }
    return SyntheticConfig(view=view, **settings)
