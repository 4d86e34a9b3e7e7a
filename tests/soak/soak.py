"""An hour of the axum application on PostgreSQL and on Redis, by hand.

Each engine has two nodes of the application, whose clocks differ and step, and clients that
sign in, browse, look, and sign out. Nodes are killed and started again, and so is the engine,
or it hangs. What a client knows decides whether an answer is right:

    python3 tests/soak/soak.py [seconds] [clients]

Needs target/release/session-policy-axum-app, the engines' programs, and libfaketime. It ends
non-zero if an answer was wrong, memory grew, or a connection was left over.
"""

import glob
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlencode

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3600
CLIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 16
APP = os.path.abspath("target/release/session-policy-axum-app")
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
USERS = {"ada": "engine-notes-of-1843", "grace": "nanoseconds-by-the-foot"}
MAX_AGE, UPDATE_AGE, CAP = 30, 5, 120
POLICY = f'max_age = "{MAX_AGE}s"\nupdate_age = "{UPDATE_AGE}s"\nabsolute_cap = "{CAP}s"\n'
# A node answers late, a step takes effect in between, and deadlines are whole seconds.
SLACK = 3
# Clocks are at most so many seconds from the right time.
OFF = 20
over = threading.Event()


def free_port():
    """Below those that the system gives to outgoing connections, which would take it while an
    engine is down."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as it:
            if it.connect_ex(("127.0.0.1", port)) != 0:
                return port


def wait_for(port):
    for _ in range(300):
        with socket.socket() as it:
            if it.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


class Postgres:
    name = "PostgreSQL"
    pools = 2 * 16

    def __init__(self, home):
        self.home, self.port = f"{home}/pg", free_port()
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        os.mkdir(self.home)
        shutil.chown(self.home, "postgres", "postgres")
        init = ["-A", "trust", "-E", "UTF8", "--locale=C", "-U", "root", "-D", self.home]
        subprocess.run(self.user + [f"{self.bin}/initdb"] + init, check=True, cwd="/",
                       stdout=subprocess.DEVNULL)
        self.url = f"postgres://root@127.0.0.1:{self.port}/postgres"

    def start(self):
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self.server = subprocess.Popen(
            self.user + [f"{self.bin}/postgres", "-D", self.home, "-p", str(self.port)] + options,
            stderr=subprocess.DEVNULL, cwd="/")
        wait_for(self.port)

    def kill(self):
        self.server.send_signal(signal.SIGQUIT)  # A crash: it recovers from its log.
        self.server.wait()

    def connections(self):
        query = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null"
        psql = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "root", "-Atc", query, "postgres"]
        return int(subprocess.run(psql, capture_output=True, text=True, check=True).stdout)

    def rows(self):
        psql = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "root", "-Atc",
                "select count(*) from sessions", "postgres"]
        return int(subprocess.run(psql, capture_output=True, text=True, check=True).stdout)


class Redis:
    name = "Redis"
    pools = 2 * 2

    def __init__(self, home):
        self.home, self.port = f"{home}/redis", free_port()
        os.mkdir(self.home)
        self.url = f"redis://127.0.0.1:{self.port}/"

    def start(self):
        options = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self.server = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--dir", self.home] + options,
            stdout=subprocess.DEVNULL)
        wait_for(self.port)

    def kill(self):
        self.server.kill()
        self.server.wait()

    def cli(self, *command):
        cli = ["redis-cli", "-p", str(self.port), *command]
        return subprocess.run(cli, capture_output=True, text=True, check=True).stdout

    def connections(self):
        return len(self.cli("client", "list").splitlines()) - 1

    def rows(self):
        return int(self.cli("dbsize"))


class Node:
    def __init__(self, home, name, engine):
        self.home, self.engine, self.port, self.ahead = f"{home}/{name}", engine, free_port(), 0
        self.stepped_at, self.memory = 0.0, []
        os.mkdir(self.home)
        with open(f"{self.home}/policies.toml", "w") as policies:
            for table in ["default", "profiles.remember-me", "profiles.admin"]:
                policies.write(f"[{table}]\n{POLICY}")
        self.step(0)

    def step(self, ahead):
        with open(f"{self.home}/clock.new", "w") as clock:
            clock.write(f"{ahead:+d}s\n")
        os.replace(f"{self.home}/clock.new", f"{self.home}/clock")
        self.ahead, self.stepped_at = ahead, time.time()

    def start(self):
        env = dict(os.environ, LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=f"{self.home}/clock",
                   FAKETIME_CACHE_DURATION="1", FAKETIME_DONT_FAKE_MONOTONIC="1", RUST_LOG="error",
                   # Else glibc keeps blocks of 19 MiB, in which passwords are hashed.
                   MALLOC_MMAP_THRESHOLD_="1000000")
        args = ["--plain-http", "--listen", f"127.0.0.1:{self.port}", "--store", self.engine.url]
        self.server = subprocess.Popen(
            [APP, *args, "--policies", "policies.toml"], cwd=self.home, env=env,
            stdout=open(f"{self.home}/log", "a"), stderr=subprocess.STDOUT)
        wait_for(self.port)

    def note_memory(self):
        with open(f"/proc/{self.server.pid}/status") as status:
            resident = next(line for line in status if line.startswith("VmRSS"))
        self.memory.append(int(resident.split()[1]))

    def now(self):
        return time.time() + self.ahead

    def steps_since(self, began_at):
        """Whether its clock may have stepped since then; a step takes effect within SLACK."""
        return self.stepped_at + SLACK >= began_at


class Client(threading.Thread):
    """Who knows what its session may be, and must not be."""

    def __init__(self, site, seed):
        super().__init__(daemon=True)
        self.site, self.random, self.cookie, self.dead = site, random.Random(seed), None, []
        self.acted_at = time.time()
        self.user, self.may_be_out = self.random.choice(sorted(USERS)), False

    def run(self):
        while not over.is_set():
            self.act()
            self.acted_at = time.time()
            time.sleep(self.random.uniform(0.05, 0.4))

    def ask(self, node, method, path, cookie, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
        headers = {"Accept": "application/json"} | ({"Cookie": f"session={cookie}"} if cookie else {})
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, form and urlencode(form), headers)
            answer = connection.getresponse()
            answer.read()
            sets = answer.getheader("Set-Cookie")
            return answer.status, sets and sets.split(";")[0].removeprefix("session=")
        except (OSError, http.client.HTTPException):
            return None, None  # Whether it was carried out is not known.
        finally:
            connection.close()

    def act(self):
        node = self.random.choice(self.site.nodes)
        if self.cookie is None:
            return self.sign_in(node)
        draw = self.random.random()
        if draw < 0.03:
            return self.sign_out(node)
        if draw < 0.10 and self.dead:
            return self.try_dead(node)
        # Some rest until their session ends of idleness.
        if draw < 0.11:
            over.wait(self.random.uniform(0, MAX_AGE + 10))
        counts = self.random.random() < 0.8
        began_at, sent_at = time.time(), node.now()
        # A refused POST is a 401 as JSON; so is a refused look.
        method = "POST" if counts else "GET"
        status, _ = self.ask(node, method, "/session", self.cookie)
        now, settled = node.now(), not node.steps_since(began_at)
        # What the node may have believed, where its clock stepped meanwhile.
        off = 0 if settled else 2 * OFF
        self.site.count(status)
        if status == 200:
            if settled and sent_at >= min(self.cap_by, self.idle_by) + SLACK:
                self.site.wrong(f"served {sent_at - min(self.cap_by, self.idle_by):.0f} s too long")
            if counts:
                self.idle_from = max(self.idle_from, sent_at - off + MAX_AGE - UPDATE_AGE)
        elif status == 401:
            is_early = now < min(self.cap_from, self.idle_from) - SLACK
            if settled and is_early and not self.may_be_out:
                self.site.wrong(f"refused {min(self.cap_from, self.idle_from) - now:.0f} s too soon")
            self.leave(min(self.cap_by, self.idle_by))
        elif status not in (None, 503):
            self.site.wrong(f"status {status}")
        if counts and status != 401:
            # It may have been renewed, although the answer was lost.
            self.idle_by = max(self.idle_by, now + off + MAX_AGE)

    def sign_in(self, node):
        form = {"name": self.user, "password": USERS[self.user], "next": "/"}
        began_at, sent_at = time.time(), node.now()
        status, cookie = self.ask(node, "POST", "/sign-in", None, form)
        self.site.count(status)
        if status == 303 and cookie:
            self.cookie, self.may_be_out = cookie, False
            off = 2 * OFF if node.steps_since(began_at) else 0
            first, last = sent_at - off, node.now() + off
            self.cap_from, self.cap_by = first + CAP, last + CAP
            self.idle_from, self.idle_by = first + MAX_AGE - UPDATE_AGE, last + MAX_AGE
        elif status not in (None, 503):
            self.site.wrong(f"status {status} of a sign-in")

    def sign_out(self, node):
        status, cleared = self.ask(node, "POST", "/sign-out", self.cookie, {})
        self.site.count(status)
        if status == 303 and cleared == "":
            self.site.ended += 1
            self.leave(0)
        elif status == 401:
            self.leave(min(self.cap_by, self.idle_by))
        elif status in (None, 503):
            self.may_be_out = True  # It may have been carried out.
        else:
            self.site.wrong(f"status {status} of a sign-out")

    def try_dead(self, node):
        cookie, ended_by = self.random.choice(self.dead)
        began_at, sent_at = time.time(), node.now()
        status, _ = self.ask(node, "GET", "/session", cookie)
        self.site.count(status)
        # Whose clock is behind may still serve what another node's clock has ended.
        is_over = ended_by == 0 or not node.steps_since(began_at) and sent_at >= ended_by + SLACK
        if is_over and status not in (401, 503, None):
            self.site.wrong(f"a session that has ended is answered {status}")

    def leave(self, ended_by):
        self.dead = (self.dead + [(self.cookie, ended_by)])[-20:]
        self.cookie = None


class Site:
    def __init__(self, home, engine, seed):
        self.engine, self.random, self.lock = engine, random.Random(seed), threading.Lock()
        self.statuses, self.violations, self.ended = {}, [], 0
        self.done = {"node killed": 0, "node stopped": 0, "engine killed": 0, "engine hung": 0, "clock stepped": 0}
        self.most_connections = 0
        engine.start()
        self.nodes = [Node(home, f"{engine.name}-{name}", engine) for name in ("lasting", "killed")]
        for node in self.nodes:
            node.start()
        self.clients = [Client(self, seed * 1000 + n) for n in range(CLIENTS)]

    def count(self, status):
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def wrong(self, what):
        with self.lock:
            self.violations.append((time.time(), what))
            print(f"{self.engine.name}: WRONG: {what}", flush=True)

    def trouble(self):
        """One in a while; the first node lasts, so that its memory tells."""
        what = self.random.choice(sorted(self.done))
        self.done[what] += 1
        if what.startswith("node"):
            node = self.nodes[1]
            node.server.send_signal(signal.SIGKILL if what == "node killed" else signal.SIGTERM)
            node.server.wait()
            node.start()
        elif what == "engine killed":
            self.engine.kill()
            time.sleep(self.random.uniform(0, 4))
            self.engine.start()
        elif what == "engine hung":
            self.engine.server.send_signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(1, 8))
            self.engine.server.send_signal(signal.SIGCONT)
        else:
            self.random.choice(self.nodes).step(self.random.randint(-OFF, OFF))

    def report(self):
        memory = self.nodes[0].memory
        # After the first quarter, in which it fills its pools.
        quarter = max(len(memory) // 4, 1)
        before = memory[quarter:2 * quarter] or memory[-quarter:]
        grown = sum(memory[-quarter:]) / quarter - sum(before) / len(before)
        connections, rows = self.engine.connections(), self.engine.rows()
        stuck = sum(time.time() - client.acted_at > 120 for client in self.clients)
        served = self.statuses.get(200, 0) / sum(self.statuses.values())
        print(json.dumps({
            "engine": self.engine.name, "requests": sum(self.statuses.values()),
            "answers": {str(status): n for status, n in sorted(self.statuses.items(), key=str)},
            "signed out": self.ended, "troubles": self.done, "wrong": len(self.violations),
            "resident kB of the node that lasts": memory,
            "more in the last quarter than in the second": round(grown),
            "connections at most, in the end, and of the pools":
                [self.most_connections, connections, self.engine.pools],
            "rows or keys left": rows, "clients that stopped": stuck,
        }, indent=1), flush=True)
        # Troubles are short: most requests are served, and everybody goes on.
        is_well = served > 0.7 and self.ended > 0 and not stuck
        return is_well and not self.violations and grown < 8_192 and connections <= self.engine.pools


def main():
    home = tempfile.mkdtemp()
    os.chmod(home, 0o755)
    sites = []
    try:
        for seed, engine in enumerate([Postgres(home), Redis(home)]):
            sites.append(Site(home, engine, seed))
        clients = [client for site in sites for client in site.clients]
        for client in clients:
            client.start()
        ends_at, next_trouble, minute = time.time() + SECONDS, time.time() + 20, 0.0
        while time.time() < ends_at:
            time.sleep(1)
            if time.time() >= next_trouble:
                for site in sites:
                    site.trouble()
                next_trouble = time.time() + 20
            elif time.time() >= minute:
                for site in sites:
                    site.nodes[0].note_memory()
                    try:
                        connections = site.engine.connections()
                    except subprocess.CalledProcessError:
                        continue  # It recovers from a crash.
                    site.most_connections = max(site.most_connections, connections)
                minute = time.time() + 60
        over.set()
        for client in clients:
            client.join(90)
        return 0 if all([site.report() for site in sites]) else 1
    finally:
        for site in sites:
            for server in [node.server for node in site.nodes] + [site.engine.server]:
                server.kill()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
