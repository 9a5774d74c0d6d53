# DKD (Zhao et al., CVPR 2022): alpha 1, beta 8 and tau 4 as published, times the 0.2 of plain distillation here.
dkd = dict(type='DecoupledTransfer', source='sig.logits', target='student.logits', alpha=1.0, beta=8.0, tau=4.0, weight=0.2)
