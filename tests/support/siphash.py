"""SipHash-2-4 once more, and the visitor's number that the contract makes with it."""
import ipaddress
import struct

MASK = (1 << 64) - 1


def _rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def _rounds(v, count):
    for _ in range(count):
        v[0] = (v[0] + v[1]) & MASK
        v[1] = _rotate(v[1], 13) ^ v[0]
        v[0] = _rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & MASK
        v[3] = _rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & MASK
        v[3] = _rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & MASK
        v[1] = _rotate(v[1], 17) ^ v[2]
        v[2] = _rotate(v[2], 32)


def siphash(key, data):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
         k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]
    padded = data + b"\0" * (7 - len(data) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xff
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def visitor_id(salt, site_id, address, agent):
    """As jobs have it."""
    parsed = ipaddress.ip_address(address)
    packed = (b"\0" * 10 + b"\xff\xff" + parsed.packed if parsed.version == 4
              else parsed.packed[:8] + b"\0" * 8)
    text = b"\0".join((site_id.encode(), packed, agent.encode()))
    return f"{siphash(salt, text):016x}"
