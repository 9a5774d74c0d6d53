import pytest
import torch

from mmkd_plugin.functional.precision import in_full_precision, unit

HALF = [torch.float16, torch.bfloat16]


@in_full_precision
def gram(x, others=(), scale=None):
    """Return what the function was given, and a product that autocast would round."""
    return x @ x.T, x, others, scale


@pytest.mark.parametrize('dtype', HALF, ids=str)
def test_tensors_of_half_precision_become_single_wherever_they_are(dtype):
    x = torch.full((2, 3), 300, dtype=dtype)
    product, seen, others, scale = gram(x, [x, (x, 'name')], scale=x)
    assert product.tolist() == [[270000] * 2] * 2  # more than float16 holds
    assert {each.dtype for each in (product, seen, others[0], others[1][0], scale)} == {torch.float32}
    assert type(others) is list
    assert type(others[1]) is tuple
    assert others[1][1] == 'name'


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.int64, torch.bool], ids=str)
def test_other_tensors_stay_as_they_are(dtype):
    x = torch.ones(2, 3, dtype=dtype)
    assert in_full_precision(lambda x: x)(x) is x
    assert in_full_precision(lambda *, x: x)(x=[x])[0] is x


def test_tensors_become_contiguous():
    x = torch.arange(6.0).reshape(2, 3).T
    _, seen, others, scale = gram(x, (x,), scale=x)
    assert [each.is_contiguous() for each in (x, seen, others[0], scale)] == [False, True, True, True]
    assert torch.equal(seen, x)


@pytest.mark.parametrize('how', ['first', 'by name', 'in a list'])
def test_autocast_rounds_no_product(how):
    x = torch.full((2, 3), 1.001)  # bfloat16 knows no number between 1 and 1.0078
    product = in_full_precision(lambda *args, **kwargs: x @ x.T)
    with torch.autocast('cpu', torch.bfloat16):
        inside = {'first': lambda: product(x), 'by name': lambda: product(x=x), 'in a list': lambda: product([1, (x,)])}[how]()
        assert (x @ x.T).dtype == torch.bfloat16
    assert torch.equal(inside, x @ x.T)


def test_tensors_that_have_shapes_alone_and_calls_without_tensors():
    x = torch.empty(2, 3, dtype=torch.float16, device='meta')
    product, seen, _, scale = gram(x, scale=2)
    assert (product.shape, product.dtype, seen.device.type, scale) == ((2, 2), torch.float32, 'meta', 2)
    assert in_full_precision(lambda *args: args)(1, 'two', None) == (1, 'two', None)


def test_the_function_keeps_its_name_and_arguments():
    assert (gram.__name__, gram.__doc__) == ('gram', gram.__wrapped__.__doc__)


@pytest.mark.parametrize('dim', [0, 1, -1])
def test_unit_vectors_beside_those_of_torch(dim):
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(unit(x, dim), torch.nn.functional.normalize(x, dim=dim), rtol=1e-12)


def test_a_vector_up_to_the_limit_has_no_direction_and_no_gradient():
    lengths = torch.tensor([[0.0], [1e-13], [1e-12], [1.1e-12], [1e-3]], dtype=torch.float64)
    x = (lengths * torch.tensor([1.0, 0.0], dtype=torch.float64)).requires_grad_()
    result = unit(x, 1)
    assert result[:, 0].tolist() == pytest.approx([0, 0, 0, 1, 1])
    assert result[:, 1].tolist() == [0] * 5
    (gradient,) = torch.autograd.grad(result[:, 1].sum(), x)
    assert gradient[:, 1].tolist() == pytest.approx([0, 0, 0, 1 / 1.1e-12, 1e3])
