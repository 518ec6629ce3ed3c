"""Tables of random unit rows."""

import torch
import torch.nn.functional as F
from torch import Tensor


def unit_rows(num: int, width: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(num, width, generator=generator, dtype=dtype), dim=1)
