"""Run tests with pytest, and what fails once more, in one process: twice.py ARGUMENTS OF PYTEST.

Among some ten thousand faults, grpc itself may abort the process, which then looks like the failure of a test.
"""

import subprocess
import sys

command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
status = subprocess.call([*command, "-n", "auto"])
if status == 1:  # tests have failed
    status = subprocess.call([*command, "--last-failed", "--last-failed-no-failures=none"])
sys.exit(status)
