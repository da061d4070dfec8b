"""A sandbox with images, each call of which waits; it prints its address and key, and ends with its input."""

import os
import sys

from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.data.captures import current_capture_metadata, find_or_add_capture


def main() -> None:
    files, size, latency = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with Sandbox() as sandbox:
        world = sandbox._world
        assert world is not None
        metadata = current_capture_metadata(world, world.part(sandbox.robot_part_id))
        metadata.component_name = "bench"
        with world.store.transaction():
            capture = find_or_add_capture(world, metadata)
            for number in range(files):
                id = f"{number:064d}"
                world.store.blobs.put(id, os.urandom(size))
                sql = "INSERT INTO files (file_id, capture_id, requested, received, size, body)"
                row = (id, capture, number * 1_000_000, number * 1_000_000, size)
                world.store.run(f"{sql} VALUES (?, ?, ?, ?, ?, x'')", *row)
        sandbox.faults.delay("all", latency)
        print(sandbox.url, sandbox.api_key, sandbox.api_key_id, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
