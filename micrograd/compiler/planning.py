"""From a graph to a program: what varies, sums, levels, groups, matrix products, slots."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.compiler.graph import CONSTANT, NOTHING, Graph
from micrograd.compiler.matrices import find_products
from micrograd.compiler.program import (
    Elementwise,
    Instruction,
    Operand,
    Product,
    Program,
    WeightedSums,
    rows_of,
)
from micrograd.compiler.sums import find_sums

SUM = -1  # among the codes of operations, a weighted sum


def plan(graph: Graph, *, batched: bool) -> Program:
    """The program of a graph; `batched` tells whether its inputs vary."""
    return _Planner(graph, batched).program()


class _Planner:
    def __init__(self, graph: Graph, batched: bool) -> None:
        self.graph, self.batched = graph, batched
        self.varying = _varying(graph, batched)
        self.sums = find_sums(graph, self.varying)
        self.code = graph.code.copy()
        summed, self.first_term = np.unique(self.sums.root, return_index=True)
        self.code[summed] = SUM
        self.place_of_sum = dict(zip(summed.tolist(), range(len(summed)), strict=True))
        self.bounds = np.append(self.first_term, len(self.sums.root))
        self.slot = np.full(graph.size + 1, NOTHING)  # the last one for operands that are NOTHING
        self.next_slot = [0, 0]  # of u and of v
        self.instructions: list[Instruction] = []

    def program(self) -> Program:
        """All instructions, those of `u` first."""
        graph = self.graph
        constants = np.flatnonzero(graph.code == CONSTANT)
        self._number(np.arange(graph.parameters), varies=False)
        self._number(np.arange(graph.parameters, graph.leaves), varies=self.batched)
        self._number(constants, varies=False)
        for varies, code, members in self._groups():
            if code != SUM and len(members) == 1:
                self._emit_single(varies, code, int(members[0]))
            elif code == SUM:
                self._emit_sums(varies, members)
            else:
                self._emit_operations(varies, code, members)
        outputs = tuple((bool(self.varying[n]), int(self.slot[n])) for n in graph.outputs.tolist())
        return Program(
            instructions=tuple(self.instructions),
            parameters=graph.parameters,
            inputs=graph.inputs,
            batched=self.batched,
            constants=graph.numbers[constants],
            uniform=self.next_slot[0],
            varying=self.next_slot[1],
            outputs=outputs,
        )

    def _number(self, nodes: Any, *, varies: bool) -> slice:
        """Give nodes the next slots of a space."""
        start = self.next_slot[varies]
        self.slot[nodes] = np.arange(start, start + len(nodes))
        self.next_slot[varies] = start + len(nodes)
        return slice(start, start + len(nodes))

    # -------------------------------------------------------------------------------------- groups

    def _groups(self) -> Iterator[tuple[bool, int, Any]]:
        """Nodes of the same space, level, operation and kinds of operands, level by level."""
        graph = self.graph
        alive = np.flatnonzero((self.code >= SUM) & (graph.code >= 0) & ~self.sums.gone)
        if not len(alive):
            return
        kinds = np.zeros(graph.size, dtype=np.int64)
        for place in range(3):
            held = graph.operands[:, place]
            kinds |= (self.varying[held] & (held >= 0)).astype(np.int64) << place
        kinds[self.code == SUM] = 0
        levels = self._levels(alive)
        keys = (kinds[alive], self.code[alive], levels[alive], self.varying[alive])
        order = np.lexsort(keys)
        members = alive[order]
        different = np.zeros(len(members), dtype=bool)
        for key in keys:
            column = key[order]
            different[1:] |= column[1:] != column[:-1]
        varies, codes = self.varying[members].tolist(), self.code[members].tolist()
        starts = [0, *np.flatnonzero(different).tolist(), len(members)]
        for start, stop in pairwise(starts):
            yield varies[start], codes[start], members[start:stop]

    def _levels(self, alive: Any) -> Any:
        """The length of the longest way down to leaves within the space, for each node."""
        graph, varying = self.graph, self.varying
        above, below = [], []
        single = alive[self.code[alive] != SUM]
        for place in range(3):
            held = graph.operands[single, place]
            above.append(single[held >= 0])
            below.append(held[held >= 0])
        for column in (self.sums.left, self.sums.right):
            above.append(self.sums.root[column >= 0])
            below.append(column[column >= 0])
        tails, heads = np.concatenate(above), np.concatenate(below)
        same = varying[tails] == varying[heads]
        tails, heads = tails[same], heads[same]
        order = np.argsort(tails, kind="stable")
        levels = [0] * graph.size
        for tail, head in zip(tails[order].tolist(), heads[order].tolist(), strict=True):
            if levels[head] >= levels[tail]:
                levels[tail] = levels[head] + 1
        return np.array(levels)

    # ---------------------------------------------------------------------------------- operations

    def _emit_single(self, varies: bool, code: int, node: int) -> None:
        """An operation alone: narrow graphs are long, and have millions of these."""
        row, slot, varying = self.graph.table[code], self.slot, self.varying
        read = []
        for operand in self.graph.operands[node].tolist()[: row.arity]:
            place = int(slot[operand])
            read.append(Operand(bool(varying[operand]), slice(place, place + 1)))
        place = self.next_slot[varies]
        slot[node] = place
        self.next_slot[varies] = place + 1
        out = slice(place, place + 1)
        self.instructions.append(Elementwise(varies, out, row, tuple(read)))

    def _emit_operations(self, varies: bool, code: int, members: Any) -> None:
        row = self.graph.table[code]
        operands = self.graph.operands[members][:, : row.arity]
        if len(members) > 1:
            slots = self.slot[operands]
            members = members[np.lexsort(slots.T[::-1])]
            operands = self.graph.operands[members][:, : row.arity]
        read = tuple(
            Operand(bool(self.varying[column[0]]), rows_of(self.slot[column]))
            for column in operands.T
        )
        out = self._number(members, varies=varies)
        self.instructions.append(Elementwise(varies, out, row, read))

    # ---------------------------------------------------------------------------------------- sums

    def _emit_sums(self, varies: bool, members: Any) -> None:
        places = [self.place_of_sum[node] for node in members.tolist()]
        found, rest = find_products(self.sums, self.bounds, places, self.slot, self.varying, varies)
        for block in found:
            nodes = members[block.sums.ravel()]
            out = self._number(nodes, varies=varies)
            self.instructions.append(Product(varies, out, block.matrix, block.inputs, block.bias))
        if rest:
            self._emit_rest(varies, members[rest], [places[i] for i in rest])

    def _emit_rest(self, varies: bool, members: Any, places: list[int]) -> None:
        sums, bounds = self.sums, self.bounds
        terms = np.concatenate([np.arange(bounds[i], bounds[i + 1]) for i in places])
        lengths = np.array([bounds[i + 1] - bounds[i] for i in places])
        left, right = sums.left[terms], sums.right[terms]
        out = self._number(members, varies=varies)
        self.instructions.append(
            WeightedSums(
                varies,
                out,
                np.cumsum(lengths) - lengths,
                sums.sign[terms].astype(float),
                self.slot[left],
                self.varying[left],
                self.slot[right],
                self.varying[right] & (right >= 0),
            )
        )


def _varying(graph: Graph, batched: bool) -> Any:
    """Which nodes depend on an input of a batch."""
    varying = bytearray(graph.size + 1)  # the last one for operands that are NOTHING
    if batched and graph.inputs:
        varying[graph.parameters : graph.leaves] = b"\1" * graph.inputs
        x, y, z = (column.tolist() for column in graph.operands.T)
        for node in range(graph.leaves, graph.size):
            if varying[x[node]] or varying[y[node]] or varying[z[node]]:
                varying[node] = 1
    return np.frombuffer(varying, np.uint8)[:-1].astype(bool)
