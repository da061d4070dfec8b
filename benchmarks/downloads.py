"""How fast large files come by link, with TLS: eight of 128 MiB at a time, ours and curl's, from one server.

The server is a process of its own, in Python, whose encryption takes more than half of a processor's time; curl is one
process with eight transfers at a time, ours one with eight workers. Both write to a disk in memory where there is one.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import trustme
from figures import Figure, in_turns, memory, milliseconds, ratio, server

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel, parse_address

ROUNDS, FILES, SIZE = 5, 8, 128 << 20
DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None


def curl(link: str, authority: str) -> None:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        transfers = [part for number in range(FILES) for part in ("-o", f"{folder}/{number}", f"{link}/{number}")]
        command = ["curl", "-s", "--cacert", authority, "--parallel", "--parallel-max", str(FILES), "--http1.1"]
        # The bar of parallel transfers is there whatever -s says.
        subprocess.run([*command, "--parallel-immediate", *transfers], check=True, stderr=subprocess.DEVNULL)
        assert {path.stat().st_size for path in Path(folder).iterdir()} == {SIZE}


def ours(data: DataClient, durable: bool) -> None:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        result = data.export_binary_data(None, folder, workers=FILES, durable=durable)
        assert (result.complete, {file.size for file in result.exported}) == (True, {SIZE})


def figures() -> Iterator[Figure]:
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        trusted, certificate = f"{folder}/ca.pem", f"{folder}/server.pem"
        authority.cert_pem.write_to_path(trusted)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        with server("images_server.py", FILES, SIZE, certificate) as told:
            port, link = told.split()
            address = parse_address(f"http://127.0.0.1:{port}")._replace(authorities=authority.cert_pem.bytes())
            with Channel(address, max_reconnect_attempts=3) as channel:
                data = DataClient(channel, {})
                Path("/proc/self/clear_refs").write_text("5")  # forget the peak
                before = memory()
                acts = {"curl": lambda: curl(link, trusted), "ours": lambda: ours(data, True)}
                acts["not durable"] = lambda: ours(data, False)
                taken = in_turns(acts, ROUNDS)
                grown = (memory("VmHWM") - before) >> 20
    for name, words in (("ours", ""), ("not durable", ", durable=False")):
        yield Figure(
            work=f"{FILES} files of {SIZE >> 20} MiB by link, TLS, {FILES} connections{words}",
            ours=f"{milliseconds(taken[name])}, at most {grown} MiB of memory more",
            peers={"curl --parallel": milliseconds(taken["curl"])},
            ratio=ratio(taken, "curl", name),
            of="of curl's speed",
            goal="≥ 0.8",
            bounded_by="TLS on both sides, which share the processors",
        )
