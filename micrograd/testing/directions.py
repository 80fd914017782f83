"""Many inputs moved together, in random directions; only what disagrees is searched.

A wrong entry of the gradient shows in nearly every direction (as `check_grads` in JAX and the fast
mode of `gradcheck` in PyTorch rely on), and moving all inputs costs no more than moving one. If a
witness disagrees for a group of inputs, it is halved until the entry at fault is found.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence

from micrograd.testing.differences import Estimate, differentiate
from micrograd.testing.evidence import Evidence
from micrograd.testing.recording import Direction
from micrograd.testing.resolution import is_its_graph
from micrograd.testing.witnesses import ERRORS, INDEPENDENT

_FEW = 8  # inputs that are always heard one by one
_WORK = 3_000  # inputs times values of a run, up to which they are heard one by one
_NAMED = 3  # wrong entries that are searched for
_LOOKED_AT = 4  # entries that are looked at one by one because no direction says enough
_ALIKE = 1e6  # slopes differ by no more than this factor among inputs that move together
_TRIED = 60  # directions that are tried before the check gives up


def are_many(evidence: Evidence) -> bool:
    """Whether the inputs are to be moved together."""
    count = len(evidence.gradient)
    return count > _FEW and count * (count + len(evidence.recording.values)) > _WORK


def first_wrong(numbers: Sequence[int], is_wrong: Callable[[Sequence[int]], bool]) -> int:
    """One number of a group that is wrong together, found by halving."""
    while len(numbers) > 1:
        half, rest = halves(numbers)
        numbers = half if is_wrong(half) else rest
    return numbers[0]


def halves(numbers: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """The first and the second half."""
    middle = len(numbers) // 2
    return numbers[:middle], numbers[middle:]


class EntrySearch:
    """The search for wrong entries of a gradient among many inputs."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.rng = random.Random(1)  # noqa: S311 (directions, not secrets)
        self.left = _TRIED
        self.witnesses = {witness.name: witness for witness in evidence.witnesses}
        self.silent: dict[str, str] = {}
        self.agreed: dict[str, None] = {}

    def suspects(self) -> list[int]:
        """The inputs to look at one by one: none, if every witness agrees in random directions."""
        evidence = self.evidence
        queue, alone = self._groups()
        found = alone[:_LOOKED_AT]
        unheard = len(alone) - len(found)
        while queue:
            group = queue.pop(0)
            confirmed, accuser, is_own = self._heard(group)
            wrong = self._wrong_entry(accuser, group, is_own) if accuser else None
            if wrong is not None:
                found.append(wrong)
                rest = [index for index in group if index != wrong]
                if len(found) >= _NAMED:
                    evidence.notes.append(
                        f"there may be further wrong entries: the search ended at {_NAMED}"
                    )
                    unheard += len(rest) + sum(map(len, queue))
                    break
                queue += [rest] if rest else []
            elif confirmed:
                continue
            elif len(group) == 1 and len(found) < _LOOKED_AT:
                found += group
            elif len(group) == 1 or self.left <= 0:
                unheard += len(group)
            else:
                queue += halves(group)
        if unheard and evidence.asks_independent:  # else Taylor's remainder decides
            evidence.doubts.append(
                f"{unheard} of the {len(evidence.gradient)} inputs were not confirmed: no direction"
                " in which they move says enough about them, and they are too many to be checked"
                " one by one"
            )
        self._report(found)
        return found

    def _report(self, found: Sequence[int]) -> None:
        evidence = self.evidence
        agreed = ", ".join(self.agreed) or "no witness"
        others = ", ".join(evidence.subject.names[i] for i in found)
        evidence.report.lines.append(
            f"the {len(evidence.gradient)} inputs were moved together in random directions:"
            f" {agreed} agreed with the gradient{f', except for {others}' if others else ''}"
        )
        evidence.report.lines += [f"{name}: silent, {why}" for name, why in self.silent.items()]
        evidence.silent |= self.silent

    def _groups(self) -> tuple[list[Sequence[int]], list[int]]:
        """Groups of inputs to be moved together, and the inputs that no sum can hold.

        What never reaches the output, and what reaches an operation at a kink or outside its
        domain, moves on its own.
        """
        evidence = self.evidence
        special = self._below(evidence.special)
        usual: list[int] = []
        beside: list[int] = []
        unreached: list[int] = []
        alone: list[int] = []
        for index, place in enumerate(evidence.recording.places):
            sizes = (evidence.gradient[index], evidence.bounds[index])
            if not all(map(math.isfinite, sizes)) or (evidence.infinite and place in special):
                alone.append(index)
            elif place is None:
                unreached.append(index)
            else:
                (beside if place in special else usual).append(index)
        groups = [*self._of_similar_size(usual), beside, unreached]
        return [group for group in groups if group], alone

    def _below(self, places: set[int]) -> set[int]:
        """These nodes and all that are below them."""
        found = set(places)
        if found:
            for place, node in reversed([*enumerate(self.evidence.recording.nodes)]):
                if place in found:
                    found.update(at for at, _ in node.operands if at is not None)
        return found

    def _of_similar_size(self, group: list[int]) -> list[list[int]]:
        """The inputs in groups of similar slopes, so that a large one does not hide a small one."""
        sizes = self.evidence.rounding.path_sizes
        groups: list[list[int]] = []
        for index in sorted(group, key=lambda index: sizes[index]):
            if not groups or sizes[index] > _ALIKE * sizes[groups[-1][0]]:
                groups.append([])
            groups[-1].append(index)
        return sorted(map(sorted, groups), key=len, reverse=True)

    # -------------------------------------------------------------------------- one group of inputs

    def _heard(self, group: Sequence[int]) -> tuple[bool, str, bool]:
        """Whether an independent witness confirms these entries, and which disagrees where."""
        confirmed = False
        for is_own in (False, True):  # all steps alike, then each on the scale of its input
            direction = self._direction(group, is_own)
            self.left -= 1
            for name in (*self.witnesses, "difference"):
                agrees, is_narrow = self._says(name, direction)
                if agrees is False:
                    # Where the formulas agree, only what is outside the graph may be wrong.
                    if (
                        name == "difference"
                        and confirmed
                        and is_its_graph(self.evidence, direction)
                    ):
                        continue
                    return False, name, is_own
                if agrees:
                    confirmed |= is_narrow and name in INDEPENDENT
                    self.agreed[name] = None
        return confirmed, "", False

    def _wrong_entry(self, accuser: str, group: Sequence[int], is_own: bool) -> int | None:
        """A single input for which this witness disagrees."""

        def is_wrong(part: Sequence[int]) -> bool:
            return self._says(accuser, self._direction(part, is_own))[0] is False

        index = first_wrong(group, is_wrong)
        return index if len(group) == 1 or is_wrong([index]) else None

    def _direction(self, group: Iterable[int], is_own: bool) -> dict[int, float]:
        """A random direction, its steps multiples of 1/1024, which keeps fractions short."""
        steps = {}
        for index in group:
            size = abs(self.evidence.subject.point[index])
            scale = (size or 1.0) if is_own else max(size, 1.0)
            if self.evidence.options.eps is not None:  # the user's step is that of the inputs
                scale = 1.0
            step = self.rng.choice((-1, 1)) * self.rng.randint(512, 1023) / 1024
            steps[index] = step * 2.0 ** math.frexp(scale)[1]
        return steps

    def _says(self, name: str, direction: Direction) -> tuple[bool | None, bool]:
        """Whether a witness agrees (None: it says nothing), and whether that confirms anything."""
        if name == "difference":
            return self._differs(direction)
        if name not in self.silent:
            try:
                return self._judged(name, direction, self.witnesses[name].along(direction))
            except ERRORS as reason:
                self.silent[name] = str(reason) or type(reason).__name__
        return None, False

    def _judged(self, name: str, direction: Direction, found: Estimate) -> tuple[bool, bool]:
        agrees = self.evidence.agrees(direction, name, found)
        return agrees, agrees and self.evidence.confirms(direction, name, found)

    def _differs(self, direction: Direction) -> tuple[bool | None, bool]:
        """What differences of the function along a direction say."""
        evidence = self.evidence
        if "difference" not in evidence.options.modes:
            return None, False
        line = evidence.probe.line(direction)
        if not any(evidence.recording.places[index] is not None for index in direction):
            (value, branches), (moved, there) = line(0.0), line(2.0**-12)
            if there != branches or math.isnan(moved):
                return None, False
            return abs(moved - value) <= 16 * evidence.noise, True
        slopes = differentiate(line, 0.0, evidence.noise, evidence.options.eps)
        got, found = evidence.got(direction), slopes.estimate
        if slopes.is_kink:
            error = sum(evidence.bounds[index] * abs(step) for index, step in direction.items())
            return (slopes.surround(got, error) and not slopes.jumps) or None, True
        if found is None:
            return None, False
        agrees, is_narrow = self._judged("difference", direction, found)
        size = max(evidence.size(direction), abs(found.value))
        if not agrees and abs(got - found.value) < 8 * found.error > 1e-3 * size:
            return None, False  # a step that resolves too little neither accuses nor confirms
        return agrees, is_narrow
