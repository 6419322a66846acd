"""Every error simwasm raises on purpose, split by whose fault it is and what the user can do.

    SimwasmError
    ├── PluginError          the plugin
    │   ├── BadModule        its bytes are not a module: section and offset
    │   ├── LinkError        it does not fit the ABI: imports, exports, signatures, start-up
    │   └── Trap             it stopped while running: kind and frames
    ├── InputError           what the user handed over: arguments, paths
    │   ├── TrafficError     recorded traffic: file and position
    │   ├── ConfigError      configuration
    │   ├── ExpressionError  an expression of the debugger: where in its text
    │   └── StillRunning     what can only be asked of a run that stands still
    ├── TraceError           a trace file or its format
    │   └── Divergence       two runs that had to be equal are not
    ├── EngineUnavailable    a Wasm engine, or Envoy, cannot be loaded here
    └── EnvoyRejected        the real Envoy refused a configuration or a plugin

A message says what is wrong, where, and what to do next. What a guest may get wrong through the ABI is a
status and never an exception here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SimwasmError(Exception):
    """The root: a front door prints its text and nothing else. It can be sent to another process as it is."""

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.__class__, self.args, self.__dict__)


def _again(kind: type[SimwasmError], args: tuple[object, ...], known: dict[str, object]) -> SimwasmError:
    """An error that came from another process: what it was made of first is not asked for again."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(known)
    return error


class PluginError(SimwasmError):
    """The plugin is at fault."""


class BadModule(PluginError):
    """The bytes are not a WebAssembly module that can be loaded."""

    def __init__(self, message: str, *, section: str | None = None, offset: int | None = None) -> None:
        where = f" in the {section} section" if section else ""
        at = f" at offset 0x{offset:x}" if offset is not None else ""
        super().__init__(f"{message}{where}{at}")
        self.section = section
        self.offset = offset


class LinkError(PluginError):
    """The module is valid but does not fit the Proxy-Wasm ABI."""


class TrapKind(str, Enum):
    """Why a guest stopped; the value is the text that every engine's trap is reported with."""

    UNREACHABLE = "unreachable"
    MEMORY_BOUNDS = "out of bounds memory access"
    MEMORY_ALIGNMENT = "misaligned memory access"
    TABLE_BOUNDS = "out of bounds table access"
    UNDEFINED_ELEMENT = "undefined element"
    UNINITIALIZED_ELEMENT = "uninitialized element"
    INDIRECT_TYPE = "indirect call type mismatch"
    INTEGER_OVERFLOW = "integer overflow"
    DIVIDE_BY_ZERO = "integer divide by zero"
    BAD_CONVERSION = "invalid conversion to integer"
    STACK_EXHAUSTED = "call stack exhausted"
    OUT_OF_FUEL = "out of fuel"
    INTERRUPTED = "interrupted"
    RESTRICTED = "restricted_callback"
    OTHER = "trap"


_ADVICE = {
    TrapKind.OUT_OF_FUEL: "one call used up all its instructions. An endless loop? If not, allow more by --fuel",
    TrapKind.STACK_EXHAUSTED: "calls are nested too deeply. A recursion without end?",
}
"""What to do about traps that do not explain themselves."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One guest frame, innermost first: indices and file offsets of the plugin as it was loaded."""

    function: int
    name: str
    offset: int

    def __str__(self) -> str:
        return f"{self.name} (func {self.function}, offset 0x{self.offset:x})"


class Trap(PluginError):
    """The guest stopped running."""

    def __init__(self, kind: TrapKind, frames: tuple[Frame, ...] = (), detail: str = "") -> None:
        said = detail or _ADVICE.get(kind, "")
        super().__init__(f"{kind.value}: {said}" if said else kind.value)
        self.kind = kind
        self.frames = frames
        self.detail = detail

    def during(self, what: str) -> Trap:
        """The same trap, told with what it put an end to."""
        trap = Trap(self.kind, self.frames, self.detail)
        trap.args = (f"{what}: {self}",)
        return trap


class InputError(SimwasmError):
    """What the user handed over cannot be used."""


class TrafficError(InputError):
    """Recorded traffic cannot be read."""


class ConfigError(InputError):
    """A configuration cannot be read."""


class StillRunning(InputError):
    """Something was asked of the debugger that only a run which stands still can answer."""


class ExpressionError(InputError):
    """An expression cannot be read, or has no value here; `position` is where in its text."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(f"{message} (at {position + 1})" if position else message)
        self.position = position


class TraceError(SimwasmError):
    """A trace file cannot be read, or its format is not known; `line` is where in it, 0 for the file as a whole."""

    def __init__(self, message: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class Divergence(TraceError):
    """Two runs that had to be equal are not."""


class EngineUnavailable(SimwasmError):
    """A Wasm engine, or the real Envoy, cannot be loaded here."""


class EnvoyRejected(SimwasmError):
    """The real Envoy refused a configuration or a plugin; `log` is what it wrote, for `simwasm.parity.log`."""

    def __init__(self, message: str, log: bytes = b"") -> None:
        super().__init__(message)
        self.log = log
