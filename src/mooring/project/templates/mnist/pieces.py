"""Which pixels of a mask hang together: its pieces, found run by run, without a vision library."""

import numpy as np


class Pieces:
    """The connected pieces (corners count) of a boolean mask [height, width].

    `areas` [n] is in pixels; `boxes` [n, 4] is top, bottom, left, right, the ends not included.
    """

    def __init__(self, mask):
        steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        self._rows, self._starts = (steps > 0).nonzero()
        self._ends = (steps < 0).nonzero()[1]
        _, self._piece_of = np.unique(self._joined(len(mask)), return_inverse=True)
        self.areas = np.bincount(self._piece_of, weights=self._ends - self._starts)
        self.boxes = np.zeros((len(self.areas), 4), dtype=np.int64)
        self.boxes[:, ::2] = mask.shape  # minima start at the far end, maxima at 0
        np.minimum.at(self.boxes[:, 0], self._piece_of, self._rows)
        np.maximum.at(self.boxes[:, 1], self._piece_of, self._rows + 1)
        np.minimum.at(self.boxes[:, 2], self._piece_of, self._starts)
        np.maximum.at(self.boxes[:, 3], self._piece_of, self._ends)
        self._shape = mask.shape

    def _joined(self, height):
        """Return for each run the first run it hangs together with, by way of others."""
        first = list(range(len(self._rows)))

        def find(run):
            while first[run] != run:
                first[run] = first[first[run]]
                run = first[run]
            return run

        starts, ends = self._starts.tolist(), self._ends.tolist()
        of_row = np.searchsorted(self._rows, np.arange(height + 1)).tolist()
        for row in range(1, height):
            above, below = of_row[row - 1], of_row[row]
            while above < of_row[row] and below < of_row[row + 1]:
                if starts[above] <= ends[below] and starts[below] <= ends[above]:
                    one, other = find(above), find(below)
                    first[max(one, other)] = min(one, other)
                if ends[above] < ends[below]:
                    above += 1
                else:
                    below += 1
        return [find(run) for run in range(len(first))]

    def mask(self, wanted):
        """Return the mask of the pieces whose entry in `wanted` [n] is true, as uint8 0 or 255."""
        mask = np.zeros(self._shape, dtype=np.uint8)
        for run in wanted[self._piece_of].nonzero()[0].tolist():
            mask[self._rows[run], self._starts[run] : self._ends[run]] = 255
        return mask
