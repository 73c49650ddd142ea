"""Proteins: which residues touch, told from how a family's sequences vary together, and the fold.

The question. Residues in contact constrain each other, so in the alignment of a protein with its
homologues their columns vary together (Göbel et al. 1994; Weigt et al. 2009). Can these traces be
told from phylogeny and chance, turned into a probability of contact that means what it says, and
into a fold, by something that trains on a laptop within the hour?

The data. An alignment is ``tokens`` (N, L) uint8: N sequences, the query first; L columns, the
query's residues; 0 to 19 are the amino acids ``ARNDCQEGHILKMFPSTWYV``, 20 is a gap. A structure is
C-beta coordinates ``cb`` (L, 3) [Angstrom], C-alpha for glycine, ``nan`` where unknown. Residues i
and j are in contact if their C-beta are closer than 8 Angstrom; short range is 6 to 11 apart in
sequence, medium 12 to 23, long 24 and more. Scores and probabilities are symmetric (L, L), their
diagonal zero. Neff is the sum of sequence weights at 80 % identity.

Reading order: ``alphabet``, ``alignment``, ``weights`` (a family), ``contacts``, ``structure`` (the
truth), ``metrics`` (precision of the top L/k pairs); ``read``, ``read_structure``, ``packed``,
``families`` and ``own`` (from files); ``statistics``, ``mi``, ``meanfield``, ``pseudolikelihood``
(the classical models), ``likely`` (their probabilities); ``potts``, ``lattice``, ``synth``
(families whose contacts or couplings are known); ``features``, ``nets.pair``, ``contact_run``,
``predict`` (the contact network); ``pretraining``, ``attention_maps``, ``adaptation`` (the
alignment Transformer); ``restraints``, ``fold``, ``tmscore`` (into space); ``align``, ``infer``,
``maps``, ``page`` and ``commands`` (``fifth proteins``).
"""
