"""Which formulas can exist as ions: oxidation states that add up to nothing.

The compositional pipeline of a discovery campaign starts here, from formulas without a structure
(Merchant et al. 2023, Nature 624, 80). A formula is taken if some choice of one usual oxidation
state per element is neutral and every cation is less electronegative than every anion (Davies et
al. 2016, Chem 1, 617).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from math import gcd

from science.core.errors import UserError

Charges = Mapping[str, int]


@dataclass(frozen=True)
class Formula:
    """A neutral formula: how many of each element, and the charge of each."""

    amounts: tuple[tuple[str, int], ...]
    charges: tuple[tuple[str, int], ...]

    @property
    def reduced(self) -> str:
        """As pymatgen spells it."""
        from pymatgen.core.composition import Composition

        return str(Composition(dict(self.amounts)).reduced_formula)

    @property
    def atoms(self) -> int:
        """Atoms in one formula unit."""
        return sum(n for _, n in self.amounts)


def balance(formula: str) -> dict[str, int]:
    """Charge of each element of a formula, the likeliest choice that is neutral.

    Raises:
        UserError: it is no formula, or no choice of known oxidation states is neutral.
    """
    amounts = read(formula)
    options = [states(e) for e in amounts]
    neutral = [
        dict(zip(amounts, choice, strict=True))
        for choice in product(*options)
        if not sum(q * n for q, n in zip(choice, amounts.values(), strict=True))
    ]
    sensible = [c for c in neutral if _pauling(c)] or neutral
    if not sensible:
        known = "; ".join(f"{e} {', '.join(f'{q:+d}' for q in states(e))}" for e in amounts)
        problem = f"{formula}: no choice of oxidation states adds up to zero"
        raise UserError(problem, f"known are {known or 'none'}")
    return min(sensible, key=_rarity)


def read(formula: str) -> dict[str, int]:
    """Whole amounts of the elements of a formula.

    Raises:
        UserError: it cannot be read, names no element, or has fractional amounts.
    """
    from pymatgen.core.composition import Composition
    from pymatgen.core.periodic_table import Element

    try:
        amounts = Composition(formula).get_el_amt_dict()
    except (ValueError, TypeError) as problem:
        raise UserError(f"{formula}: not a formula", str(problem)) from None
    if not amounts or any(not Element.is_valid_symbol(e) for e in amounts):
        raise UserError(f"{formula}: not a formula of elements", "write for example SrTiO3")
    if any(n != round(n) or n < 1 for n in amounts.values()):
        raise UserError(f"{formula}: amounts must be whole", "write for example Li2Fe3O4")
    return {e: round(n) for e, n in amounts.items()}


def charge_balanced(
    elements: Sequence[str], kinds: Sequence[int] = (2, 3), most: int = 8
) -> Iterator[Formula]:
    """Every neutral formula of the elements, each reduced formula once.

    Args:
        elements: symbols to choose from.
        kinds: how many different elements a formula may have.
        most: atoms in a formula unit.
    """
    seen: set[tuple[tuple[str, int], ...]] = set()
    for count in kinds:
        for chosen in combinations(sorted(set(elements)), count):
            choices = [dict(zip(chosen, q, strict=True)) for q in product(*map(states, chosen))]
            for charges in sorted(filter(_pauling, choices), key=_rarity):
                for amounts in _amounts(tuple(charges.values()), most):
                    key = tuple(zip(chosen, amounts, strict=True))
                    if key not in seen:
                        seen.add(key)
                        yield Formula(key, tuple(charges.items()))


@cache
def states(element: str) -> tuple[int, ...]:
    """Oxidation states of an element, the commonest first; as an anion only its full shell.

    Those that chemistry calls common, then those that occur in the ICSD (pymatgen's tables).
    """
    from pymatgen.core.periodic_table import Element

    this = Element(element)
    common, seen = this.common_oxidation_states, this.icsd_oxidation_states
    lowest = min((q for q in common if q < 0), default=0)
    fair = [q for q in (*common, *sorted(seen, key=abs)) if q > 0 or (q == lowest and q < 0)]
    return tuple(dict.fromkeys(fair))


def _amounts(charges: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Amounts without a common divisor that make the charges neutral."""
    for amounts in product(*(range(1, most) for _ in charges)):
        if sum(amounts) > most or gcd(*amounts) != 1:
            continue
        if not sum(q * n for q, n in zip(charges, amounts, strict=True)):
            yield amounts


@cache
def _electronegativity(element: str) -> float:
    from pymatgen.core.periodic_table import Element

    return float(Element(element).X)


def _pauling(charges: Charges) -> bool:
    """Whether there are both signs and each cation is less electronegative than each anion."""
    cations = [_electronegativity(e) for e, q in charges.items() if q > 0]
    anions = [_electronegativity(e) for e, q in charges.items() if q < 0]
    return bool(cations) and bool(anions) and max(cations) < min(anions)


def _rarity(charges: Charges) -> int:
    return sum(states(e).index(q) for e, q in charges.items())
