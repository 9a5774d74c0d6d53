"""Models: views, encoders, backbones, connectors, weightings, transfers and distillers."""

from .backbones import *  # noqa: F403
from .connectors import *  # noqa: F403
from .distillers import *  # noqa: F403
from .encoders import *  # noqa: F403
from .losses import DistanceLoss
from .simple_detectors import NearestWindows, PrincipalComponents, SimpleDetector
from .stored_images import StoredImages
from .transfers import *  # noqa: F403
from .views import ViewPreprocessor
from .weightings import *  # noqa: F403

__all__ = ['DistanceLoss', 'NearestWindows', 'PrincipalComponents', 'SimpleDetector', 'StoredImages', 'ViewPreprocessor']
