"""Runs isocostd for a test.

    with IsocostServer() as server:
        stub = plan_service_pb2_grpc.PlanServiceStub(server.channel())

The server gets a temporary folder of its own, a unix socket and a loopback port; it is stopped by
its pid. `server.log()` gives what it wrote to stderr. `data` keeps a data folder over restarts.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import grpc

BUILD = pathlib.Path(os.environ.get("ISO_BUILD", "build")).resolve()
START_SECONDS = 30
STOP_SECONDS = 60


def program(name="isocostd"):
    return BUILD / "bin" / name


class IsocostServer:
    def __init__(self, *arguments, data=None, listen=("unix", "tcp"), environment=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="isocost-"))
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.socket = self.folder / "s.sock"
        self.arguments = list(arguments)
        self.listen = listen
        self.environment = environment
        self.process = None
        self.address = None  # host:port
        self._channels = []

    def start(self):
        self._close_channels()  # those of a server before share connections with new ones
        command = [str(program()), "--data-dir", str(self.data)]
        if "unix" in self.listen:
            command += ["--listen", f"unix:{self.socket}"]
        if "tcp" in self.listen:
            command += ["--listen", "127.0.0.1:0"]
        environment = {**os.environ, **(self.environment or {})}
        with open(self.folder / "stderr", "ab") as err:
            self.process = subprocess.Popen(
                command + self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=err, env=environment)
        self._wait_ready()
        return self

    def _wait_ready(self):
        descriptor = self.process.stdout.fileno()
        os.set_blocking(descriptor, False)
        end = time.monotonic() + START_SECONDS
        said = ""
        while "\n" not in said:
            try:
                said += os.read(descriptor, 4096).decode()
            except BlockingIOError:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"isocostd ended with {self.process.returncode}: {self.log()}")
            if time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"isocostd was not ready in {START_SECONDS} s: {self.log()}")
            time.sleep(0.01)
        words = said.split()
        assert words[:2] == ["isocostd", "ready"], said
        for word in words[2:]:
            key, value = word.split("=", 1)
            if key == "listen":
                self.address = value

    @property
    def target(self):
        """What clients connect to."""
        return f"unix:{self.socket}" if "unix" in self.listen else self.address

    def channel(self, target=None, options=()):
        channel = grpc.insecure_channel(
            target or self.target, options=[("grpc.enable_http_proxy", 0), *options])
        self._channels.append(channel)
        return channel

    def _close_channels(self):
        while self._channels:
            self._channels.pop().close()

    def log(self):
        path = self.folder / "stderr"
        return path.read_text(errors="replace") if path.exists() else ""

    def _end_of_log(self, lines=60):
        return "\n".join(self.log().splitlines()[-lines:])

    def wait_for_log(self, text, seconds=20):
        """Waits until the log has a line with `text` and gives it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.log().splitlines():
                if text in line:
                    return line
            time.sleep(0.02)
        raise AssertionError(f"the log never said {text!r}:\n{self.log()}")

    def stop(self):
        """SIGTERM; gives the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """SIGKILL."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        return self.wait()

    def wait(self, seconds=STOP_SECONDS):
        process, self.process = self.process, None
        if process is None:
            return None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"isocostd did not end in {seconds} s:\n{self._end_of_log()}")
        finally:
            process.stdout.close()
        return code

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __exit__(self, *_):
        self._close_channels()
        try:
            code = self.stop()
            assert code in (None, 0), f"isocostd ended with {code}:\n{self._end_of_log()}"
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class IsocostWorker:
    """Runs isocost-worker on a store; give it the folder of its cache."""

    def __init__(self, address, folder, *arguments):
        self.command = [str(program("isocost-worker")), "--queue", address, "--cache-dir",
                        str(folder), *arguments]
        self.log_path = pathlib.Path(folder) / "stderr"
        self.process = None

    def start(self):
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as err:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=err)
        said = self.process.stdout.readline().decode()
        assert said == "isocost-worker ready\n", self.log()
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")[-8000:]

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        return self._wait(STOP_SECONDS)

    def stop(self):
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._wait(STOP_SECONDS)

    def _wait(self, seconds):
        try:
            return self.process.wait(seconds)
        finally:
            self.process.stdout.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            assert self.stop() == 0, self.log()
