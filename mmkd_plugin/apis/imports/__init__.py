"""What other programs have left: recordings, weights and images, converted into files of this package."""

from .checkpoint import import_checkpoint
from .images import import_images
from .recordings import channels_of, import_recordings

__all__ = ['channels_of', 'import_checkpoint', 'import_images', 'import_recordings']
