"""What the bench ran on, as figures are worth nothing without it."""

import os
import platform
import re
import subprocess
import time
from datetime import date
from pathlib import Path


def facts(folder):
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": disk(folder),
        "load": os.getloadavg()[0],
    }


def processor():
    try:
        return re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        return platform.processor() or "unknown"


def disk(folder):
    """The file system of the ledgers, and what a flush of one block to it takes: that is what a commit costs."""
    kind = ""
    shown = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=False)
    if shown.returncode == 0:
        kind = shown.stdout.split()[-1] + ", "
    return f"{kind}{flush_ms(folder):.2f} ms a flush"


def flush_ms(folder, times=200):
    path = Path(folder) / "flush"
    with open(path, "wb") as file:
        start = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        took = time.perf_counter() - start
    path.unlink()
    return took * 1000 / times


def signatures_a_second():
    """RSA-2048 signatures by `openssl speed`, over all cores; nothing where there is no openssl."""
    argv = ["openssl", "speed", "-mr", "-seconds", "3", "-multi", str(os.cpu_count()), "rsa2048"]
    try:
        shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    lines = [line.split(":") for line in shown.splitlines() if line.startswith("+F2:")]
    if not lines:
        return None
    figure = float(lines[-1][3])
    return figure if figure > 1 else 1 / figure  # older versions give the time of one
