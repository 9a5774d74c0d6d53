"""Models: views, backbones, connectors, weightings, transfers and distillers."""

from .backbones import *  # noqa: F403
from .connectors import *  # noqa: F403
from .distillers import *  # noqa: F403
from .losses import DistanceLoss
from .stored_images import StoredImages
from .transfers import *  # noqa: F403
from .views import GramianAngularField, PersistenceImage, ViewPreprocessor
from .weightings import *  # noqa: F403

__all__ = ['DistanceLoss', 'GramianAngularField', 'PersistenceImage', 'StoredImages', 'ViewPreprocessor']
