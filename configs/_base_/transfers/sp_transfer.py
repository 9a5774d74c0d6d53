# Similarity-preserving distillation (Tung & Mori, ICCV 2019), last stage; the weight is the paper's.
sp = dict(type='RelationTransfer', relation='similarity', source='sig.stages.2', target='student.stages.2', weight=3000.0)
