import pytest
from mmengine import registry as root
from mmengine.registry import DefaultScope
from mmpretrain import registry as host

from mmkd_plugin import registry as ours
from mmkd_plugin.models import FrequencyAttention


@pytest.mark.parametrize('registry', [root.MODELS, host.MODELS, ours.MODELS])
def test_the_prefixed_name_resolves_from_everywhere(registry):
    assert registry.get('mmkd_plugin.FrequencyAttention') is FrequencyAttention


@pytest.mark.parametrize(
    ('registry', 'name'),
    [
        ('MODELS', 'ResNet'),
        ('MODELS', 'FrequencyAttention'),
        ('METRICS', 'Accuracy'),
        ('HOOKS', 'CheckpointHook'),
        ('TRANSFORMS', 'PackInputs'),
    ],
)
def test_a_bare_name_resolves_in_our_configs(registry, name):
    assert getattr(ours, registry).get(name) is not None


def test_another_package_of_the_family_finds_ours(monkeypatch):
    monkeypatch.setattr(root.MODELS, '_children', dict(root.MODELS.children))  # other tests of this process see no sibling
    sibling = root.Registry('model', parent=root.MODELS, scope='sibling_of_mmkd')
    assert sibling.get('mmkd_plugin.FrequencyAttention') is FrequencyAttention


def test_there_is_a_registry_for_every_one_of_the_host():
    def registries(module):
        return [value for value in vars(module).values() if isinstance(value, root.Registry)]

    # mmpretrain spells some names otherwise, so a registry of ours is known by the root above it.
    covered = {registry.root.name for registry in registries(ours)}
    assert {registry.name for registry in registries(root)} <= covered


def test_building_in_our_scope_does_not_warn(caplog):
    with DefaultScope.overwrite_default_scope('mmkd_plugin'), caplog.at_level('WARNING'):
        for registry in (root.MODELS, root.FUNCTIONS, root.EVALUATOR, root.LOG_PROCESSORS):
            with registry.switch_scope_and_registry(None) as chosen:
                assert chosen.scope == 'mmkd_plugin'
    assert not caplog.records


@pytest.mark.parametrize(
    ('cfg', 'foreign'),
    [
        (dict(type='Network', backbone=dict(type='WideResNet', depth=16)), None),
        (dict(type='mmkd_plugin.Network', backbone=dict(type='mmpretrain.ResNet', norm_cfg=dict(type='BN'))), None),
        ([dict(type='NormalizeSignal', method='zscore'), dict(init_cfg=dict(type='Kaiming', layer='Conv2d'))], None),
        (dict(type='Network', backbone=dict(type='subprocess.call', args=['true'])), 'subprocess.call'),
        (dict(type='Network', heads=[dict(type='mmpretrain.os.system')]), 'mmpretrain.os.system'),
        (dict(type=['WideResNet']), "['WideResNet']"),
    ],
)
def test_a_type_that_the_host_would_import_is_foreign(cfg, foreign):
    assert ours.foreign_type(cfg) == foreign
