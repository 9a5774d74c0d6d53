import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.functional import interpolate
from mmkd_plugin.functional.sizes import interpolate_by_axes

SIZES = {1: [(1,), (3,), (7,), (16,)], 2: [(1, 1), (3, 5), (7, 9), (5, 20), (14, 18)]}  # shrinking, kept and growing
ALL = [(mode, size) for mode in ('area', 'linear', 'nearest') for sizes in SIZES.values() for size in sizes]


def torchs_own(x, size, mode):
    return F.interpolate(x, size, mode='bilinear' if (mode, len(size)) == ('linear', 2) else mode)


@pytest.mark.parametrize(('mode', 'size'), ALL)
def test_products_by_axes_are_torchs_interpolation_with_its_gradient(mode, size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *(7, 9)[: len(size)], dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(2, 3, *size, dtype=torch.float64)
    ours, expected = interpolate_by_axes(x, size, mode), torchs_own(x, size, mode)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-14)
    gradients = [torch.autograd.grad(value, x, upstream)[0] for value in (ours, expected)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)
    assert ours.is_contiguous()


@pytest.mark.parametrize(('mode', 'size'), ALL)
def test_on_the_processor_it_is_torchs_own_to_the_bit(mode, size):
    x = torch.randn(2, 3, *(7, 9)[: len(size)])
    assert torch.equal(interpolate(x, size, mode), torchs_own(x, size, mode))


def test_half_precision_and_autocast_keep_their_dtypes():
    x = torch.randn(2, 3, 7)
    with torch.autocast('cpu', torch.bfloat16):
        assert interpolate_by_axes(x, (3,), 'area').dtype == torch.float32
    assert interpolate_by_axes(x.bfloat16(), (3,), 'area').dtype == torch.bfloat16


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU that torch can use')
def test_on_a_gpu_the_gradient_is_allowed_and_equal_in_every_run(monkeypatch):
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        for mode, size in ALL:
            x = torch.randn(64, 32, *(7, 9)[: len(size)], device='cuda', requires_grad=True)
            upstream = torch.randn(64, 32, *size, device='cuda')
            runs = [torch.autograd.grad(interpolate(x, size, mode), x, upstream)[0] for _ in range(5)]
            assert all(torch.equal(run, runs[0]) for run in runs)
            there = x.detach().cpu().requires_grad_()
            expected = torch.autograd.grad(torchs_own(there, size, mode), there, upstream.cpu())[0]
            torch.testing.assert_close(runs[0].cpu(), expected)
    finally:
        torch.use_deterministic_algorithms(before)


@pytest.mark.parametrize(('size', 'mode'), [((3,), 'cubic'), ((3, 3), 'area')])
def test_what_does_not_fit_is_refused(size, mode):
    with pytest.raises(ValueError, match=f"mode of .* got '{mode}' and"):
        interpolate(torch.randn(2, 3, 7), size, mode)
