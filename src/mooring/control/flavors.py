"""The sizes that an instance can have, by the names that services ask for in `specification`."""

from __future__ import annotations

from dataclasses import dataclass

from mooring.contract.fact import GB

# Any service may bring a size of its own under this name, in `custom_spec`.
CUSTOM = "custom"


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """One size: processors (1.0 is a whole one) and bytes of memory; `category` is CPU, GPU or NPU."""

    name: str
    cpu_cores: float
    memory_bytes: int
    category: str = "CPU"
    display: str = ""


def _cpu(name: str, cores: float, memory_gb: float) -> Flavor:
    display = f"CPU: {cores:g} vCPUs {memory_gb:g} GB"
    return Flavor(name=name, cpu_cores=cores, memory_bytes=round(memory_gb * GB), display=display)


# modelarts.vm.cpu.2u is the one that clients of the v1 API ask for (ShowServiceSpecifications); the rest are our own.
DEFAULT = (
    _cpu("modelarts.vm.cpu.2u", 2, 8),
    _cpu("local.cpu.half", 0.5, 1),
    _cpu("local.cpu.1", 1, 2),
    _cpu("local.cpu.2", 2, 4),
    _cpu("local.cpu.4", 4, 8),
    _cpu("local.cpu.8", 8, 16),
)
