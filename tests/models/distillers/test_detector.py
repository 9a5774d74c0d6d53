from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from small_distiller import WRN, batch, config

from mmkd_plugin.engine import predict_windows
from mmkd_plugin.registry import MODELS

HIDDEN = dict(type='FeatureTransfer', source='gaf.embedding', target='student.embedding', weight=5.0)
STAGE = dict(
    type='FeatureTransfer',
    distance='cosine',
    source='gaf.stages.2',
    target='student.stages.2',
    connector=[dict(type='Lift'), dict(type='ConvConnector')],
)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


def detector(**more):
    torch.manual_seed(0)
    cfg = config(type='AnomalyDetector', teachers=dict(sig=None))
    cfg['transfers'] = dict(hidden=HIDDEN, stage=STAGE)
    return MODELS.build({**cfg, **more}).eval()


def test_the_score_is_the_distance_of_student_and_teacher_over_all_transfers():
    model = detector()
    inputs = model.data_preprocessor(batch(), False)['inputs']
    assert set(inputs) == {'sig', 'gaf'}
    student, teacher = model.learners['student'](inputs['sig']), model.teachers['gaf'](inputs['gaf'])
    hidden = (student.embedding - teacher.embedding).square().mean(1)
    mapped = model.transfers['stage'].connectors['gaf'](student.stages[2]).flatten(1)
    stage = 1 - torch.nn.functional.cosine_similarity(mapped, teacher.stages[2].flatten(1), dim=1)
    torch.testing.assert_close(model.scores(inputs), hidden + stage)  # the weight of 5 is for training
    torch.testing.assert_close(detector(score=['hidden']).scores(inputs), hidden)


def test_the_threshold_is_a_quantile_of_normal_windows():
    model = detector(quantile=0.75)
    batches = [batch(5), batch(3)]
    scores = torch.cat([model.scores(model.data_preprocessor(b, False)['inputs']) for b in batches]).detach()
    assert model.calibrate([], batches) == pytest.approx(np.quantile(scores.numpy(), 0.75), rel=1e-6)
    data = model.data_preprocessor(batch(5), False)
    result = model(**data, mode='predict')
    assert [bool(p.pred_anomaly) for p in result] == (scores[:5] > model.threshold).tolist()
    assert [float(p.anomaly_score) for p in result] == pytest.approx(scores[:5].tolist())
    assert torch.equal(model.state_dict()['threshold'], model.threshold)


def test_distances_count_from_what_is_usual_for_the_class_that_the_student_sees():
    model, plain = detector(normalize='class'), detector()
    training, inputs = batch(40), model.data_preprocessor(batch(9), False)['inputs']
    torch.testing.assert_close(model.scores(inputs), plain.scores(inputs))  # nothing is known yet
    model.calibrate([training], [batch(9)])

    def seen(data):
        distances = torch.stack([detector(score=[name]).scores(data) for name in plain.score])
        return distances.double(), model.learners['student'](data['sig']).logits.argmax(1)

    usual, classes = seen(model.data_preprocessor(training, False)['inputs'])
    result, own = seen(inputs)
    expected = torch.zeros(9, dtype=torch.float64)
    for n in range(9):
        same = usual[:, classes == own[n]] if (classes == own[n]).sum() > 1 else usual
        expected[n] = ((result[:, n] - same.mean(1)) / same.std(1)).sum()
    torch.testing.assert_close(model.scores(inputs).double(), expected, rtol=1e-3, atol=1e-3)
    assert {'usual', 'spread'} <= model.state_dict().keys()


