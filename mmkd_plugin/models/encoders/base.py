"""What is known of every image that is made of a signal."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ['USUAL', 'Encoder', 'Range', 'usual_size']

USUAL = 32  # pixels
Range = tuple[float, float]


class Encoder(nn.Module):
    """Base of the encoders, from a signal ``(N, C, T)`` to an image of every channel, ``(N, C, H, W)``.

    Attributes:
        title (str): Name of the image in the field.
        axes (tuple[str, str]): What columns and rows of the image stand for.
        lowest_first (bool): Whether the first row is the lowest when the image is drawn.
        limits (tuple[float, float | None]): Values of the darkest and the lightest pixel of a picture; None for the highest.
    """

    title: str
    axes: tuple[str, str] = ('time', 'time')
    lowest_first: bool = True
    limits: tuple[float, float | None] = (0.0, None)

    def ranges(self, seconds: float, rate: float) -> tuple[Range, Range]:
        """Return the values at the ends of both axes, in s, Hz or the unit of the normalised signal.

        Args:
            seconds (float): Length of a window.
            rate (float): In Hz.

        Returns:
            tuple[Range, Range]: From left to right, and from the lowest row to the highest.
        """
        return (0.0, seconds), (0.0, seconds)


def usual_size(signal: Tensor, size: int | None = None) -> int:
    """Return a size that is given, else 32 pixels, or T in windows ``(N, C, T)`` that are shorter."""
    return min(USUAL, int(signal.shape[-1])) if size is None else size
