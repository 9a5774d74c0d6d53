# Hinton et al. 2015: the softened answer of one teacher. Weights here and beside are those that did better on the validation
# subjects out of 0.2 and 1, with the weight of the label loss at 1.
kd = dict(type='ResponseTransfer', source='sig.logits', target='student.logits', tau=4.0, weight=0.2)
