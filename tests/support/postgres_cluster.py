"""A private PostgreSQL cluster for tests: its own folder and socket, no port; run as user postgres
when the tests run as root.

    with PostgresCluster() as cluster:
        database = cluster.new_database()
        IsocostServer("--store", database.address)
"""

import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 60


class Database:
    def __init__(self, cluster, schema):
        self.folder = cluster.folder
        self.schema = schema
        self.address = (f"postgres:///postgres?host={cluster.folder}&user=postgres"
                        f"&options=-csearch_path%3D{schema}")

    def query(self, text):
        """Rows of text fields; waits while the server is away."""
        end = time.monotonic() + START_SECONDS
        while True:
            done = subprocess.run(
                [PROGRAMS / "psql", "-X", "-A", "-t", "-F", "\t", "-h", self.folder, "-U",
                 "postgres", "-c", text], capture_output=True, text=True,
                env={**os.environ, "PGOPTIONS": f"-csearch_path={self.schema}"})
            if done.returncode == 0:
                return [line.split("\t") for line in done.stdout.splitlines()]
            assert time.monotonic() < end and "connect" in done.stderr, done.stderr
            time.sleep(0.1)

    def number(self, text):
        return int(self.query(text)[0][0])


class PostgresCluster:
    def __init__(self, *settings, parent=None, initdb=()):
        if not (PROGRAMS / "initdb").exists():
            pytest.skip("PostgreSQL 15 is not installed")
        self.settings, self.initdb = settings, initdb
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="isocost-pg-", dir=parent))
        self.user = None
        if os.geteuid() == 0:  # which the server refuses
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = "postgres"
        self.process = None

    def _run(self, *arguments, **more):
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(arguments, user=self.user, group=self.user, cwd=self.folder,
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)

    def start(self):
        """Starts it; after a kill, once the processes of the one before have gone."""
        end = time.monotonic() + START_SECONDS
        while True:
            assert time.monotonic() < end, self.log()
            if self.process is None or self.process.poll() is not None:
                self.process = self._run(
                    PROGRAMS / "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", "",
                    *(word for setting in self.settings for word in ("-c", setting)))
            if subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", self.folder]).returncode == 0:
                return
            time.sleep(0.05)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def kill(self):
        """SIGKILL to the postmaster, whose children end soon after it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def new_database(self):
        """An empty schema, which is what a database would be, but quicker."""
        name = f"t{secrets.token_hex(8)}"
        database = Database(self, name)
        database.query(f"CREATE SCHEMA {name}")
        return database

    def __enter__(self):
        made = self._run(PROGRAMS / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A",
                         "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                         *self.initdb)
        assert made.wait() == 0, self.log()
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # ends connections, writes all down
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
