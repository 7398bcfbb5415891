"""The clock of a process whose PYTHONPATH has this folder is so many seconds ahead as the variable AHEAD says."""

import os
import time

_time, _seconds = time.time, float(os.environ["AHEAD"])
time.time = lambda: _time() + _seconds
