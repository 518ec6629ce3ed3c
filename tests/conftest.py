"""What all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from corr.models.googlenet import GoogLeNetTrunk


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user-cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real images with ground truth beside the checkout; tests that need them skip without."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the evaluation images of {folder}, which are not in the repository")
    return folder


@pytest.fixture(scope="session")
def googlenet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in the layout of torchvision's GoogLeNet, with some of the parts that come later."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        trunk = GoogLeNetTrunk().train()
        with torch.no_grad():
            trunk(torch.randn(2, 3, 64, 64))  # batch statistics that are not those at the start
    later = {
        "inception4b.branch1.conv.weight": torch.zeros(160, 512, 1, 1),
        "aux1.conv.conv.weight": torch.zeros(128, 512, 1, 1),
        "fc.weight": torch.zeros(1000, 1024),
        "fc.bias": torch.zeros(1000),
    }
    path = tmp_path_factory.mktemp("torchvision") / "googlenet-1378be20.pth"
    torch.save({**trunk.state_dict(), **later}, path)
    return path
