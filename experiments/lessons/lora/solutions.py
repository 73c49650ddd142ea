"""Right answers to lesson 5, and the usual wrong ones (``naive_``), which the checks refuse."""


def parameters(outputs, inputs, rank):
    return rank * (outputs + inputs)


def corrected_weight(base, up, down, alpha):
    return base + alpha / up.shape[1] * up @ down


def naive_parameters(outputs, inputs, rank):
    """A full matrix for each rank."""
    return rank * outputs * inputs


def naive_corrected_weight(base, up, down, alpha):
    """Forgets to divide by the rank: right for rank 1, and the rates of rank 8 explode."""
    return base + alpha * up @ down
