import math

import pytest
import torch

from mmkd_plugin.functional import frequency_attention, high_pass_mask, spectra, spectral_mix


def plain(x, g, cutoff, strict=False):
    """The full complex transform, by the letter of the definition."""
    axes = tuple(range(2, x.ndim))
    mixed = torch.einsum('ni...,io...->no...', torch.fft.fftn(x, dim=axes, norm='ortho'), g)
    mixed = torch.fft.fftshift(mixed, axes)
    keep = torch.ones(x.shape[2:], dtype=x.dtype)
    block = []
    for n in x.shape[2:]:
        c, r = n // 2, int(cutoff * (n // 2))
        block.append(slice(c - r, c + r) if r or not strict else slice(c, c + 1))
    keep[tuple(block)] = 0
    return torch.fft.ifftn(torch.fft.ifftshift(mixed * keep, axes), dim=axes, norm='ortho').real


def case(*space, channels=3, out_channels=4):
    torch.manual_seed(0)
    x = torch.randn(2, channels, *space, dtype=torch.float64)
    return x, torch.randn(channels, out_channels, *space, dtype=torch.complex128)


@pytest.mark.parametrize('space', [(8, 8), (7, 7), (6, 9), (20, 8), (1, 1), (2, 5), (10,), (11,), (1,)])
@pytest.mark.parametrize('cutoff', [0.0, 0.1, 0.5, 0.6, 1.0])
@pytest.mark.parametrize('variant', ['reference', 'strict'])
def test_values_and_gradients_are_those_of_the_full_transform(space, cutoff, variant):
    x, g = case(*space)
    ours = [x.clone().requires_grad_(), g.clone().requires_grad_()]
    peer = [x.clone().requires_grad_(), g.clone().requires_grad_()]
    out, expected = frequency_attention(*ours, cutoff, variant), plain(*peer, cutoff, variant == 'strict')
    torch.testing.assert_close(out, expected)
    upstream = torch.randn_like(out)
    for a, b in zip(torch.autograd.grad(out, ours, upstream), torch.autograd.grad(expected, peer, upstream)):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize('number', range(5))
