# AE-KD: weights of three teachers from their gradients at the student's logits.
# Paper: Agree to Disagree, Adaptive Ensemble Knowledge Distillation in Gradient Space (Du et al., NeurIPS 2020), https://proceedings.neurips.cc/paper/2020/hash/91c77393975889bd08f301c9e13a44b7-Abstract.html
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/aekd.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 5 of 12 by configs/searches/all_methods.py: 86.5 % on validation, the student alone 87.4. Published: 0.9.
model = dict(teachers=_base_.teachers, transfers=dict(aekd=dict(_base_.aekd, weight=0.12, tau=1)))
optim_wrapper = dict(optimizer=dict(lr=0.036))
