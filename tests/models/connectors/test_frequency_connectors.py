import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.functional import half_spectrum, high_pass_mask
from mmkd_plugin.models.connectors import FrequencyAttention, LocalCrossAttention, ReviewConnector, build_connector


@pytest.mark.parametrize('cutoff', [0.0, 0.1, 0.5])
@pytest.mark.parametrize('space', [(6, 6), (7, 7), (9, 6), (25, 4)])
def test_frequency_attention_is_the_published_sum(space, cutoff):
    torch.manual_seed(0)
    fam = FrequencyAttention((3, *space), (5, 9, 9), cutoff).double()
    g = torch.randn(3, 5, *space, dtype=torch.complex128)
    fam.load_published(g)
    x = torch.randn(2, 3, *space, dtype=torch.float64)
    mixed = torch.einsum('bihw,iohw->bohw', torch.fft.fft2(x, norm='ortho'), g)
    mixed = torch.fft.fftshift(mixed, (2, 3))
    (cy, cx), (rh, rw) = [n // 2 for n in space], [int(cutoff * (n // 2)) for n in space]
    mixed[:, :, cy - rh : cy + rh, cx - rw : cx + rw] = 0
    branch = torch.fft.ifft2(torch.fft.ifftshift(mixed, (2, 3)), norm='ortho').real
    expected = 0.5 * branch + 0.5 * F.conv2d(x, fam.conv.weight, fam.conv.bias)
    torch.testing.assert_close(fam(x), expected)


def test_the_published_module_gives_the_same_output_and_gradients(golden):
    for case in range(5):
        data = {key: torch.from_numpy(golden[f'fam{case}_{key}']) for key in GOLDEN_KEYS}
        channels, out_channels, n, _ = data['filter_real'].shape
        fam = FrequencyAttention((channels, n, n), (out_channels, n, n), cutoff=float(data['cutoff']))
        whole = torch.complex(data['filter_real'], data['filter_imag'])
        fam.load_published(whole)
        with torch.no_grad():
            fam.conv.weight.copy_(data['w0_weight'])
            fam.conv.bias.copy_(data['w0_bias'])
            fam.gamma1.copy_(data['rate1'].reshape(()))
            fam.gamma2.copy_(data['rate2'].reshape(()))
        x = data['x'].requires_grad_()
        out = fam(x)
        torch.testing.assert_close(out, data['out'], atol=1e-5, rtol=1e-5)
        out.backward(data['grad_out'])
        torch.testing.assert_close(x.grad, data['grad_x'], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(fam.conv.weight.grad, data['grad_w0_weight'], atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(fam.gamma1.grad, data['grad_rate1'].reshape(()), atol=1e-4, rtol=1e-5)
        torch.testing.assert_close(fam.gamma2.grad, data['grad_rate2'].reshape(()), atol=1e-4, rtol=1e-5)
        # The gradient of the half, taken back to the whole plane.
        whole.requires_grad_()
        mask = high_pass_mask((n, n), float(data['cutoff']))
        half_spectrum(whole * mask).backward(torch.view_as_complex(fam.filter.grad))
        torch.testing.assert_close(whole.grad.real, data['grad_filter_real'], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(whole.grad.imag, data['grad_filter_imag'], atol=1e-5, rtol=1e-5)


GOLDEN_KEYS = [
    'x',
    'cutoff',
    'filter_real',
    'filter_imag',
    'w0_weight',
    'w0_bias',
    'rate1',
    'rate2',
    'out',
    'grad_out',
    'grad_x',
    'grad_filter_real',
    'grad_filter_imag',
    'grad_rate1',
    'grad_rate2',
    'grad_w0_weight',
]


def test_frequency_attention_along_time_and_its_start():
    torch.manual_seed(0)
    fam = FrequencyAttention((4, 10), (6, 10))
    assert fam(torch.randn(2, 4, 10)).shape == (2, 6, 10)
    assert fam.filter.shape == (6, 4, 6, 2)  # 10 samples have 6 frequencies
    real, imaginary = fam.filter.unbind(3)
    assert 0 <= real.min() <= real.max() < 1 / 24
    assert -1 / 48 < imaginary.min() <= imaginary.max() < 1 / 48  # half a difference of two draws
    assert (imaginary[[0, -1]] == 0).all()  # the mean and the highest frequency of a real signal are real


def test_what_is_removed_stays_removed_while_the_filter_learns():
    fam = FrequencyAttention((3, 8, 8), (4, 8, 8), cutoff=0.5)
    assert len(fam.removed) > 0
    x = torch.randn(2, 3, 8, 8)
    before = fam(x).detach()
    with torch.no_grad():
        fam.filter[fam.removed] += 1.0
    torch.testing.assert_close(fam(x), before)
    fam(x).square().sum().backward()
    assert (fam.filter.grad[fam.removed] == 0).all()


def test_a_published_filter_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r'the filter has shape \(3, 4, 8, 8\), expected \(3, 4, 8, 6\)'):
        FrequencyAttention((3, 8, 6), (4, 9, 9)).load_published(torch.zeros(3, 4, 8, 8, dtype=torch.complex64))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_is_filtered_in_single_precision(dtype):
    fam, x = FrequencyAttention((3, 8, 8), (4, 8, 8)), torch.randn(2, 3, 8, 8).to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = fam(x)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, fam(x.float()))


def test_the_neighbourhood_of_local_attention():
    """With zero queries the softmax is even, so each output is the mean of the 3×3 values around, zeros beyond the border."""
    torch.manual_seed(0)
    attention = LocalCrossAttention(8, groups=2)
    torch.nn.init.zeros_(attention.query.weight)
    deep, shallow = torch.randn(2, 8, 5, 6), torch.randn(2, 8, 5, 6)
    value = F.conv2d(shallow, attention.value.weight)
    torch.testing.assert_close(attention(deep, shallow), F.avg_pool2d(value, 3, 1, 1), atol=1e-6, rtol=1e-5)


def test_local_attention_at_one_position_by_the_formula():
    torch.manual_seed(0)
    attention = LocalCrossAttention(4, groups=2)
    deep, shallow = torch.randn(1, 4, 4, 4), torch.randn(1, 4, 4, 4)
    query = F.conv2d(deep, attention.query.weight)[0, :, 1, 2]
    keys, values = (F.conv2d(shallow, m.weight)[0, :, 0:3, 1:4] for m in (attention.key, attention.value))
    keys = keys + torch.cat([attention.row_position.expand(-1, 3, 3), attention.column_position.expand(-1, 3, 3)])
    out = attention(deep, shallow)[0, :, 1, 2]
    for group in (slice(0, 2), slice(2, 4)):
        weights = torch.einsum('c,cij->ij', query[group], keys[group]).flatten().softmax(0).view(3, 3)
        torch.testing.assert_close(out[group], (weights * values[group]).sum((1, 2)))


def test_local_attention_of_the_published_code_weighs_every_channel_on_its_own():
    torch.manual_seed(0)
    attention = LocalCrossAttention(8, groups=4, variant='reference').double()
    deep, shallow = (torch.randn(2, 8, 4, 5, dtype=torch.float64) for _ in range(2))
    # The published formula: unfolded keys and values, products with the query, softmax over the last axis.
    query, padded = attention.query(deep), F.pad(shallow, [1, 1, 1, 1])
    key, value = (m(padded).unfold(2, 3, 1).unfold(3, 3, 1) for m in (attention.key, attention.value))  # (N, C, H, W, 3, 3)
    rows, columns = key.split(4, 1)
    rel_h, rel_w = attention.row_position[:, None, None], attention.column_position[:, None, None]
    key = torch.cat([rows + rel_h, columns + rel_w], 1).flatten(4)
    weights = (query[..., None] * key).softmax(-1)
    expected = (weights * value.flatten(4)).sum(-1)
    torch.testing.assert_close(attention(deep, shallow), expected, atol=1e-6, rtol=0)


def test_the_published_attention_starts_by_he_and_its_reductions_end_with_a_relu():
    torch.manual_seed(0)
    attention = LocalCrossAttention(64, variant='reference')
    for convolution in (attention.query, attention.key, attention.value):
        assert convolution.weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    shapes = ((8, 6, 6), (16, 3, 3))
    review = ReviewConnector(shapes, shapes, attention='reference')
    resize, conv, norm, _ = review.reduce[0]
    x = torch.randn(2, 8, 6, 6)
    torch.testing.assert_close(review.reduce[0](x), F.relu(norm(conv(resize(x)))))
    assert review.attend[0].groups == 16
    assert len(ReviewConnector(shapes, shapes).reduce[0]) == 3


@pytest.mark.parametrize('space', [(6, 6), (5, 4), (9,), (8,)])
def test_a_step_of_the_half_spectrum_is_twice_the_published_one_where_a_column_stands_for_two(space):
    torch.manual_seed(0)
    axes = tuple(range(2, 2 + len(space)))
    fam = FrequencyAttention((2, *space), (3, *space)).double()
    whole = torch.randn(2, 3, *space, dtype=torch.complex128, requires_grad=True)
    fam.load_published(whole)
    x, goal = (torch.randn(4, c, *space, dtype=torch.float64) for c in (2, 3))
    mixed = torch.einsum('ni...,io...->no...', torch.fft.fftn(x, dim=axes, norm='ortho'), whole)
    branch = torch.fft.ifftn(mixed, dim=axes, norm='ortho').real
    published = fam.gamma1 * branch + fam.gamma2 * fam.conv(x)
    torch.testing.assert_close(fam(x), published)
    (step,) = torch.autograd.grad((published - goal).square().sum(), whole)
    (own,) = torch.autograd.grad((fam(x) - goal).square().sum(), fam.filter)
    columns = space[-1] // 2 + 1
    factor = torch.full((columns,), 0.5, dtype=torch.float64)
    factor[[0, -1] if space[-1] % 2 == 0 else [0]] = 1.0
    factor = factor.repeat(len(own) // columns)[:, None, None, None]
    torch.testing.assert_close(torch.view_as_real(half_spectrum(step)), factor * own, atol=1e-9, rtol=1e-9)


def test_review_gives_the_teacher_s_shapes_and_hands_deep_features_up():
    torch.manual_seed(0)
    shapes, goal = ((8, 12, 12), (16, 6, 6), (32, 3, 3)), ((4, 10, 10), (8, 5, 5), (12, 5, 5))
    review = build_connector(dict(type='mmkd_plugin.ReviewConnector'), shapes, goal)
    stages = tuple(torch.randn(2, *s, requires_grad=True) for s in shapes)
    out = review(stages)
    assert tuple(tuple(o.shape[1:]) for o in out) == goal
    out[0].sum().backward()
    assert all(stage.grad.abs().sum() > 0 for stage in stages)  # the shallowest answer depends on every deeper stage
    assert isinstance(review[0], ReviewConnector)


def test_review_messages():
    with pytest.raises(ValueError, match='put a Lift before it'):
        ReviewConnector(((8, 12), (16, 6)), ((8, 12, 12), (16, 6, 6)))
    with pytest.raises(ValueError, match='channels must be a multiple of twice the 4 groups, got 12'):
        ReviewConnector(((8, 12, 12), (12, 6, 6)), ((8, 12, 12), (16, 6, 6)))
