import os

import pytest
import torch
from runs import CHECKOUT

SHARED = CHECKOUT.parent / "shared" / "data"


def pytest_configure(config):
    torch.set_num_threads(1)  # as the workers of a score job
    os.environ["PYTHONPATH"] = str(CHECKOUT / "workflow")  # for the commands that tests run


@pytest.fixture(scope="session")
def shared():
    """Folder of ground-truth tables beside the checkout; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no ground-truth tables in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def index():
    """All cells of NAS-Bench-201."""
    from zsnas.spaces import nasbench201

    return nasbench201.architectures()
