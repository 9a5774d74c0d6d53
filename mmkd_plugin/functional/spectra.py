"""The Fourier part of frequency attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ['frequency_attention', 'high_pass_mask']


def frequency_attention(x: Tensor, filter: Tensor, cutoff: float = 0.1, variant: str = 'reference') -> Tensor:
    r"""Mix channels frequency by frequency and remove low frequencies: real(IFFT(highpass(Σ_i FFT(x_i) · G_io))).

    Pham et al., WACV 2024, section 3.1: the part before the 1×1 branch and its weights. x is real and only the real part of the
    result is kept, so that the full transforms equal the real ones with the Hermitian part of the masked filter,
    (G'(k) + conj G'(−k)) / 2, which is half of the transforms and half of the products.

    Args:
        x (Tensor): Real, ``(N, C, H, W)``, or ``(N, C, L)`` with a filter over time. Half precision is cast to float32, since
            the transform of it is not defined everywhere; autocast does not reach in here.
        filter (Tensor): Complex, ``(C, C', H, W)`` or ``(C, C', L)``, in the order of the transform (mean first).
        cutoff (float): Half-width of the removed block as a share of half the size, from 0 to 1.
        variant (str): See :func:`high_pass_mask`.

    Returns:
        Tensor: ``(N, C', H, W)`` or ``(N, C', L)``, float32, or float64 where x or the filter is of double precision.

    Raises:
        ValueError: Shapes do not fit, x is not real, the filter is not complex, or an argument is out of range.
    """
    space = tuple(x.shape[2:])
    if x.ndim not in (3, 4) or filter.ndim != x.ndim or filter.shape[0] != x.shape[1] or tuple(filter.shape[2:]) != space:
        raise ValueError(
            f"x {tuple(x.shape)} and filter {tuple(filter.shape)} do not fit: expected (N, C, *S) and (C, C', *S) with S of "
            'one or two axes'
        )
    if x.is_complex():
        raise ValueError(f'x must be real, got {x.dtype}')
    if not filter.is_complex():
        raise ValueError(f'filter must be complex, got {filter.dtype}')
    double = torch.float64 in (x.dtype, filter.dtype.to_real())
    with torch.autocast(x.device.type, enabled=False):
        axes = tuple(range(2, x.ndim))
        mask = high_pass_mask(space, cutoff, variant, filter.device)
        masked = filter.to(torch.complex128 if double else torch.complex64) * mask
        half = _hermitian_half(masked, axes)  # (C, C', *S')
        spectrum = torch.fft.rfftn(x.to(torch.float64 if double else torch.float32), dim=axes, norm='ortho')  # (N, C, *S')
        mixed = _mix(spectrum, half)  # (N, C', *S')
        return torch.fft.irfftn(mixed, s=space, dim=axes, norm='ortho')  # (N, C', *S)


def high_pass_mask(
    space: Sequence[int], cutoff: float, variant: str = 'reference', device: torch.device | str | None = None
) -> Tensor:
    """Zero at the low frequencies that are removed, one elsewhere, in the order of the transform.

    In the centred order the block [c − r, c + r) is removed along every axis, with c = n // 2 and r = int(cutoff · c). The
    block is not symmetric about the mean: it reaches one bin further below than above.

    Args:
        space (Sequence[int]): Sizes of the map.
        cutoff (float): From 0 to 1.
        variant (str): 'reference' as published, where r is 0 and nothing is removed as long as cutoff · (n // 2) < 1; 'strict'
            removes at least the mean: along an axis where r is 0 the block is the one bin c, which is the mean's. Where r is
            above 0 both are the same.
        device (torch.device or str, optional): Where the mask is made; there, because a copy would make a GPU wait.

    Returns:
        Tensor: ``space``, float32.

    Raises:
        ValueError: The cutoff is out of range, or the variant is unknown.
    """
    if not 0 <= cutoff <= 1:
        raise ValueError(f'cutoff is a share of half the spectrum and must be from 0 to 1, got {cutoff}')
    if variant not in ('reference', 'strict'):
        raise ValueError(f"variant must be 'reference' or 'strict', got {variant!r}")
    mask = torch.ones(*space, device=device)
    block = []
    for n in space:
        centre, reach = n // 2, int(cutoff * (n // 2))
        lone = variant == 'strict' and reach == 0
        block.append(slice(centre, centre + 1) if lone else slice(centre - reach, centre + reach))
    mask[tuple(block)] = 0
    return torch.fft.ifftshift(mask)


def _hermitian_half(full: Tensor, axes: tuple[int, ...]) -> Tensor:
    """(G(k) + conj G(−k)) / 2 on the half spectrum that the real transform keeps."""
    kept = full.shape[-1] // 2 + 1
    mirrored = torch.roll(torch.flip(full, axes), [1] * len(axes), axes)  # G(−k): index 0 stays
    return (full[..., :kept] + mirrored[..., :kept].conj()) / 2


def _mix(spectrum: Tensor, half: Tensor) -> Tensor:
    """Σ_c X_c(k) · G_cd(k) as one batched product of real matrices, which is faster than that of complex ones.

    With channels as (real, imaginary) pairs, (x + iy)(g + ih) is the row (x, y) times the matrix ((g, h), (−h, g)).
    """
    n, channels = spectrum.shape[:2]
    out_channels, space = half.shape[1], half.shape[2:]
    rows = torch.view_as_real(spectrum.flatten(2)).permute(2, 0, 1, 3).reshape(-1, n, 2 * channels)  # (F, N, 2C)
    g = half.flatten(2).permute(2, 0, 1)  # (F, C, C')
    blocks = torch.stack([torch.view_as_real(g), torch.view_as_real(1j * g)], 2)  # (F, C, 2, C', 2)
    mixed = torch.bmm(rows, blocks.reshape(-1, 2 * channels, 2 * out_channels))  # (F, N, 2C')
    mixed = mixed.view(-1, n, out_channels, 2).permute(1, 2, 0, 3).contiguous()  # (N, C', F, 2)
    return torch.view_as_complex(mixed).unflatten(2, tuple(space))
