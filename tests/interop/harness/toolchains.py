"""Fetches the clients' packages into a cache and builds the programs that use them, each once.

Every step leaves a stamp that holds a digest of what it was made from, so a warm run does nothing. Packages come through the
ordinary package managers with their ordinary settings; nothing here names where they come from.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent.parent


class Missing(Exception):
    """A tool that this machine does not have; its cases are skipped, or fail with REQUIRE_INTEROP=1."""


class BuildError(Exception):
    pass


def _digest(paths, *words):
    digest = hashlib.sha256(repr(words).encode())
    for path in sorted(paths):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class Toolchains:
    def __init__(self, cache):
        self.cache = pathlib.Path(cache).resolve()
        self.cache.mkdir(parents=True, exist_ok=True)
        self._locks, self._failures = {}, {}
        self._lock = threading.Lock()

    def prefetch(self, *makers):
        """Starts making things in the background: a download and a build go well together. Failures show where the thing is used."""

        def quietly(maker, arguments):
            try:
                getattr(self, maker)(*arguments)
            except (Missing, BuildError):
                pass

        for maker, *arguments in makers:
            threading.Thread(target=quietly, args=(maker, arguments), daemon=True).start()

    def java_lib(self, version):
        """The folder of jars of this client version."""
        return self._jars(f"java-{version}", version, [])

    def apache_server_lib(self):
        """The folder of jars of Apache's own name server and broker."""
        return self._jars("apache-5.3.3", "5.3.3", ["-Pserver"])

    def _jars(self, name, version, profile):
        self._need("java", "a JDK")
        lib = self.cache / name
        pom = HERE / "java" / "pom.xml"

        def fetch():
            shutil.rmtree(lib, ignore_errors=True)
            self._run("mvn", ["mvn", "-q", "-B", "-f", str(pom), f"-Dmaven.repo.local={self.cache / 'm2'}", f"-Drocketmq.version={version}", *profile,
                              "dependency:copy-dependencies", f"-DoutputDirectory={lib}"], seconds=400)

        # One Maven at a time: both versions share its local repository.
        with self._named_lock("maven"):
            self._once(name, _digest([pom], version, profile), lib, fetch, tool="mvn")
        return lib

    def java_classes(self, version):
        """The class path that runs the cases with this client version."""
        lib = self.java_lib(version)
        self._need("javac", "a JDK")
        sources = sorted((HERE / "java" / "src" / "main").rglob("*.java"))
        if version.startswith("5"):
            sources += sorted((HERE / "java" / "src" / "v5").rglob("*.java"))
        out = self.cache / f"classes-{version}"

        def build():
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            self._run("javac", ["javac", "-nowarn", "-encoding", "UTF-8", "-d", str(out), "-cp", f"{lib}/*", *map(str, sources)], seconds=120)

        self._once(f"classes-{version}", _digest(sources, version), out, build, tool="javac")
        return f"{out}{os.pathsep}{lib}/*"

    def go_program(self):
        source = HERE / "go"
        files = [p for p in source.iterdir() if p.suffix in (".go", ".mod", ".sum")]
        out = self.cache / "go-cases"

        def build():
            env = dict(os.environ, GOMODCACHE=str(self.cache / "gomod"), GOCACHE=str(self.cache / "gobuild"), GOFLAGS="-mod=mod -modcacherw", CGO_ENABLED="0")
            work = self.cache / "go-src"
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(source, work)
            self._run("go", ["go", "build", "-p", "2", "-o", str(out), "."], cwd=work, env=env, seconds=400)

        self._once("go", _digest(files), out, build, tool="go")
        return [str(out)]

    def node_program(self):
        self._need("node", "Node.js")
        source = HERE / "node"
        files = [p for p in source.iterdir() if p.is_file()]
        out = self.cache / "node"

        def build():
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(source, out, ignore=shutil.ignore_patterns("node_modules"))
            self._run("npm", ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", f"--cache={self.cache / 'npm'}"], cwd=out, seconds=300)

        self._once("node", _digest(files), out, build, tool="npm")
        return ["node", str(out / "cases.js")]

    def python_program(self):
        source = HERE / "python"
        files = [p for p in source.iterdir() if p.is_file()]
        out = self.cache / "venv"

        def build():
            shutil.rmtree(out, ignore_errors=True)
            self._run("python3 -m venv", [sys.executable, "-m", "venv", str(out)], seconds=120, missing_on_failure=True)
            self._run("pip", [str(out / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", f"--cache-dir={self.cache / 'pip'}", "-r", str(source / "requirements.txt")], seconds=300)

        self._once("python", _digest([p for p in files if p.suffix == ".txt"], sys.version), out, build, tool=None)
        return [str(out / "bin" / "python"), str(source / "cases.py")]

    def _once(self, name, digest, out, make, tool):
        with self._named_lock(name):
            stamp = self.cache / f"{name}.stamp"
            if out.exists() and stamp.exists() and stamp.read_text() == digest:
                return
            if name in self._failures:
                raise self._failures[name]
            try:
                if tool:
                    self._need(tool, tool)
                make()
            except (Missing, BuildError) as failure:
                self._failures[name] = failure
                raise
            stamp.write_text(digest)

    def _named_lock(self, name):
        with self._lock:
            return self._locks.setdefault(name, threading.RLock())

    @staticmethod
    def _need(tool, what):
        if shutil.which(tool) is None:
            raise Missing(f"{what} is not installed")

    @staticmethod
    def _run(what, argv, cwd=None, env=None, seconds=300, missing_on_failure=False):
        try:
            done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired as late:
            raise BuildError(f"{what} took longer than {seconds} s") from late
        except FileNotFoundError as none:
            raise Missing(f"{what} is not installed") from none
        if done.returncode != 0:
            text = " ".join((done.stdout + done.stderr).split())[-800:]
            raise (Missing if missing_on_failure else BuildError)(f"{what} failed: {text}")
