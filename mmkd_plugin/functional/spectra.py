"""The Fourier part of frequency attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

__all__ = ['frequency_attention', 'half_spectrum', 'high_pass_mask', 'spectral_mix']

SMALL = 100  # positions of a map up to which a product with the transform's matrix beats the fast transform


def frequency_attention(x: Tensor, filter: Tensor, cutoff: float = 0.1, variant: str = 'reference') -> Tensor:
    r"""Mix channels frequency by frequency and remove low frequencies: real(IFFT(highpass(Σ_i FFT(x_i) · G_io))).

    Pham et al., WACV 2024, section 3.1: the part before the 1×1 branch and its weights. x is real and only the real part of the
    result is kept, so that the full transforms equal the real ones with the Hermitian part of the masked filter,
    (G'(k) + conj G'(−k)) / 2, which is half of the transforms and half of the products.

    Args:
        x (Tensor): Real, ``(N, C, H, W)``, or ``(N, C, L)`` with a filter over time. Half precision is cast to float32, since
            its transform is not defined on every device; autocast is switched off.
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
        mask = high_pass_mask(space, cutoff, variant, filter.device)
        masked = filter.to(torch.complex128 if double else torch.complex64) * mask
        half = half_spectrum(masked)  # (F, C, C')
        return spectral_mix(x.to(torch.float64 if double else torch.float32), half)  # (N, C', *S)


