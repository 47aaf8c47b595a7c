"""Connections of proton to the broker named in the environment."""

import os

from proton import SSLDomain
from proton.reactor import Container
from proton.utils import BlockingConnection

# Less than whoever runs this has patience for: he is told what is missing.
WAIT_SECONDS_MAX = 45
NAME = os.environ.get("AMQP_ADDRESS", "")
CA = os.environ.get("AMQP_CA")
PORT = os.environ["AMQP_PORT"]
URL = f"{'amqp' if CA is None else 'amqps'}://localhost:{PORT}"


def ssl_domain():
    if CA is None:
        return None
    domain = SSLDomain(SSLDomain.MODE_CLIENT)
    domain.set_trusted_ca_db(CA)
    domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
    if "AMQP_CERT" in os.environ:
        domain.set_credentials(os.environ["AMQP_CERT"], os.environ["AMQP_KEY"], None)
    return domain


def connect(container_id=None, **options):
    container = None
    if container_id is not None:
        container = Container()
        container.container_id = container_id
    return BlockingConnection(
        URL, timeout=WAIT_SECONDS_MAX, container=container, ssl_domain=ssl_domain(), **{"sasl_enabled": False, **options}
    )
