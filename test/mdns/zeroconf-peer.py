"""A peer for tests: python-zeroconf on the loopback. Commands on standard input, answers on standard output.

Argument: what is in the names of services that it tells of; brokers of other tests have other names.
"""
import json
import socket
import sys
from zeroconf import ServiceBrowser, ServiceInfo, Zeroconf

zeroconf = Zeroconf(interfaces=["127.0.0.1"])


def say(**event):
    # In one piece: zeroconf's threads say things, too.
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Listener:
    def add_service(self, zc, kind, name):
        if sys.argv[1] not in name:
            return
        # At once, where the machine has time for both
        info = zc.get_service_info(kind, name, 60000)
        say(
            event="added",
            name=name,
            server=info and info.server,
            port=info and info.port,
            addresses=info and info.parsed_addresses(),
            properties=info and {k.decode(): v and v.decode() for k, v in info.properties.items()},
        )

    def update_service(self, zc, kind, name):
        pass

    def remove_service(self, zc, kind, name):
        if sys.argv[1] in name:
            say(event="removed", name=name)


for line in sys.stdin:
    command = json.loads(line)
    if "browse" in command:
        ServiceBrowser(zeroconf, command["browse"], Listener())
    elif "register" in command:
        kind = "_mqtt._tcp.local."
        info = ServiceInfo(
            kind,
            command["register"] + "." + kind,
            port=9,
            addresses=[socket.inet_aton(command["address"])],
            server=command["host"],
        )
        zeroconf.register_service(info)
        say(event="registered")
zeroconf.close()
