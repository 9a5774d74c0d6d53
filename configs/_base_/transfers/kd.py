# Hinton et al. 2015: the softened answer of one teacher.
kd = dict(type='ResponseTransfer', source='sig.logits', target='student.logits', tau=4.0, weight=1.0)
