"""What is compared: how each is installed from its ordinary package manager, and how it is made to send.

It must not measure: it gives command lines.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from processes import find

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
INSTALLED = HERE / "installed"
LETTER_BYTES = 7000
OFFICIALS = 60


@dataclass
class Load:
    """What to send, to which port, over how many connections."""

    port: int
    connections: int
    messages: int
    ca: str | None = None
    dkim_key: str | None = None


class Contender:
    """One program that sends. `why_not` says in a sentence why it is left out, if it is."""

    name = ""
    has_connections = True
    has_tls = True
    has_dkim = False

    def __init__(self):
        self.why_not = None
        self.version = ""

    def ready(self):
        """Installs it where that is needed, and finds out its version."""

    def command(self, load, folder):
        """The command line, and what its environment has besides ours. May write into the folder."""
        raise NotImplementedError


def said(*argv, **options):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **options).stdout.strip()


class Undersigned(Contender):
    name = "undersigned"
    has_dkim = True

    def ready(self):
        said("cargo", "build", "--release", "--locked", "--quiet", cwd=ROOT)
        self.program = target(ROOT) / "release" / "undersigned"
        self.version = said(self.program, "--version").split()[-1]

    def command(self, load, folder):
        self.campaign(folder, load.messages // 2)
        self.configure(folder, load)
        return [str(self.program), "--dir", folder, "send", "--yes"], {}

    def campaign(self, folder, letters):
        """A folder with the sample's texts and so many constituents; as many confirmations come of them."""
        shutil.copytree(ROOT / "templates", Path(folder) / "templates", dirs_exist_ok=True)
        with open(Path(folder) / "contacts.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow("role,title,name,email,jurisdiction,address,postcode,signed_on,note".split(","))
            for n in range(OFFICIALS):
                rows.writerow(["official", "Mayor", f"Official {n}", f"mayor{n}@town{n}.example", f"Town {n}", "", "", "", ""])
            for n in range(letters):
                person = [f"Signer {n}", f"signer{n}@mail{n % 50}.example", f"Town {n % OFFICIALS}", f"{n} Main St"]
                rows.writerow(["constituent", "", *person, "60000", "2026-10-01", ""])

    def configure(self, folder, load):
        tls = f'tls = "implicit"\nca_file = "{load.ca}"' if load.ca else 'tls = "none"'
        dkim = ""
        if load.dkim_key:
            dkim = f'[dkim]\ndomain = "campaign.example"\nselector = "bench"\nkey_file = "{load.dkim_key}"\n'
        (Path(folder) / "config.toml").write_text(
            f'[campaign]\nname = "Benchmark"\n[pace]\nper_mailbox = "unlimited"\n{dkim}'
            f'[[relay]]\nname = "sink"\nhost = "localhost"\nport = {load.port}\n{tls}\n'
            f'connections = {load.connections}\nmessages_per_connection = 100000\nconnection_age = "1h"\n'
        )


class SmtpSource(Contender):
    name = "smtp-source"
    has_tls = False

    def ready(self):
        if not find("smtp-source") and os.geteuid() == 0 and find("apt-get"):
            quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
            subprocess.run(["apt-get", "install", "-qq", "postfix"], env=quiet, capture_output=True, check=False)
        if not find("smtp-source"):
            self.why_not = "Postfix is not installed"
            return
        postconf = find("postconf")
        self.version = "Postfix " + said(postconf, "-dh", "mail_version") if postconf else ""

    def command(self, load, folder):
        size = ["-s", str(load.connections), "-m", str(load.messages), "-l", str(LETTER_BYTES)]
        return [find("smtp-source"), "-d", *size, f"127.0.0.1:{load.port}"], {}


class Lettre(Contender):
    name = "lettre"

    def ready(self):
        said("cargo", "build", "--release", "--locked", "--quiet", cwd=HERE)
        self.program = target(HERE) / "release" / "undersigned-bench"
        found = said("cargo", "tree", "--locked", "--depth", "1", "--prefix", "none", cwd=HERE).splitlines()
        self.version = next(line.split()[1].lstrip("v") for line in found if line.startswith("lettre "))

    def command(self, load, folder):
        numbers = {"port": load.port, "connections": load.connections, "messages": load.messages, "bytes": LETTER_BYTES}
        options = [word for name, n in numbers.items() for word in (f"--{name}", str(n))]
        return [str(self.program), "lettre", *options, *(["--ca", load.ca] if load.ca else [])], {}


class Nodemailer(Contender):
    name = "nodemailer"
    has_dkim = True

    def ready(self):
        if not find("npm") and os.geteuid() == 0 and find("apt-get"):
            subprocess.run(["apt-get", "install", "-qq", "nodejs", "npm"], capture_output=True, check=False)
        if not find("npm"):
            self.why_not = "npm is not installed"
            return
        package = INSTALLED / "node_modules" / "nodemailer" / "package.json"
        if not package.exists():
            INSTALLED.mkdir(exist_ok=True)
            said("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", INSTALLED, "nodemailer")
        self.version = json.loads(package.read_text())["version"] + ", Node " + said("node", "--version").lstrip("v")

    def command(self, load, folder):
        return ["node", str(HERE / "senders" / "nodemailer_sender.mjs"), as_json(load)], {}


class Smtplib(Contender):
    name = "Python smtplib"

    def ready(self):
        self.version = sys.version.split()[0]

    def command(self, load, folder):
        return [sys.executable, str(HERE / "senders" / "smtplib_sender.py"), as_json(load)], {}


class Mailmerge(Contender):
    name = "mailmerge"
    has_connections = False
    has_tls = False

    def ready(self):
        venv = INSTALLED / "venv"
        self.program = venv / "bin" / "mailmerge"
        if not self.program.exists():
            said(sys.executable, "-m", "venv", venv)
            said(venv / "bin" / "pip", "install", "--quiet", "mailmerge")
        shown = said(venv / "bin" / "pip", "show", "mailmerge").splitlines()
        self.version = next(line.split()[1] for line in shown if line.startswith("Version:"))

    def command(self, load, folder):
        line = "We ask you to keep the trees on the square, for their shade and for the birds in them.\n"
        heads = "TO: {{email}}\nSUBJECT: A letter from {{name}}\nFROM: Benchmark <letters@campaign.example>\n"
        body = f"Dear Mayor,\n\n{line * (LETTER_BYTES // len(line))}\n{{{{name}}}}\n"
        folder = Path(folder)
        (folder / "mailmerge_template.txt").write_text(f"{heads}\n{body}")
        (folder / "mailmerge_server.conf").write_text(
            f"[smtp_server]\nhost = localhost\nport = {load.port}\nsecurity = Never\nratelimit = 0\n"
        )
        people = "".join(f"mayor{n % OFFICIALS}@town.example,Signer {n}\n" for n in range(load.messages))
        (folder / "mailmerge_database.csv").write_text("email,name\n" + people)
        return [str(self.program), "--no-dry-run", "--no-limit"], {}


def target(package):
    """Where cargo puts what it builds of that package."""
    told = json.loads(said("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1", cwd=package))
    return Path(told["target_directory"])


def as_json(load):
    numbers = {"port": load.port, "connections": load.connections, "messages": load.messages, "bytes": LETTER_BYTES}
    return json.dumps({**numbers, "ca": load.ca, "key": load.dkim_key, "installed": str(INSTALLED)})