def high_pass_mask(
    space: Sequence[int], cutoff: float, variant: str = 'reference', device: torch.device | str | None = None
) -> Tensor:
    """Return a mask that is zero at the low frequencies to remove and one elsewhere, in the order of the transform.

    In the centred order the block [c − r, c + r) is removed along every axis, with c = n // 2 and r = int(cutoff · c). The
    block is not symmetric about the mean: it reaches one bin further below than above.

    Args:
        space (Sequence[int]): Sizes of the map.
        cutoff (float): From 0 to 1.
        variant (str): 'reference' as published, where r is 0 and nothing is removed as long as cutoff · (n // 2) < 1; 'strict'
            removes at least the mean: along an axis where r is 0 the block is the one bin c, which is the mean's. Where r is
            above 0 both variants are the same.
        device (torch.device or str, optional): Device of the mask, so that no copy makes a GPU wait.

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


def half_spectrum(filter: Tensor) -> Tensor:
    """Return the part of a filter over the whole plane that matters where the input is real and the real part is kept.

    That part is (G(k) + conj G(−k)) / 2 on the frequencies that the real transform keeps, with the frequency as the first axis.

    Args:
        filter (Tensor): Complex, ``(C, C', *S)``, mean first.

    Returns:
        Tensor: ``(F, C, C')``.

    Raises:
        ValueError: The filter is not complex, or not over one or two axes.
    """
    if filter.ndim not in (3, 4) or not filter.is_complex():
        raise ValueError(
            f"filter must be complex (C, C', *S) with S of one or two axes, got {filter.dtype} {tuple(filter.shape)}"
        )
    axes = tuple(range(2, filter.ndim))
    kept = filter.shape[-1] // 2 + 1
    mirrored = torch.roll(torch.flip(filter, axes), [1] * len(axes), axes)  # G(−k): index 0 stays
    half = (filter[..., :kept] + mirrored[..., :kept].conj()) / 2
    return half.flatten(2).permute(2, 0, 1).contiguous()


def spectral_mix(x: Tensor, filter: Tensor, bias: Tensor | None = None) -> Tensor:
    """Mix channels frequency by frequency with a filter that is stored as the half spectrum of the real transform.

    One batched product between two real transforms, with a backward pass of the same cost: the adjoint of a real transform is
    its inverse, up to the columns that stand for two, and their factors of 2 and 1/2 cancel on the way to x.

    Args:
        x (Tensor): Real, ``(N, C, H, W)`` or ``(N, C, L)``, float32 or float64.
        filter (Tensor): Complex, ``(F, C, C')`` with F = H · (W // 2 + 1) or L // 2 + 1 frequencies, mean first.
        bias (Tensor, optional): Added everywhere, ``(C', )``.

    Returns:
        Tensor: ``(N, C', *S)``.

    Raises:
        ValueError: Shapes, dtypes or devices do not fit.
    """
    if x.ndim not in (3, 4) or x.dtype not in (torch.float32, torch.float64):
        raise ValueError(f'x must be (N, C, *S) with S of one or two axes, float32 or float64, got {x.dtype} {tuple(x.shape)}')
    expected = (math.prod(x.shape[2:-1]) * (x.shape[-1] // 2 + 1), x.shape[1])  # (F, C)
    if filter.ndim != 3 or tuple(filter.shape[:2]) != expected or filter.dtype != x.dtype.to_complex():
        raise ValueError(
            f"filter must be {x.dtype.to_complex()} (F, C, C') = ({expected[0]}, {expected[1]}, C') for x {tuple(x.shape)}, "
            f'got {filter.dtype} {tuple(filter.shape)}'
        )
    if bias is not None and (tuple(bias.shape) != (filter.shape[2],) or bias.is_complex()):
        raise ValueError(f'bias must be real and of shape ({filter.shape[2]},), got {bias.dtype} {tuple(bias.shape)}')
    devices = {str(tensor.device) for tensor in (x, filter, bias) if tensor is not None}
    if len(devices) > 1:
        raise ValueError(f'x, filter and bias must be on one device, got {", ".join(sorted(devices))}')
    # A product of strided matrices adds up in another order: the result would depend on strides in its last digits.
    return _SpectralMix.apply(x.contiguous(), filter.contiguous(), bias)


class _SpectralMix(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, filter: Tensor, bias: Tensor | None) -> Tensor:
        space = x.shape[2:]
        spectrum = _frequency_major(x)  # (F, N, C)
        mixed = torch.bmm(spectrum, filter)  # (F, N, C')
        if bias is not None:
            mixed[0] += bias * space.numel() ** 0.5  # a constant in space is the mean's bin alone
        ctx.save_for_backward(spectrum, filter)
        ctx.space, ctx.biased = space, bias is not None
        return _space_major(mixed, space)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        spectrum, filter = ctx.saved_tensors
        grads: list[Tensor | None] = [None, None, None]
        bins = _frequency_major(grad)  # (F, N, C')
        if ctx.needs_input_grad[0]:
            grads[0] = _space_major(torch.bmm(bins, filter.transpose(1, 2).conj()), ctx.space)
        if ctx.needs_input_grad[1]:
            grads[1] = mixing = torch.bmm(spectrum.transpose(1, 2).conj(), bins)  # (F, C, C')
            pairs = mixing.view(-1, ctx.space[-1] // 2 + 1, *filter.shape[1:])
            pairs[:, 1 : (ctx.space[-1] + 1) // 2] *= 2  # a column and its mirror image that is not stored
        if ctx.biased and ctx.needs_input_grad[2]:
            grads[2] = bins[0].real.sum(0) * ctx.space.numel() ** 0.5
        return tuple(grads)


def _frequency_major(x: Tensor) -> Tensor:
    """Return the half spectrum ``(F, N, C)`` of ``(N, C, *S)``."""
    space = x.shape[2:]
    if space.numel() <= SMALL:
        forward, _ = _matrices(tuple(space), x.dtype, x.device)
        bins = forward @ x.reshape(-1, space.numel()).T  # (2F, N · C)
        return torch.complex(*bins.view(2, -1, *x.shape[:2]))
    spectrum = torch.fft.rfftn(x, dim=tuple(range(2, x.ndim)), norm='ortho')
    return spectrum.flatten(2).permute(2, 0, 1).contiguous()


def _space_major(bins: Tensor, space: torch.Size) -> Tensor:
    """Return the map ``(N, C, *S)`` of a half spectrum ``(F, N, C)``."""
    if space.numel() <= SMALL:
        _, inverse = _matrices(tuple(space), bins.dtype.to_real(), bins.device)
        return (torch.cat([bins.real, bins.imag]).flatten(1).T @ inverse).view(*bins.shape[1:], *space)
    half = (*space[:-1], space[-1] // 2 + 1)
    spectrum = bins.permute(1, 2, 0).unflatten(2, half)
    return torch.fft.irfftn(spectrum, s=space, dim=tuple(range(2, spectrum.ndim)), norm='ortho')


@lru_cache(maxsize=32)
def _matrices(space: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the real transform and its inverse as matrices, real parts above imaginary ones, ``(2F, S)`` each."""
    axes = tuple(range(1, len(space) + 1))
    half = (*space[:-1], space[-1] // 2 + 1)
    positions = torch.eye(math.prod(space), dtype=torch.float64).unflatten(1, space)
    bins = torch.eye(math.prod(half), dtype=torch.complex128).unflatten(1, half)
    forward = torch.fft.rfftn(positions, dim=axes, norm='ortho').flatten(1).T  # (F, S)
    inverse = [torch.fft.irfftn(b, s=space, dim=axes, norm='ortho').flatten(1) for b in (bins, 1j * bins)]
    return torch.cat([forward.real, forward.imag]).to(device, dtype), torch.cat(inverse).to(device, dtype)
