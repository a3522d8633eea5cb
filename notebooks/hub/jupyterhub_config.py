"""JupyterHub for a class of 60: each learner's notebook has a key of its own to the proxy.

Run beside it: class.yml, and moonshot.key. KIMI_NB_HUB_TRIAL=1 lets anybody in, all as the
same user of this machine: to look at it on a laptop, never for a class.
"""

import os
import sys
from pathlib import Path

from kimi_nb.errors import UsageFault
from kimi_nb.proxy.keys import Who, mint
from kimi_nb.proxy.sheet import read_sheet

c = get_config()  # noqa: F821 -- JupyterHub defines it

HERE = Path(__file__).parent
CLASS = Path(os.environ.get("KIMI_NB_CLASS", HERE / "class.yml"))
COURSE = os.environ.get("KIMI_NB_COURSE", "/srv/course")
PORT = os.environ.get("KIMI_NB_PROXY_PORT", "8100")
TRIAL = os.environ.get("KIMI_NB_HUB_TRIAL") == "1"


# A learner's key is made when the notebook starts, and the one before it ends. So no list of
# keys lies anywhere, and the budget goes with the name, not with the key.


def give_key(spawner):  # noqa: ANN001, ANN201 -- JupyterHub is not there to be read
    """Give a learner's notebook the proxy's address and a new key."""
    sheet = read_sheet(CLASS)
    named = [group.name for group in spawner.user.groups if group.name in sheet.groups]
    who = Who(named[0] if named else next(iter(sheet.groups)), spawner.user.name)

    try:
        key = mint(sheet, [who])[who]
    except UsageFault as error:
        error.jupyterhub_message = f"No key for the language model: {error}"
        raise

    more = {"KIMI_BASE_URL": f"http://127.0.0.1:{PORT}/v1", "KIMI_API_KEY": key}
    spawner.environment = {**spawner.environment, **more}


c.Spawner.pre_spawn_hook = give_key

# The proxy has the real key; learners reach it on this machine only. A hub that stops it loses
# the calls in flight, nothing else.

c.JupyterHub.services = [
    {
        "name": "kimi-proxy",
        "command": [sys.executable, "-m", "kimi_nb.cli", "proxy", str(CLASS), "--port", PORT],
    },
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]

# The course is read only, and a link in everybody's home. The learner's own process makes it:
# the hub, which may be root, writes nothing where learners can.

LINK = 'ln -sfn "$KIMI_NB_COURSE" course; exec "$0" "$@"'
c.Spawner.cmd = ["sh", "-c", LINK, str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.environment = {"KIMI_NB_COURSE": COURSE}
c.Spawner.default_url = "/lab"

# Of each learner. LocalProcessSpawner and its kin only tell the notebook of them.

c.Spawner.mem_limit = "1G"
c.Spawner.cpu_limit = 1.0

c.JupyterHub.concurrent_spawn_limit = 20
c.JupyterHub.active_server_limit = 60

if TRIAL:
    c.JupyterHub.authenticator_class = "dummy"
    c.JupyterHub.spawner_class = "simple"
    c.Authenticator.allow_all = True
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
else:
    c.JupyterHub.authenticator_class = "pam"
    c.JupyterHub.spawner_class = "systemd"  # pip install jupyterhub-systemdspawner
    c.LocalAuthenticator.allowed_groups = {"students"}
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.disable_user_sudo = True
