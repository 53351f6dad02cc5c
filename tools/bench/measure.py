"""What the programs here share that time others' processes."""
import math
import time


def cpu_seconds(pid):
    """Of all its threads, now: the kernel's clock of another process (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def geometric(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None
