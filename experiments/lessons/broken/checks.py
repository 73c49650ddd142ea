"""What judges the answers to lesson 10."""

import numpy as np

from science.core.teach.wrong import array, number, require


def same_bits(answer) -> None:
    """Closeness is not equality, nan equals itself, and minus zero is not zero."""
    one = np.array([1.0, 0.1 + 0.2, np.nan])
    require(
        number(answer(one, one.copy())) == 1,
        "an array with a nan is the same as its copy",
        "含有 nan 的数组与它的副本相同",
    )
    near = np.array([1.0, 0.3, np.nan])
    require(
        number(answer(one, near)) == 0,
        "0.1 + 0.2 and 0.3 differ in the last bit",
        "0.1 + 0.2 与 0.3 在最后一位不同",
    )
    require(
        number(answer(np.array([0.0]), np.array([-0.0]))) == 0,
        "0 and -0 have different bits (1 divided by them shows it)",
        "0 与 -0 的比特不同（用 1 去除以它们就看得出）",
    )


def blame(answer) -> None:
    """All differing layers are too many; one is too few where two are broken together."""
    layers = ["data", "seed", "config", "code"]
    for guilty in ({"config"}, {"seed", "code"}):
        found = array(answer(list(layers), lambda chosen, g=guilty: g <= set(chosen)), (4,))
        named = {name for name, bit in zip(layers, found, strict=True) if bit > 0.5}
        told = "+".join(sorted(named)) or "–"
        require(
            named == guilty,
            f"{len(guilty)} broken, and you blame {told}",
            f"坏了 {len(guilty)} 层，你指出的是 {told}",
        )
