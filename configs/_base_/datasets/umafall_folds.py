# UMAFall in four folds for comparisons of many methods: the student reads the wrist, and teachers may read all four positions:
# model.teachers.sig.view='body', model.teachers.gaf.view='body_gaf', model.teachers.pi.view='body_pi'.
_base_ = ['./umafall_body.py']
dataset = dict(
    # By this seed, two of those who fell are in validation and test of every fold.
    subjects=dict(_delete_=True, type='GroupedKFold', k=4, seed=47, val=3)
)
# A trial is one window: small batches make about as many steps as there are on larger data. Nothing is random, so that the outputs of
# teachers are kept.
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.normalized, pipelines=None, **dataset))
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
data_preprocessor = dict(
    views=dict(
        body_gaf=dict(stream='body', **_base_.data_preprocessor.views.gaf),
        body_pi=dict(stream='body', **_base_.data_preprocessor.views.pi),
    ),
)
