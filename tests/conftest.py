import functools
import os

import board
import nds_records
import pytest
import torch
import toy_study
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
def nds(tmp_path_factory):
    """Folder of a `data.zip` that has NDS's form; the genuine one is too large to be here."""
    folder = tmp_path_factory.mktemp("nds")
    nds_records.write(folder / "data.zip")
    return folder


@pytest.fixture(scope="session")
def device_study():
    return toy_study.small_study()


@pytest.fixture(scope="module")
def board_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    with board.serving(folder):
        yield folder


@pytest.fixture
def use(board_folder, monkeypatch):
    """Folder of a board that serves, with its ssh first in the path."""
    monkeypatch.setenv("PATH", f"{board_folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return board_folder


@pytest.fixture
def data_of(request):
    """The folder of a space's files, by the space's name; tests that need an absent one are skipped."""
    return lambda space: request.getfixturevalue("nds" if space.startswith("nds_") else "shared")


@pytest.fixture(scope="session")
def index_of():
    """The index of a space, by name and the folder of the files that list it; each is made once."""
    from zsnas import registry, sources
    from zsnas.index import listed

    @functools.cache
    def index_of(name, data_dir=None):
        space = registry.spaces()[name]
        return listed(space, sources.lists(space, data_dir))

    return index_of


@pytest.fixture(scope="session")
def index(index_of):
    """All cells of NAS-Bench-201."""
    return index_of("nasbench201")
