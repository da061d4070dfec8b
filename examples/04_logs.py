"""Lesson 4: logs, and their tail.

A machine writes down what it does: its log. An entry has a time, a message and a level: debug, info, warn or error.
The log belongs to a part. `iter_robot_part_logs` reads what was logged, the newest entry first, and fetches more as
the loop goes on. `tail_robot_part_logs` waits for what will be logged.

Machines log when they like. So this lesson shows the tail in a sandbox, where we can write to the log ourselves.
"""

from viam_sync import ViamClient
from viam_sync.lessons import exercise, lesson_client
from viam_sync.sandbox import Sandbox

with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
    part_id = sandbox.robot_part_id
    # The block ends the tail; else it would wait for ever.
    with client.app_client.tail_robot_part_logs(part_id, errors_only=False) as tail:
        sandbox.wait_for_tail(part_id)
        sandbox.log(part_id, "Somebody has rung the bell")
        for entries in tail:
            print(entries[0].level, entries[0].message)
            break

with lesson_client() as client:
    app = client.app_client
    machines = app.list_robots_for_org(app.list_organizations()[0].id)
    for machine in machines:
        print(f"{machine.name}:")
        for part in app.get_robot_parts(machine.id):
            for entry in app.iter_robot_part_logs(part.id, log_levels=["warn", "error"], limit=3):
                print(f"  {entry.time:%d %b %H:%M} {entry.level:5} {entry.message}")

    # Exercise: print for each machine how often it has logged something of the level "error", in lines such as
    # "rover: 5". Add up all of its parts. Then: python 04_logs.py --check
    with exercise(4, client):
        pass  # your lines go here
