"""The clusters of the measured world, as sovereign is told to make them."""


def server(address):
    host, port = address.split(":")
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}


def cluster(name, addresses):
    return {
        "name": name,
        "connect_timeout": "5s",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [server(address) for address in addresses]}],
        },
    }


def call(pools, **_):
    for name, addresses in pools.items():
        yield cluster(name, addresses)
