"""What both control planes stand on: MariaDB, RabbitMQ and the sandbox's InfiniBoxes, each an instance of the lab's own on loopback."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.lab.directory import lab_directory
from tests.lab.planes import PLANES, ControlPlane
from tests.lab.processes import Processes

ADDRESS = "127.0.0.30"
DATABASE_PORT, QUEUE_PORT = 3306, 5672
EPMD_PORT, ERLANG_PORT = 14369, 14672
"""Erlang's port mapper and the distribution of RabbitMQ's node, which nobody but the node itself uses. Not among the ports that the
kernel gives to whoever asks for any (32768 and up)."""
USER, PASSWORD = "lab", "lab-infrastructure"
ARRAYS_PORT = 80
"""Cinder's Infinidat driver knows no other while `driver_use_ssl` is off."""
STARTS_WITHIN = 180


def directory() -> Path:
    return lab_directory() / "infrastructure"


def processes() -> Processes:
    return Processes(directory())


def database_url(plane: ControlPlane, name: str) -> str:
    return f"mysql+pymysql://{USER}:{PASSWORD}@{ADDRESS}:{DATABASE_PORT}/{plane.name}_{name}?charset=utf8"


def queue_url(plane: ControlPlane) -> str:
    return f"rabbit://{USER}:{PASSWORD}@{ADDRESS}:{QUEUE_PORT}/{plane.name}"


def start() -> None:
    directory().mkdir(parents=True, exist_ok=True)
    start_database()
    start_queue()
    start_arrays()
    wait_for("MariaDB", database_answers)
    sql(f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO '{USER}'@'%'")
    wait_for("RabbitMQ", lambda: listens(ADDRESS, QUEUE_PORT))
    for plane in PLANES:
        wait_for(plane.array, partial(listens, plane.array_address, ARRAYS_PORT))


def stop() -> None:
    """Databases last: whoever else ends may still write."""
    own = processes()
    own.stop([name for name in own.names() if name != "mariadb"])
    own.stop()


def start_database() -> None:
    """It need not survive a power failure, so it does not wait for the disk."""
    data = directory() / "mariadb"
    if not (data / "mysql").is_dir():
        prepare = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        subprocess.run([*prepare, "--skip-test-db"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tuning = [
        "--innodb-buffer-pool-size=192M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--innodb-flush-method=fsync",
    ]
    network = [
        f"--bind-address={ADDRESS}",
        f"--port={DATABASE_PORT}",
        f"--socket={_socket()}",
        "--skip-name-resolve",
        "--max-connections=600",
    ]
    content = ["--skip-log-bin", "--performance-schema=OFF", "--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci"]
    command = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--pid-file={directory() / 'mariadb.pid'}"]
    processes().start("mariadb", [*command, *network, *tuning, *content], os.environ)


def _socket() -> Path:
    return directory() / "mariadb.sock"


def sql(statements: str) -> str:
    """As the database's root, over its socket."""
    client = ["mariadb", "--no-defaults", f"--socket={_socket()}", "--user=root", "--batch", "--skip-column-names"]
    return subprocess.run(client, input=statements, capture_output=True, text=True, check=True).stdout


def database_answers() -> bool:
    try:
        return sql("SELECT 1").strip() == "1"
    except subprocess.CalledProcessError:
        return False


def start_queue() -> None:
    """One virtual host per cloud. The script of the package's library needs no account of its own."""
    home = directory() / "rabbitmq"
    (home / "log").mkdir(parents=True, exist_ok=True)
    access = [{"user": USER, "vhost": plane.name, "configure": ".*", "write": ".*", "read": ".*"} for plane in PLANES]
    users = [{"name": USER, "password": PASSWORD, "tags": ["administrator"]}]
    definitions = {"users": users, "vhosts": [{"name": plane.name} for plane in PLANES], "permissions": access}
    (home / "definitions.json").write_text(json.dumps(definitions))
    template = (Path(__file__).parent / "etc" / "rabbitmq.conf").read_text()
    (home / "rabbitmq.conf").write_text(template.replace("$address", ADDRESS).replace("$directory", str(home)))
    (home / "enabled_plugins").write_text("[].\n")
    environment = {
        **os.environ,
        "HOME": str(home),
        "ERL_EPMD_PORT": str(EPMD_PORT),
        "RABBITMQ_NODENAME": "lab@localhost",
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_DIST_PORT": str(ERLANG_PORT),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
    }
    start_port_mapper(environment)
    processes().start("rabbitmq", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], environment)


def start_port_mapper(environment: dict[str, str]) -> None:
    """RabbitMQ would start one by itself, of which nobody would know the pid."""
    program = Path(__file__).with_name("port_mapper.py")
    if processes().start("epmd", [sys.executable, str(program), str(EPMD_PORT)], environment):
        wait_for("epmd", lambda: listens("127.0.0.1", EPMD_PORT))


def start_arrays() -> None:
    state = directory() / "sandbox"
    command = [sys.executable, "-m", "millpond.sandbox", "--dir", str(state), "--scenario", "none", "--port", str(ARRAYS_PORT)]
    processes().start("sandbox", command, os.environ)


def listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def wait_for(what: str, ready: Callable[[], bool], within: float = STARTS_WITHIN) -> None:
    deadline = time.monotonic() + within
    while not ready():
        if (name := what.lower()) in processes().dead():
            raise SystemExit(f"{what} ended. See {processes().log(name)}")
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not come up within {within:.0f} s. See {lab_directory()}/*/log")
        time.sleep(0.25)
