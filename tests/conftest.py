"""Fixtures that several rooms of the tests share."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MessageHub

TESTS = itertools.count()
# Values of published code and public recordings that are not part of this repository; users do not have them.
SHARED = Path(os.environ.get('MMKD_SHARED', Path(__file__).resolve().parents[2] / 'shared'))


@pytest.fixture
def golden():
    """Inputs, parameters, outputs and gradients of the published frequency-attention module."""
    path = SHARED / 'goldens' / 'fam_golden.npz'
    if not path.is_file():
        pytest.skip(f'the golden values {path} are not here; set MMKD_SHARED to the folder that holds goldens/')
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(autouse=True)
def outside_a_run():
    """The host's message hub is one for the whole process: without this, weights would follow the progress of an earlier test."""
    MessageHub.get_instance(f'test-{next(TESTS)}')