def test_the_loop_over_windows_gives_scores_and_decisions_beside_the_logits():
    model = detector(quantile=0.75).train()
    model.calibrate([], [batch(8)])
    predictions = predict_windows(model, [batch(5), batch(3)])
    assert model.training
    model.eval()
    data = model.data_preprocessor(batch(5), False)
    expected = model(**data, mode='predict')
    assert set(predictions.fields) == {'anomaly_score', 'pred_anomaly'}
    for name, values in predictions.fields.items():
        torch.testing.assert_close(values[:5], torch.stack([sample.get(name) for sample in expected]))
    records = predictions.records()
    torch.testing.assert_close(
        torch.stack([record['pred_score'] for record in records[:5]]), torch.stack([p.pred_score for p in expected])
    )
    assert [record['gt_label'] for record in records] == list(predictions.labels[:, None])
    alone = predict_windows(model, [batch(5), batch(3)], 'student')
    assert alone.fields == {}
    torch.testing.assert_close(alone.logits, predictions.logits)
    with pytest.raises(ValueError, match='there is no window to predict'):
        predict_windows(model, [])


def test_windows_of_no_known_class_are_left_out_of_what_a_classifier_is_tested_on():
    predictions = predict_windows(detector(), [batch(4)])
    labels = torch.tensor([2, -1, 0, -1])
    known = replace(predictions, labels=labels).known()
    assert known.labels.tolist() == [2, 0]
    assert torch.equal(known.logits, predictions.logits[[0, 2]])
    assert torch.equal(known.fields['anomaly_score'], predictions.fields['anomaly_score'][[0, 2]])
    assert known.window_ids == ('0', '2')  # these windows have no names, so their indices stand in
    assert known.samples == (predictions.samples[0], predictions.samples[2])


def test_roles_views_and_parameters_are_those_of_student_and_teachers_together():
    model = detector()
    assert model.roles() == {'student': 'student', 'detector': 'detector'}
    assert (model.views_of('student'), model.views_of('detector')) == (('sig',), ('sig', 'gaf'))
    assert model.modules_of('detector') == [model, model.teachers['gaf']]
    assert model.modules_of('student') == [model.learners['student']]


def test_baselines_are_tested_as_detectors_of_their_own():
    baselines = dict(nearest=dict(type='NearestWindows', k=1), dropped=None)
    model = detector(quantile=0.6, baselines=baselines)
    assert model.roles() == {'student': 'student', 'detector': 'detector', 'nearest': 'detector'}
    assert (model.views_of('nearest'), model.modules_of('nearest')) == (('sig',), [])
    training, validation, test = batch(6), batch(3), batch(4)
    model.calibrate([training], [validation])
    windows, held_out, tested = (torch.stack(list(each['inputs'])).flatten(1) for each in (training, validation, test))
    limit = torch.cdist(held_out, windows).amin(1).quantile(0.6)  # between two windows
    predictions, expected = predict_windows(model, [test], 'nearest'), torch.cdist(tested, windows).amin(1)
    torch.testing.assert_close(predictions.fields['anomaly_score'], expected)
    assert predictions.fields['pred_anomaly'].tolist() == (expected > limit).tolist()
    assert predictions.logits.isnan().all()  # a baseline names no class
    assert detector().baselines == {}


def test_the_student_still_classifies_alone():
    model = detector()
    data = model.data_preprocessor(batch(), False)
    logits = model.learners['student'](data['inputs']['sig']).logits
    torch.testing.assert_close(torch.stack([p.pred_score for p in model(**data, mode='predict')]), logits.softmax(1))


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match=r"score must name transfers out of hidden, stage, got \['hiden'\]"):
        detector(score=['hiden'])
    taken = dict(student=dict(view='sig', network=WRN), detector=dict(view='sig', network=WRN))
    with pytest.raises(ValueError, match="'detector' is the name of student and teachers together; give the network another"):
        detector(learners=taken, deployed='student')
    with pytest.raises(ValueError, match="'gaf' is the name of a network and of a baseline; give the baseline another name"):
        detector(baselines=dict(gaf=dict(type='NearestWindows')))
    with pytest.raises(ValueError, match="baseline 'pca': PrincipalComponents takes no 'k'"):
        detector(baselines=dict(pca=dict(type='PrincipalComponents', k=3)))
    with pytest.raises(ValueError, match='quantile must be between 0 and 1, got 1'):
        detector(quantile=1)
    with pytest.raises(ValueError, match="normalize must be 'class' or None, got 'batch'"):
        detector(normalize='batch')