@pytest.mark.parametrize('stored', ['one complex leaf', 'two real leaves'])
def test_the_published_module(golden, number, stored):
    data = {key.partition('_')[2]: torch.from_numpy(v) for key, v in golden.items() if key.startswith(f'fam{number}_')}
    x, re, im = (data[name].requires_grad_() for name in ('x', 'filter_real', 'filter_imag'))
    g = torch.complex(re, im)
    if stored == 'one complex leaf':
        g = g.detach().requires_grad_()
    rate = data['rate1'].requires_grad_()
    branch = frequency_attention(x, g, float(data['cutoff']))
    conv = torch.nn.functional.conv2d(x, data['w0_weight'], data['w0_bias'])
    out = rate * branch + data['rate2'] * conv
    torch.testing.assert_close(out, data['out'], atol=1e-5, rtol=1e-5)
    out.backward(data['grad_out'])
    gradients = (g.grad.real, g.grad.imag) if stored == 'one complex leaf' else (re.grad, im.grad)
    torch.testing.assert_close(x.grad, data['grad_x'], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradients[0], data['grad_filter_real'], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradients[1], data['grad_filter_imag'], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(rate.grad, data['grad_rate1'], atol=1e-5, rtol=1e-5)


def test_the_published_cutoff_removes_nothing_below_twenty_pixels():
    assert high_pass_mask((19, 19), 0.1).min() == 1
    assert (high_pass_mask((20, 20), 0.1) == 0).sum() == 4
    assert (high_pass_mask((8, 8), 0.1, 'strict') == 0).nonzero().tolist() == [[0, 0]]
    # Twenty rows and eight columns: rows −1 and 0 are in reach, of the columns the mean's alone.
    assert high_pass_mask((20, 8), 0.1).min() == 1
    assert (high_pass_mask((20, 8), 0.1, 'strict') == 0).nonzero().tolist() == [[0, 0], [19, 0]]
    assert torch.equal(high_pass_mask((25, 20), 0.3), high_pass_mask((25, 20), 0.3, 'strict'))


@pytest.mark.parametrize('space', [(8, 8), (7, 12), (9,)])
def test_strict_removes_the_mean(space):
    x, g = case(*space)
    out = frequency_attention(x, g, variant='strict')
    torch.testing.assert_close(out.flatten(2).mean(2), torch.zeros(2, 4, dtype=torch.float64), atol=1e-12, rtol=0)
    assert frequency_attention(x, g).flatten(2).mean(2).abs().max() > 1e-3


def test_gradients_are_those_of_finite_differences():
    x, g = case(3, 4, channels=2, out_channels=2)
    assert torch.autograd.gradcheck(frequency_attention, (x.requires_grad_(), g.requires_grad_()))


def test_a_constant_filter_mixes_channels_and_nothing_else():
    x, _ = case(6, 6)
    mix = torch.randn(3, 4, dtype=torch.float64)
    g = mix[..., None, None].expand(3, 4, 6, 6).to(torch.complex128)
    torch.testing.assert_close(frequency_attention(x, g), torch.einsum('nihw,io->nohw', x, mix))


def test_half_precision_is_computed_in_float32():
    x, g = case(8, 8)
    x, g = x.float().requires_grad_(), g.to(torch.complex64).requires_grad_()
    plain = frequency_attention(x, g)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = frequency_attention(x, g)
    assert out.dtype == torch.float32
    assert torch.equal(out, plain)
    for a, b in zip(torch.autograd.grad(out.sum(), (x, g)), torch.autograd.grad(plain.sum(), (x, g))):
        assert torch.equal(a, b)
    for dtype in (torch.bfloat16, torch.float16):
        half = x.detach().to(dtype).requires_grad_()
        out = frequency_attention(half, g)
        assert out.dtype == torch.float32
        assert torch.equal(out, frequency_attention(half.float(), g))
        assert torch.autograd.grad(out.sum(), half)[0].dtype == dtype


def test_the_wider_precision_of_both_is_that_of_the_result():
    x, g = case(6, 5)
    assert frequency_attention(x.float(), g).dtype == torch.float64
    assert frequency_attention(x, g.to(torch.complex64)).dtype == torch.float64
    assert frequency_attention(x.float(), g.to(torch.complex64)).dtype == torch.float32


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda x, g: (x[:, :2], g), r'x \(2, 2, 8, 8\) and filter \(3, 4, 8, 8\) do not fit'),
        (lambda x, g: (x[..., :5], g), r'x \(2, 3, 8, 5\) and filter \(3, 4, 8, 8\) do not fit'),
        (lambda x, g: (x[..., 0], g), r'x \(2, 3, 8\) and filter \(3, 4, 8, 8\) do not fit'),
        (lambda x, g: (x[:, :, None], g[:, :, None]), r'x \(2, 3, 1, 8, 8\) and filter \(3, 4, 1, 8, 8\) do not fit'),
        (lambda x, g: (x[:, None], g[:, None]), r'x \(2, 1, 3, 8, 8\) and filter \(3, 1, 4, 8, 8\) do not fit'),
        (lambda x, g: (x.to(g.dtype), g), 'x must be real, got torch.complex128'),
        (lambda x, g: (x, g.real), 'filter must be complex, got torch.float64'),
        (lambda x, g: (x, g, -0.1), 'cutoff is a share of half the spectrum and must be from 0 to 1, got -0.1'),
        (lambda x, g: (x, g, 1.5), 'cutoff is a share of half the spectrum and must be from 0 to 1, got 1.5'),
        (lambda x, g: (x, g, 0.1, 'paper'), "variant must be 'reference' or 'strict', got 'paper'"),
    ],
)
def test_messages(change, message):
    with pytest.raises(ValueError, match=message):
        frequency_attention(*change(*case(8, 8)))


@pytest.mark.parametrize('space', [(4, 6), (5, 3), (1, 1), (2, 2), (6,), (7,), (1,)])
def test_the_backward_pass_is_the_derivative(space):
    torch.manual_seed(0)
    frequencies = math.prod(space[:-1]) * (space[-1] // 2 + 1)
    x = torch.randn(2, 3, *space, dtype=torch.float64, requires_grad=True)
    g = torch.randn(frequencies, 3, 4, dtype=torch.complex128, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(spectral_mix, (x, g, bias))
    torch.testing.assert_close(
        spectral_mix(x, g, bias), spectral_mix(x, g) + bias.view(1, 4, *[1] * len(space)), atol=1e-12, rtol=1e-12
    )


@pytest.mark.parametrize('space', [(8, 8), (7, 6), (5, 9), (24,), (25,)])
def test_the_transform_of_a_small_map_as_a_matrix_is_the_fast_one(space, monkeypatch):
    torch.manual_seed(0)
    x = torch.randn(3, 4, *space, dtype=torch.float64, requires_grad=True)
    half = math.prod(space[:-1]) * (space[-1] // 2 + 1)
    filter = torch.randn(half, 4, 5, dtype=torch.complex128, requires_grad=True)
    result = {}
    for small in (100, 0):
        monkeypatch.setattr(spectra, 'SMALL', small)
        out = spectral_mix(x, filter)
        result[small] = (out, *torch.autograd.grad(out.square().sum(), (x, filter)))
    for by_matrix, fast in zip(*result.values()):
        torch.testing.assert_close(by_matrix, fast)
