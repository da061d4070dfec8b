"""The log of a machine: its last lines, and new ones as server-sent events, which browsers read by ``EventSource``."""

import json
import queue
import threading
from typing import Any, Dict, Generator, List

from viam_sync import ViamError
from viam_sync.django import client


def last_lines(part_id: str) -> List[Dict[str, str]]:
    """Return the last twenty lines, the newest first."""
    return [line_of(entry) for entry in client.app_client.get_robot_part_logs(part_id, num_log_entries=20)]


def line_of(entry: Any) -> Dict[str, str]:
    time = f"{entry.time:%Y-%m-%d %H:%M:%S}" if entry.time else "at some time"
    text = f"{time} {entry.level} {entry.logger_name}: {entry.message}"
    return {"level": entry.level, "text": text}


def log_events(part_id: str, quiet: float = 10) -> Generator[str, None, None]:
    """Yield an event for each line from now on.

    A server learns that the browser has gone when it sends something. So a comment is sent after some quiet seconds;
    once that fails, the server closes this generator, which closes the tail, and that ends the thread.
    """
    events: "queue.Queue[str]" = queue.Queue()
    with client.app_client.tail_robot_part_logs(part_id, errors_only=False) as tail:
        threading.Thread(target=read_tail, args=(tail, events), daemon=True).start()
        yield ": here it begins\n\n"
        while True:
            try:
                yield events.get(timeout=quiet)
            except queue.Empty:
                yield ": nothing new\n\n"


def read_tail(tail: Any, events: "queue.Queue[str]") -> None:
    """Wait for entries, in a thread of its own, until the tail is closed."""
    try:
        for entries in tail:
            for entry in entries:
                events.put(f"data: {json.dumps(line_of(entry))}\n\n")
    except ViamError as error:
        events.put(f"event: failure\ndata: {json.dumps(str(error))}\n\n")
