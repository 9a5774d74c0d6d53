# CA-MKD: confidence-aware distillation from three teachers (class activation maps are cam_kd.py).
# Paper: Confidence-Aware Multi-Teacher Knowledge Distillation (Zhang et al., ICASSP 2022), https://arxiv.org/abs/2201.00007
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/ca.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 6 of 12 by configs/searches/all_methods.py: 85.2 % on validation, the student alone 87.4. Published: 1 / T and 50 / T.
model = dict(
    teachers=_base_.teachers,
    transfers=dict(responses=dict(_base_.ca['responses'], weight=0.099), features=dict(_base_.ca['features'], weight=0.87)),
)
optim_wrapper = dict(optimizer=dict(lr=0.049))
