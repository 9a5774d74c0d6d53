import pytest
import torch

from mmkd_plugin.structures import Address, Taps, shape_of


def taps():
    return Taps(
        stages=(torch.zeros(2, 3, 8), torch.ones(2, 4, 5)),
        embedding=torch.zeros(2, 4),
        logits=torch.zeros(2, 7),
        classifier_weight=torch.arange(28.0).view(7, 4),
    )


def test_addresses_are_read_and_written_alike():
    for text in ('gaf.logits', 'student.stages', 'student.stages.2', 'pi.cam'):
        assert str(Address.parse(text)) == text


@pytest.mark.parametrize('text', ['gaf', 'gaf.logit', 'gaf.logits.1', 'gaf.stages.x', 'gaf.stages.-1', ''])
def test_a_malformed_address_says_what_was_expected(text):
    with pytest.raises(ValueError, match='is not an address: expected') as error:
        Address.parse(text)
    assert f"'{text}'" in str(error.value)


def test_an_address_is_looked_up():
    networks = {'student': taps()}
    assert Address.parse('student.stages.1').read(networks).shape == (2, 4, 5)
    assert len(Address.parse('student.stages').read(networks)) == 2


def test_a_wrong_network_lists_those_there_are():
    with pytest.raises(ValueError, match=r"there is no network 'gaff'; did you mean 'gaf'\? The networks are gaf, student"):
        Address.parse('gaff.logits').read({'student': taps(), 'gaf': taps()})


def test_a_stage_too_deep_says_how_many_there_are():
    with pytest.raises(ValueError, match='has 2 stages, so the index goes from 0 to 1'):
        Address.parse('student.stages.2').read({'student': taps()})


def test_a_tap_that_a_network_lacks():
    with pytest.raises(ValueError, match='offers no attention'):
        Address.parse('student.attention').read({'student': taps()})
    bare = Taps(stages=(), embedding=torch.zeros(1, 2), logits=torch.zeros(1, 2))
    with pytest.raises(ValueError, match='global average pooling and one linear layer'):
        Address.parse('a.cam').read({'a': bare})


def test_the_mean_of_the_activation_map_is_the_logit_without_bias():
    torch.manual_seed(0)
    classifier_weight, stage = torch.randn(7, 4), torch.randn(2, 4, 5, 6)
    pooled = stage.mean((2, 3))
    cam = Taps((stage,), pooled, pooled @ classifier_weight.T, classifier_weight).cam
    assert cam.shape == (2, 7, 5, 6)
    torch.testing.assert_close(cam.mean((2, 3)), pooled @ classifier_weight.T)


def test_shapes_are_of_one_sample():
    assert shape_of(torch.zeros(2, 3, 8)) == (3, 8)
    assert shape_of(taps().stages) == ((3, 8), (4, 5))


def test_the_classifier_reads_another_network_s_feature():
    torch.manual_seed(0)
    head = torch.nn.Linear(4, 7)
    own = Taps((), torch.zeros(2, 4), torch.zeros(2, 7), head.weight, classifier_bias=head.bias, head='LinearClsHead')
    feature = torch.randn(2, 4, 5, 6)
    torch.testing.assert_close(own.classify(feature), head(feature.mean((2, 3))))
    torch.testing.assert_close(own.classify(feature[..., 0, 0]), head(feature[..., 0, 0]))
    with pytest.raises(ValueError, match=r'the classifier LinearClsHead cannot read \(3,\): expected 4 channels'):
        own.classify(torch.zeros(2, 3))
