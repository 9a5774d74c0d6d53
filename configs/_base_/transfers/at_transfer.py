# Attention transfer (Zagoruyko & Komodakis, ICLR 2017), all stages; the weight is that of Tian et al., ICLR 2020.
at = dict(type='AttentionTransfer', source='sig.stages', target='student.stages', weight=1000.0)
