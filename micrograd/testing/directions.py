"""Many inputs are moved together, in random directions, and only what disagrees is searched.

A wrong entry of the gradient shows in nearly every direction (as `check_grads` in JAX and the fast
mode of `gradcheck` in PyTorch rely on), and moving all inputs costs no more than moving one. A
direction in which a witness disagrees is halved until the entries at fault are found.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence

from micrograd.testing import blame
from micrograd.testing.differences import Estimate, Slopes, differentiate
from micrograd.testing.evidence import Evidence
from micrograd.testing.reconsideration import is_its_graph
from micrograd.testing.witnesses import ERRORS, INDEPENDENT, Direction

_FEW = 8  # inputs that are always heard one by one
_WORK = 3_000  # inputs times values of a run, up to which they are heard one by one
_NAMED = 3  # wrong entries that are searched for
_LOOKED_AT = 4  # entries that are looked at one by one because no direction tells of them
_ALIKE = 1e6  # slopes differ by no more than this factor among inputs that move together
_LINES = 60  # directions that are tried before the check gives up


def are_many(evidence: Evidence) -> bool:
    """Whether the inputs are to be moved together."""
    count = len(evidence.gradient)
    return count > _FEW and count * (count + len(evidence.recording.values)) > _WORK


def suspects(evidence: Evidence) -> list[int]:
    """The inputs to be heard one by one: none, if every witness agrees in random directions."""
    return _Crowd(evidence).suspects()


class _Crowd:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.rng = random.Random(1)  # noqa: S311 (directions, no secrets)
        self.left = _LINES
        self.silent: dict[str, str] = {}
        self.spoken: dict[str, None] = {}

    def suspects(self) -> list[int]:
        evidence = self.evidence
        parts, alone = self._parts()
        found = alone[:_LOOKED_AT]
        unheard = len(alone) - len(found)
        queue = [part for part in parts if part]
        while queue:
            part = queue.pop(0)
            told, accuser, is_own = self._heard(part)
            guilty = self._guilty(accuser, part, is_own) if accuser else []
            if guilty:
                found += guilty
                rest = [index for index in part if index not in guilty]
                if len(found) >= _NAMED:
                    evidence.notes.append(
                        f"there may be further wrong entries: {_NAMED} were searched for"
                    )
                    unheard += len(rest) + sum(map(len, queue))
                    break
                queue += [rest] if rest else []
            elif told:
                continue
            elif len(part) == 1 and len(found) < _LOOKED_AT:
                found += part
            elif len(part) == 1 or self.left <= 0:
                unheard += len(part)
            else:
                queue += _halves(part)
        if unheard and INDEPENDENT & set(evidence.options.modes):  # else Taylor's remainder decides
            evidence.doubts.append(
                f"{unheard} of the {len(evidence.gradient)} inputs: no direction in which they move"
                " tells of them, and they are too many to be heard one by one"
            )
        self._tell(found)
        return found

    def _tell(self, found: Sequence[int]) -> None:
        evidence = self.evidence
        spoken = ", ".join(self.spoken) or "no witness"
        but = f" but on {', '.join(evidence.subject.names[i] for i in found)}" if found else ""
        evidence.lines.append(
            f"the {len(evidence.gradient)} inputs were moved together in random directions:"
            f" {spoken} agreed with the gradient{but}"
        )
        evidence.lines += [f"{name}: silent, {why}" for name, why in self.silent.items()]
        if evidence.options.is_named and "forward" in self.silent:
            evidence.doubts.append(f"forward was asked, but is silent: {self.silent['forward']}")

    def _parts(self) -> tuple[list[list[int]], list[int]]:
        """Sets of inputs to be moved together, and those that no sum can hold.

        What never reaches the output, and what reaches an operation at a kink or outside its
        domain, moves on its own.
        """
        evidence = self.evidence
        special = _below(evidence, evidence.special)
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
        return [*self._of_a_size(usual), beside, unreached], alone

    def _of_a_size(self, part: list[int]) -> list[list[int]]:
        """The inputs in sets of similar slopes, lest a large one hides a small one."""
        sizes = self.evidence.rounding.path_sizes
        sets: list[list[int]] = []
        for index in sorted(part, key=lambda index: sizes[index]):
            if not sets or sizes[index] > _ALIKE * sizes[sets[-1][0]]:
                sets.append([])
            sets[-1].append(index)
        return sorted(map(sorted, sets), key=len, reverse=True)

    # --------------------------------------------------------------------------- one set of inputs

    def _heard(self, part: Sequence[int]) -> tuple[bool, str, bool]:
        """Whether an independent witness confirms these entries, and which disagrees where."""
        told = False
        for is_own in (False, True):  # all steps alike, then each on the scale of its input
            direction = self._direction(part, is_own)
            self.left -= 1
            for name in (*(source.name for source in self.evidence.sources), "difference"):
                agrees, is_told = self._says(name, direction)
                if agrees is False:
                    # Where the formulas agree, only what is outside of the graph may be wrong.
                    if name == "difference" and told and is_its_graph(self.evidence, direction):
                        continue
                    return False, name, is_own
                if agrees and is_told and name in INDEPENDENT:
                    told = True
                if agrees:
                    self.spoken[name] = None
        return told, "", False

    def _guilty(self, accuser: str, part: Sequence[int], is_own: bool) -> list[int]:
        """The single inputs for which this witness disagrees, found by halving."""
        found: list[int] = []
        stack = [(list(part), True)]
        while stack and len(found) < _NAMED:
            part, is_likely = stack.pop()
            if (len(part) == 1 or not is_likely) and not self._accuses(accuser, part, is_own):
                continue
            if len(part) == 1:
                found += part
                continue
            first, second = _halves(part)
            if self._accuses(accuser, first, is_own):
                stack += [(second, False), (first, True)]
            else:
                stack.append((second, True))
        return found

    def _accuses(self, accuser: str, part: Sequence[int], is_own: bool) -> bool:
        return self._says(accuser, self._direction(part, is_own))[0] is False

    def _direction(self, part: Iterable[int], is_own: bool) -> dict[int, float]:
        """A random direction, its steps multiples of 1/1024, which keeps fractions short."""
        steps = {}
        for index in part:
            size = abs(self.evidence.subject.point[index])
            scale = (size or 1.0) if is_own else max(size, 1.0)
            if self.evidence.options.eps is not None:  # the user's step is that of the inputs
                scale = 1.0
            step = self.rng.choice((-1, 1)) * self.rng.randint(512, 1023) / 1024
            steps[index] = step * 2.0 ** math.frexp(scale)[1]
        return steps

    def _says(self, name: str, direction: Direction) -> tuple[bool | None, bool]:
        """Whether a witness agrees (None: it has nothing to say), and whether that tells much."""
        evidence = self.evidence
        if name in self.silent:
            return None, False
        if name == "difference":
            if "difference" not in evidence.options.modes:
                return None, False
            return self._differs(direction)
        (source,) = (source for source in evidence.sources if source.name == name)
        try:
            estimate = source.along(direction)
        except ERRORS as reason:
            self.silent[name] = str(reason) or type(reason).__name__
            return None, False
        return self._judged(name, direction, estimate)

    def _judged(self, name: str, direction: Direction, found: Estimate) -> tuple[bool, bool]:
        evidence = self.evidence
        agrees = evidence.agrees(direction, name, found)
        return agrees, agrees and evidence.is_told(direction, name, found)

    def _differs(self, direction: Direction) -> tuple[bool | None, bool]:
        evidence = self.evidence
        line = evidence.probe.line(direction)
        if not any(evidence.recording.places[index] is not None for index in direction):
            (value, branches), (moved, there) = line(0.0), line(2.0**-12)
            if there != branches or math.isnan(moved):
                return None, False
            return abs(moved - value) <= 16 * evidence.noise, True
        slopes = differentiate(line, 0.0, evidence.noise, evidence.options.eps)
        if slopes.is_kink:
            return self._at_kink(direction, slopes), True
        found = slopes.estimate
        if found is None:
            return None, False
        agrees, is_told = self._judged("difference", direction, found)
        gap, size = abs(evidence.got(direction) - found.value), evidence.size(direction)
        if not agrees and gap < 8 * found.error > 1e-3 * max(size, abs(found.value)):
            return None, False  # a step that resolves too little neither accuses nor confirms
        return agrees, is_told

    def _at_kink(self, direction: Direction, slopes: Slopes) -> bool | None:
        evidence = self.evidence
        error = sum(evidence.bounds[index] * abs(step) for index, step in direction.items())
        is_between = blame.is_between(evidence.got(direction), slopes, error)
        return True if is_between and not slopes.jumps else None


def _halves(part: Sequence[int]) -> tuple[list[int], list[int]]:
    middle = len(part) // 2
    return list(part[:middle]), list(part[middle:])


def _below(evidence: Evidence, nodes: set[int]) -> set[int]:
    """The places of these nodes and of all that is below them."""
    found = set(nodes)
    if found:
        for place in range(len(evidence.recording.nodes) - 1, -1, -1):
            if place in found:
                operands = evidence.recording.nodes[place].operands
                found.update(at for at, _ in operands if at is not None)
    return found
