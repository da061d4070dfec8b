"""Write docs/sandbox_rpcs.md: for each RPC of the schema, whether the sandbox has it; --check only compares."""

import pkgutil
import sys
from pathlib import Path
from typing import Any, Iterator, List, Sequence

from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from viam_sync.messages.pool import pool  # noqa: E402
from viam_sync.sandbox.servicers import SERVICERS  # noqa: E402
from viam_sync.sandbox.wire.authentication import Authentication  # noqa: E402
from viam_sync.sandbox.wire.dispatch import AUTH_SERVICE  # noqa: E402

PAGE = Path(__file__).with_name("sandbox_rpcs.md")

HEAD = """\
# The RPCs of the sandbox

Those marked *yes* do what the cloud does; all others answer UNIMPLEMENTED, by name. Made from the code by
`python docs/rpc_table.py`; a test compares.
"""


def text() -> str:
    """Return the page."""
    lines: List[str] = [HEAD]
    for service in services():
        has = [rpc.name for rpc in service.methods if implemented(service.full_name, rpc.name)]
        lines.append(f"## {service.full_name}: {len(has)} of {len(service.methods)}\n")
        lines.append("| RPC | in the sandbox |\n|---|---|")
        lines += [f"| {rpc.name} | {'yes' if rpc.name in has else ''} |" for rpc in service.methods]
        lines.append("")
    return "\n".join(lines)


def services() -> Iterator[Any]:
    """Yield the services of the schema, those that the sandbox has first."""
    compiled = FileDescriptorSet.FromString(pkgutil.get_data("viam_sync.proto", "schema.bin") or b"")
    names = [f"{file.package}.{service.name}" for file in compiled.file for service in file.service]
    for name in sorted(names, key=lambda name: (name not in SERVICERS, name)):
        yield pool().FindServiceByName(name)


def implemented(service: str, rpc: str) -> bool:
    """Tell whether a class of the sandbox answers an RPC."""
    classes = (Authentication,) if service == AUTH_SERVICE else SERVICERS.get(service, ())
    return any(hasattr(each, rpc) for each in classes)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with --check say whether it is what it should be."""
    if list(arguments) != ["--check"]:
        PAGE.write_text(text(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text():
        return 0
    print(f"{PAGE.name} is not what the sandbox has; run: python docs/rpc_table.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
