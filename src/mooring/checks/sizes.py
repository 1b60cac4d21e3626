"""How a number of bytes is written for people."""

from __future__ import annotations

from mooring.contract.fact import UNITS_OF_SIZE

_SMALL = 100


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a whole one, powers of 1024 as in the editions: 312 MB, 1.4 GB."""
    name, unit = next((name, unit) for name, unit in reversed(UNITS_OF_SIZE.items()) if count >= unit or unit == 1)
    amount = count / unit
    # One decimal where it tells something; 1023.6 MB stays in its unit.
    return f"{amount:.1f} {name}" if unit > 1 and amount < _SMALL else f"{amount:.0f} {name}"
