"""Writes small databases in MaxMind's format (version 2.0), for tests of GEOIP_DB.

The format: a binary tree over the bits of an address, whose leaves point into a data section of
typed values; then a marker and a map of metadata.  tests/data/places.mmdb is what
`/usr/bin/python3 -m support.mmdb`, called in tests/, writes.
https://maxmind.github.io/MaxMind-DB/
"""
import ipaddress

MARKER = b"\xab\xcd\xefMaxMind.com"
STRING, UINT16, UINT32, MAP, ARRAY, UINT64 = 2, 5, 6, 7, 11, 9


def control(kind, size):
    """The byte that tells type and size, for sizes below 29 or 285."""
    extended = b"" if kind < 8 else bytes([kind - 7])
    first = (kind if kind < 8 else 0) << 5
    if size < 29:
        return bytes([first | size]) + extended
    assert size < 285
    return bytes([first | 29]) + extended + bytes([size - 29])


def encode(value, kind=UINT32):
    if isinstance(value, bytes):  # text as it is, valid UTF-8 or not
        return control(STRING, len(value)) + value
    if isinstance(value, str):
        return encode(value.encode())
    if isinstance(value, dict):
        return control(MAP, len(value)) + b"".join(
            encode(key) + encode(item) for key, item in value.items())
    if isinstance(value, list):
        return control(ARRAY, len(value)) + b"".join(encode(item) for item in value)
    raw = value.to_bytes(8, "big").lstrip(b"\0")
    return control(kind, len(raw)) + raw


class Tree:
    """Nodes with a left and a right: the number of a node, ("data", offset), or None."""

    def __init__(self):
        self.nodes = [[None, None]]

    def add(self, network, offset):
        net = ipaddress.ip_network(network)
        bits, prefix = int(net.network_address), net.prefixlen
        if net.version == 4:
            prefix += 96
        node = 0
        for depth in range(prefix):
            bit = bits >> (127 - depth) & 1
            if depth == prefix - 1:
                self.nodes[node][bit] = ("data", offset)
                return
            if not isinstance(self.nodes[node][bit], int):
                self.nodes.append([None, None])
                self.nodes[node][bit] = len(self.nodes) - 1
            node = self.nodes[node][bit]

    def encoded(self):
        count = len(self.nodes)

        def record(side):
            if side is None:
                return count
            return side if isinstance(side, int) else count + 16 + side[1]
        return b"".join(record(side).to_bytes(3, "big") for node in self.nodes for side in node)


def database(networks, name="Test-City"):
    """The bytes of a database: {network: record}."""
    tree, data = Tree(), b""
    for network, record in networks.items():
        tree.add(network, len(data))
        data += encode(record)
    metadata = control(MAP, 9)
    for key, value, kind in (
            ("binary_format_major_version", 2, UINT16),
            ("binary_format_minor_version", 0, UINT16), ("build_epoch", 1700000000, UINT64),
            ("database_type", name, None), ("description", {"en": "made by a test"}, None),
            ("ip_version", 6, UINT16), ("languages", ["en"], None),
            ("node_count", len(tree.nodes), UINT32), ("record_size", 24, UINT16)):
        metadata += encode(key) + encode(value, kind)
    return tree.encoded() + b"\0" * 16 + data + MARKER + metadata


BERLIN = {"country": {"iso_code": "DE", "names": {"en": "Germany"}},
          "subdivisions": [{"iso_code": "BE"}], "city": {"names": {"de": "Berlin", "en": "Berlin"}}}
# A city without a region, a flat record, one of nonsense.
CITIES = {
    "192.0.2.0/25": BERLIN,
    "192.0.2.128/25": {"country": {"iso_code": "JP"}, "city": {"names": {"en": "T\u014dky\u014d"}}},
    "198.51.100.0/24": {"country_code": "us", "region_code": "CA", "region": "California",
                        "city": "Mountain View"},
    "203.0.113.0/25": {"country": "FR"},
    "203.0.113.128/25": {"country": {"iso_code": "Germany"}, "city": {"names": {"en": b"\xff\xfe"}},
                         "subdivisions": [{"iso_code": "B/E"}]},
    "2001:db8::/32": {"country": {"iso_code": "NP"}},
}

if __name__ == "__main__":
    import sys
    sys.stdout.buffer.write(database(CITIES))
